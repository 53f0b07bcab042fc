"""nEMO: `EB0_anger_12.wav` is speaker, emotion, sentence.

Source: Christop (2024), "nEMO: Dataset of Emotional Speech in Polish".
"""

from __future__ import annotations

import re
from pathlib import Path

from ser_batch.corpora.base import Corpus, Label

NAME = re.compile(
    r"^(?P<speaker>[A-Z]{2}\d)_(?P<emotion>anger|fear|happiness|neutral|sadness|surprised)_\d+$"
)
FEMALE = {"EB0", "IC0", "KD0", "MB0"}
MALE = {"KS0", "MP0", "SM0", "TP0", "PS0"}


def label(match: re.Match[str], _path: Path) -> Label:
    """What a name says."""
    speaker = match["speaker"]
    return Label(
        speaker=speaker,
        sex="female" if speaker in FEMALE else "male" if speaker in MALE else "unknown",
        emotion="surprise" if match["emotion"] == "surprised" else match["emotion"],
    )


NEMO = Corpus(
    name="nemo",
    title="nEMO (Christop 2024)",
    licence="CC-BY-NC-SA-4.0",
    language="pl",
    pattern=NAME,
    label=label,
)
