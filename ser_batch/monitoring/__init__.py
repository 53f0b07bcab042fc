"""Runs and their health: run records, drift, alerts, the checks of `doctor` and `health`."""
