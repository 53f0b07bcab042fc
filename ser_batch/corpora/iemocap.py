"""IEMOCAP: emotions stand in its evaluation files, beside the sentences' audio.

`SessionN/sentences/wav/Ses01F_impro01/Ses01F_impro01_M003.wav` is said by the man of session 1;
`SessionN/dialog/EmoEvaluation/Ses01F_impro01.txt` holds a line for it, such as
`[6.2901 - 8.2357]	Ses01F_impro01_M003	neu	[2.5000, 2.5000, 2.5000]`.

Source: Busso et al. (2008), "IEMOCAP: interactive emotional dyadic motion capture database".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ser_batch.corpora.base import Corpus, Label, Sex

NAME = re.compile(r"^(?P<dialog>Ses(?P<session>0[1-5])[FM]_\w+)_(?P<sex>[FM])\d{3}$")
LINE = re.compile(r"^\[[\d.]+ - [\d.]+\]\t(?P<name>\w+)\t(?P<emotion>\w{3})\t")
EMOTION = {
    "ang": "anger",
    "hap": "happiness",
    "exc": "happiness",
    "sad": "sadness",
    "neu": "neutral",
    "fru": "frustration",
    "fea": "fear",
    "sur": "surprise",
    "dis": "disgust",
}
"""Excitement counts as happiness, as is usual; `xxx` (no agreement) and `oth` are left out."""


def label(match: re.Match[str], path: Path) -> Label | None:
    """What the evaluation of a sentence's dialogue says, None if its labellers did not agree."""
    if len(path.parents) < 4:
        return None
    emotions = _evaluation(path.parents[3] / "dialog" / "EmoEvaluation" / f"{match['dialog']}.txt")
    emotion = EMOTION.get(emotions.get(path.stem, ""))
    if emotion is None:
        return None
    sex: Sex = "female" if match["sex"] == "F" else "male"
    return Label(f"{match['session']}{match['sex']}", sex, emotion)


@lru_cache(maxsize=256)
def _evaluation(path: Path) -> Mapping[str, str]:
    """Emotion of each sentence of a dialogue; nothing where there is no evaluation."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {match["name"]: match["emotion"] for match in map(LINE.match, lines) if match}


IEMOCAP = Corpus(
    name="iemocap",
    title="IEMOCAP (Busso et al. 2008)",
    licence="research-only",
    language="en",
    pattern=NAME,
    label=label,
)
