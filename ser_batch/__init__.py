"""ser-batch: customer dissatisfaction in recorded calls, from the sound alone."""

import os

# onnxruntime sends usage data unless this is set before it is imported; nothing leaves the machine
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
