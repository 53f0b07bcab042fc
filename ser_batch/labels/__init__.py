"""Labels: which segments are asked about, what annotators said, and how far they agree."""
