"""What every shape of transcript is brought to."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_UTTERANCES = 200_000
"""Words of a transcript that are read; fast speech of a whole day has fewer."""
MAX_CHARS = 10_000
"""Characters of one utterance that are read."""
MAX_SECONDS = 1e6


@dataclass(frozen=True)
class Utterance:
    """A word, a cue or a turn.

    Attributes:
        start_s: in the recording, seconds
        end_s: seconds, not before the start
        text: as transcribed
        speaker: label of who says it, empty if nothing says so
        channel: of the recording, from 0; None if nothing says so
    """

    start_s: float
    end_s: float
    text: str
    speaker: str = ""
    channel: int | None = None


def utterance(
    start_s: float | None,
    end_s: float | None,
    text: object,
    *,
    speaker: object = "",
    channel: int | None = None,
) -> Utterance | None:
    """An utterance from values as a file has them; None where they make none."""
    if not isinstance(text, str) or not text.strip():
        return None
    if start_s is None or not 0 <= start_s <= MAX_SECONDS:
        return None
    last = start_s if end_s is None or not start_s <= end_s <= MAX_SECONDS else end_s
    clean = " ".join(text[:MAX_CHARS].encode("utf-8", "ignore").decode().split())
    if not clean:
        return None
    label = str(speaker) if isinstance(speaker, str | int) else ""
    return Utterance(start_s, last, clean, label.strip()[:100], channel)


def seconds(value: object) -> float | None:
    """Seconds as JSON has them, "1.3", "1.300s" and 1.3 alike; None if it is no time."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value.strip().removesuffix("s") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
