"""What fits or evaluates a model: splits, heads, trees, calibration, gate, retraining."""
