"""URDU: `SM1_F4_A04.wav` is speaker (SM man, SF woman), file, emotion. Talk shows, not acted.

Source: Latif et al. (2018), "Cross lingual speech emotion recognition: Urdu vs. Western
languages". Its folders state no licence: taken for research only.
"""

from __future__ import annotations

import re
from pathlib import Path

from ser_batch.corpora.base import Corpus, Label, Sex

NAME = re.compile(r"^(?P<speaker>S(?P<sex>[MF])\d+)_F\d+_(?P<emotion>[AHNS])\d+$")
EMOTION = {"A": "anger", "H": "happiness", "N": "neutral", "S": "sadness"}


def label(match: re.Match[str], _path: Path) -> Label:
    """What a name says."""
    sex: Sex = "male" if match["sex"] == "M" else "female"
    return Label(match["speaker"], sex, EMOTION[match["emotion"]])


URDU = Corpus(
    name="urdu",
    title="URDU (Latif et al. 2018)",
    licence="research-only",
    language="ur",
    pattern=NAME,
    label=label,
)
