"""TESS: `OAF_back_angry.wav` is speaker, word, emotion. Two speakers: no test of generalisation.

Source: Pichora-Fuller and Dupuis (2020), "Toronto emotional speech set (TESS)".
"""

from __future__ import annotations

import re
from pathlib import Path

from ser_batch.corpora.base import Corpus, Label

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


def label(match: re.Match[str], _path: Path) -> Label:
    """What a name says; a few of the corpus's own files say OA for OAF."""
    speaker = "YAF" if match["speaker"].upper() == "YAF" else "OAF"
    return Label(
        speaker, "female", EMOTION[match["emotion"].lower()], sentence=match["word"].lower()
    )


TESS = Corpus(
    name="tess",
    title="TESS (Pichora-Fuller and Dupuis 2020)",
    licence="CC-BY-NC-ND-4.0",
    language="en",
    pattern=NAME,
    label=label,
)
