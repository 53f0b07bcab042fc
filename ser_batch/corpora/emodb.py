"""EmoDB: `03a01Fa.wav` is speaker 03, text a01, emotion F, version a.

Source: Burkhardt et al. (2005), "A database of German emotional speech".
"""

from __future__ import annotations

import re
from pathlib import Path

from ser_batch.corpora.base import Clip, Corpus

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


def parse(path: Path) -> Clip | None:
    """The clip that a file name describes, None if it is not EmoDB's."""
    match = NAME.match(path.stem)
    if match is None:
        return None
    return Clip(
        path=path,
        corpus="emodb",
        speaker=f"emodb:{match['speaker']}",
        sex="female" if match["speaker"] in FEMALE else "male",
        emotion=EMOTION[match["emotion"]],
        intensity=None,
        language="de",
        licence=EMODB.licence,
    )


EMODB = Corpus(
    name="emodb",
    title="EmoDB (Berlin Database of Emotional Speech, Burkhardt et al. 2005)",
    licence="CC0-1.0",
    language="de",
    parse=parse,
)
