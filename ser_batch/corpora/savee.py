"""SAVEE: `DC_a01.wav`, or `a01.wav` in the folder `DC`, is speaker, emotion, sentence. Men only.

Source: Haq and Jackson (2010), "Multimodal emotion recognition".
"""

from __future__ import annotations

import re
from pathlib import Path

from ser_batch.corpora.base import Clip, Corpus

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


def parse(path: Path) -> Clip | None:
    """The clip that a file name describes, None if it is not SAVEE's."""
    match = NAME.match(path.stem)
    speaker = match and (match["speaker"] or path.parent.name)
    if match is None or speaker not in SPEAKERS:
        return None
    return Clip(
        path=path,
        corpus="savee",
        speaker=f"savee:{speaker}",
        sex="male",
        emotion=EMOTION[match["emotion"]],
        intensity=None,
        language="en",
        licence=SAVEE.licence,
    )


SAVEE = Corpus(
    name="savee",
    title="SAVEE (Haq and Jackson 2010)",
    licence="research-only",
    language="en",
    parse=parse,
)
