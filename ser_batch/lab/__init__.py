"""Outside the night: benchmarks, distillation of encoders, simulated calls."""
