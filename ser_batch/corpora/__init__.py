"""Public corpora of emotional speech: one file a corpus, its naming scheme → labels."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from ser_batch.config import nearest
from ser_batch.corpora.base import Clip, Corpus, find_corpus_folder
from ser_batch.corpora.cremad import CREMAD
from ser_batch.corpora.emodb import EMODB
from ser_batch.corpora.iemocap import IEMOCAP
from ser_batch.corpora.nemo import NEMO
from ser_batch.corpora.ravdess import RAVDESS
from ser_batch.corpora.savee import SAVEE
from ser_batch.corpora.tess import TESS
from ser_batch.corpora.urdu import URDU
from ser_batch.errors import CorpusError

CORPORA: dict[str, Corpus] = {
    corpus.name: corpus for corpus in (CREMAD, EMODB, IEMOCAP, NEMO, RAVDESS, SAVEE, TESS, URDU)
}

GUIDED_CHOICES = frozenset({"cremad", "emodb", "nemo", "ravdess", "tess"})
"""Corpora whose figures were looked at when recipes, the flag or the bundled model were chosen."""


def get_corpus(name: str) -> Corpus:
    """The corpus of a name.

    Raises:
        CorpusError: naming the nearest one
    """
    if name not in CORPORA:
        raise CorpusError(f"there is no corpus {name!r}{nearest(name, CORPORA)}")
    return CORPORA[name]


def read_corpus(corpora: Path, name: str) -> list[Clip]:
    """The clips of a corpus whose folder lies below `corpora`.

    Raises:
        CorpusError: if there is no such corpus, folder or clip
    """
    return get_corpus(name).read(find_corpus_folder(corpora, name))


def installed(corpora: Path, names: Collection[str]) -> dict[str, list[Clip]]:
    """Clips of those of some corpora whose folders lie below `corpora`, by name.

    Raises:
        CorpusError: if a name is no corpus
    """
    found = {}
    for name in sorted(names):
        corpus = get_corpus(name)
        with suppress(CorpusError):
            found[name] = corpus.read(find_corpus_folder(corpora, name))
    return found
