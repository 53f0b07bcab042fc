"""Networks trained with their heads: over spectral sequences, and fine-tuned speech encoders."""
