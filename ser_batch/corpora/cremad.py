"""CREMA-D: `1001_DFA_ANG_XX.wav` is actor, sentence, emotion, level.

Source: Cao et al. (2014), "CREMA-D: Crowd-sourced emotional multimodal actors dataset".
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ser_batch.corpora.base import Corpus, Label, Sex

NAME = re.compile(
    r"^(?P<actor>1\d{3})_[A-Z]{3}_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)_(?P<level>LO|MD|HI|XX)$"
)
EMOTION = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
LEVEL = {"LO": "low", "MD": "medium", "HI": "high", "XX": None}
DEMOGRAPHICS = "VideoDemographics.csv"
"""The corpus's own table of actors; without it their sex is unknown."""


def label(match: re.Match[str], path: Path) -> Label:
    """What a name says, and the table of actors beside the clips."""
    return Label(
        speaker=match["actor"],
        sex=_sexes(path.parent).get(match["actor"], "unknown"),
        emotion=EMOTION[match["emotion"]],
        intensity=LEVEL[match["level"]],
    )


@lru_cache(maxsize=8)
def _sexes(folder: Path) -> Mapping[str, Sex]:
    """Sex of each actor, from the table in the clips' folder or the one above."""
    for place in (folder, folder.parent):
        if (place / DEMOGRAPHICS).is_file():
            with (place / DEMOGRAPHICS).open(encoding="utf-8", newline="") as stream:
                return {
                    row["ActorID"]: "female" if row["Sex"].lower() == "female" else "male"
                    for row in csv.DictReader(stream)
                }
    return {}


CREMAD = Corpus(
    name="cremad",
    title="CREMA-D (Cao et al. 2014)",
    licence="ODbL-1.0",
    language="en",
    pattern=NAME,
    label=label,
)
