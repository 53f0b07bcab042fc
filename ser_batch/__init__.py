"""ser-batch: customer dissatisfaction in recorded calls, from the sound alone."""

from ser_batch.environment import NO_TELEMETRY, set_unless_given

set_unless_given(NO_TELEMETRY)  # before onnxruntime or Prefect is imported

__version__ = "0.1.0"
