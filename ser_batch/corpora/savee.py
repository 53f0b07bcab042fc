"""SAVEE: `DC_a01.wav`, or `a01.wav` in the folder `DC`, is speaker, emotion, sentence. Men only.

Source: Haq and Jackson (2010), "Multimodal emotion recognition".
"""

from __future__ import annotations

import re
from pathlib import Path

from ser_batch.corpora.base import Corpus, Label

SPEAKERS = ("DC", "JE", "JK", "KL")
NAME = re.compile(r"^(?:(?P<speaker>DC|JE|JK|KL)_)?(?P<emotion>sa|su|a|d|f|h|n)\d{2}$")
EMOTION = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}


def label(match: re.Match[str], path: Path) -> Label | None:
    """What a name says, and the folder where the name names no speaker."""
    speaker = match["speaker"] or path.parent.name
    return Label(speaker, "male", EMOTION[match["emotion"]]) if speaker in SPEAKERS else None


SAVEE = Corpus(
    name="savee",
    title="SAVEE (Haq and Jackson 2010)",
    licence="research-only",
    language="en",
    pattern=NAME,
    label=label,
)
