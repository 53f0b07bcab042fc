"""Labelled clips of corpora and of tables, by the name that a command gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ser_batch.corpora import read_corpus
from ser_batch.corpora.base import Clip
from ser_batch.corpora.labels import read_labels
from ser_batch.errors import CorpusError


class NoCorporaError(CorpusError):
    """A corpus is named, but no folder of corpora."""

    remedy = "Give --corpora DIR, or set SER_CORPUS_DIR."

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(f"no folder of corpora is named, in which {', '.join(names)} would be")


def read_clips(
    corpora: Path | None, names: Iterable[str], tables: Sequence[Path] = ()
) -> dict[str, list[Clip]]:
    """Clips by name: a table by its stem, every other name as a corpus.

    Args:
        corpora: folder below which each corpus has its own
        names: corpora, or stems of the tables
        tables: CSV of labelled clips; read whether they are named or not

    Raises:
        CorpusError: if a corpus, a folder, a table or a clip is missing
    """
    clips: dict[str, list[Clip]] = {}
    for table in tables:
        if table.stem in clips:
            raise CorpusError(f"two tables of labels are called {table.stem!r}: rename one")
        clips[table.stem] = read_labels(table)
    missing = [name for name in names if name not in clips]
    if missing and corpora is None:
        raise NoCorporaError(missing)
    return clips | {name: read_corpus(corpora or Path(), name) for name in missing}
