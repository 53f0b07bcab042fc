"""URDU: `SM1_F4_A04.wav` is speaker (SM man, SF woman), file, emotion. Talk shows, not acted.

Source: Latif et al. (2018), "Cross lingual speech emotion recognition: Urdu vs. Western
languages". Its folders state no licence: taken for research only.
"""

from __future__ import annotations

import re
from pathlib import Path

from ser_batch.corpora.base import Clip, Corpus

NAME = re.compile(r"^(?P<speaker>S(?P<sex>[MF])\d+)_F\d+_(?P<emotion>[AHNS])\d+$")
EMOTION = {"A": "anger", "H": "happiness", "N": "neutral", "S": "sadness"}


def parse(path: Path) -> Clip | None:
    """The clip that a file name describes, None if it is not URDU's."""
    match = NAME.match(path.stem)
    if match is None:
        return None
    return Clip(
        path=path,
        corpus="urdu",
        speaker=f"urdu:{match['speaker']}",
        sex="male" if match["sex"] == "M" else "female",
        emotion=EMOTION[match["emotion"]],
        intensity=None,
        language="ur",
        licence=URDU.licence,
    )


URDU = Corpus(
    name="urdu",
    title="URDU (Latif et al. 2018)",
    licence="research-only",
    language="ur",
    parse=parse,
)
