"""nEMO: `EB0_anger_12.wav` is speaker, emotion, sentence.

Source: Christop (2024), "nEMO: Dataset of Emotional Speech in Polish".
"""

from __future__ import annotations

import re
from pathlib import Path

from ser_batch.corpora.base import Clip, Corpus

NAME = re.compile(
    r"^(?P<speaker>[A-Z]{2}\d)_(?P<emotion>anger|fear|happiness|neutral|sadness|surprised)_\d+$"
)
FEMALE = {"EB0", "IC0", "KD0", "MB0"}
MALE = {"KS0", "MP0", "SM0", "TP0", "PS0"}


def parse(path: Path) -> Clip | None:
    """The clip that a file name describes, None if it is not nEMO's."""
    match = NAME.match(path.stem)
    if match is None:
        return None
    speaker = match["speaker"]
    return Clip(
        path=path,
        corpus="nemo",
        speaker=f"nemo:{speaker}",
        sex="female" if speaker in FEMALE else "male" if speaker in MALE else "unknown",
        emotion="surprise" if match["emotion"] == "surprised" else match["emotion"],
        intensity=None,
        language="pl",
        licence=NEMO.licence,
    )


NEMO = Corpus(
    name="nemo",
    title="nEMO (Christop 2024)",
    licence="CC-BY-NC-SA-4.0",
    language="pl",
    parse=parse,
)
