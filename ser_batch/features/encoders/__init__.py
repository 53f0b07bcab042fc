"""Speech encoders on onnxruntime: weights, graphs, and the feature sets of their states."""
