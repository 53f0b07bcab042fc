"""A model bundle applied: predict, calibrate, abstain, explain; no training code."""
