"""The report: one HTML file that opens from disk, offline, on any screen."""
