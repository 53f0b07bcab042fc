"""Audio with its licence, as commands name it and as cards list it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_batch.config import nearest
from ser_batch.corpora import CORPORA
from ser_batch.corpora.licences import LICENCES
from ser_batch.errors import CorpusError
from ser_batch.lab.distill.material import LENGTHS_S, MADE, Material, audio_files
from ser_batch.lab.distill.voices import LICENCE as MADE_LICENCE
from ser_batch.lab.distill.voices import TITLE

OWN = "own"


@dataclass(frozen=True)
class Source:
    """Audio that is learnt from.

    Attributes:
        path: a folder, or a file
        licence: SPDX identifier, or `own`
    """

    path: Path
    licence: str


def parse_source(text: str) -> Source:
    """A source as the command line names it: `FOLDER`, or `FOLDER=LICENCE`.

    Without a licence it is the corpus's, where its files are named as a known corpus names them,
    else `own`.

    Raises:
        CorpusError: if there is no such folder or licence
    """
    name, _, licence = text.rpartition("=") if "=" in text else (text, "", "")
    path = Path(name)
    if not path.exists():
        raise CorpusError(f"there is no audio at {path}")
    if licence and licence not in LICENCES:
        raise CorpusError(f"{licence!r} is no known licence{nearest(licence, LICENCES)}")
    return Source(path, licence or _known_licence(path))


def described(sources: Sequence[Source], material: Material) -> list[dict[str, Any]]:
    """What a card says of the material: a source a line."""
    hours: dict[str, float] = defaultdict(float)
    for cut in material.cuts:
        if cut.speed == 0:
            hours[material.recordings[cut.recording].source] += LENGTHS_S[cut.length] / 3600
    files = Counter(recording.source for recording in material.recordings)
    licences = {source.path.name: source.licence for source in sources} | {MADE: MADE_LICENCE}
    return [
        {
            "source": TITLE if name == MADE else name,
            "licence": licences[name],
            "n_files": files[name],
            "hours": round(hours[name], 3),
        }
        for name in files
    ]


def described_noise(source: Source | None) -> list[dict[str, Any]]:
    """What a card says of the sounds that are mixed in."""
    if source is None:
        return []
    n_files = len(audio_files(source.path))
    return [{"source": source.path.name, "licence": source.licence, "n_files": n_files}]


def _known_licence(path: Path) -> str:
    for file in audio_files(path)[:1]:
        for corpus in CORPORA.values():
            if corpus.parse(file) is not None:
                return corpus.licence
    return OWN
