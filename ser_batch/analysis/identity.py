"""What the analysis of a recording depends on, as a digest."""

from __future__ import annotations

from ser_batch.config import Settings, digest

ANALYSIS_VERSION = 3
"""Raised when the code cuts segments or measures calls differently under the same settings."""


def analysis_id(settings: Settings) -> str:
    """Digest of all that segments depend on."""
    parts = (settings.audio, settings.vad, settings.segments, settings.line, settings.denoise)
    return digest([ANALYSIS_VERSION, *(part.model_dump(mode="json") for part in parts)])
