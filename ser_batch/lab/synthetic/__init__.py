"""Synthetic calls with known truth: plans, dialogues, voices, telephone sounds."""
