"""TESS: `OAF_back_angry.wav` is speaker, word, emotion. Two speakers: no test of generalisation.

Source: Pichora-Fuller and Dupuis (2020), "Toronto emotional speech set (TESS)".
"""

from __future__ import annotations

import re
from pathlib import Path

from ser_batch.corpora.base import Clip, Corpus

NAME = re.compile(
    r"^(?P<speaker>OAF?|YAF)_(?P<word>[a-z]+)_"
    r"(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)$",
    re.IGNORECASE,
)
EMOTION = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sadness",
}


def parse(path: Path) -> Clip | None:
    """The clip that a file name describes, None if it is not TESS's."""
    match = NAME.match(path.stem)
    if match is None:
        return None
    # a few of the corpus's own files say OA for OAF
    speaker = "YAF" if match["speaker"].upper() == "YAF" else "OAF"
    return Clip(
        path=path,
        corpus="tess",
        speaker=f"tess:{speaker}",
        sex="female",
        emotion=EMOTION[match["emotion"].lower()],
        intensity=None,
        language="en",
        licence=TESS.licence,
    )


TESS = Corpus(
    name="tess",
    title="TESS (Pichora-Fuller and Dupuis 2020)",
    licence="CC-BY-NC-ND-4.0",
    language="en",
    parse=parse,
)
