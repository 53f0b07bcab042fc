"""Benchmarks behind `ser-batch bench`: speed and quality beside named peers."""
