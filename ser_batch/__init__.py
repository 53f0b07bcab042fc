"""ser-batch: customer dissatisfaction in recorded calls, from the sound alone."""

__version__ = "0.1.0"
