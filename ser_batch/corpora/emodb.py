"""EmoDB: `03a01Fa.wav` is speaker 03, text a01, emotion F, version a.

Source: Burkhardt et al. (2005), "A database of German emotional speech".
"""

from __future__ import annotations

import re
from pathlib import Path

from ser_batch.corpora.base import Corpus, Label

NAME = re.compile(
    r"^(?P<speaker>\d{2})(?P<text>[ab]\d{2})(?P<emotion>[WLEAFTN])(?P<version>[a-z])$"
)
EMOTION = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
FEMALE = {"08", "09", "13", "14", "16"}


def label(match: re.Match[str], _path: Path) -> Label:
    """What a name says."""
    speaker = match["speaker"]
    return Label(
        speaker,
        "female" if speaker in FEMALE else "male",
        EMOTION[match["emotion"]],
        sentence=match["text"],
    )


EMODB = Corpus(
    name="emodb",
    title="EmoDB (Berlin Database of Emotional Speech, Burkhardt et al. 2005)",
    licence="CC0-1.0",
    language="de",
    pattern=NAME,
    label=label,
)
