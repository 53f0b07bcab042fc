"""Labelled clips and weights that a command needs: checked before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

CorporaOption = Annotated[
    Path | None,
    typer.Option(
        "--corpora", help="Folder below which each corpus has its own.", envvar="SER_CORPUS_DIR"
    ),
]
LabelsOption = Annotated[
    list[Path] | None,
    typer.Option(help="CSV of your own clips: path, speaker, emotion; may be repeated."),
]


def check_inputs(
    corpora: Path | None,
    names: Iterable[str] = (),
    *,
    tables: Sequence[Path] = (),
    feature_sets: Iterable[str] = (),
) -> None:
    """Make sure that corpora, tables of labels and weights are there.

    Raises:
        CorpusError: if a corpus, a table or a clip is missing
        UnknownFeatureSetError: if there is no such feature set
        DependencyError: if the weights of a feature set were not fetched
    """
    from ser_batch.corpora.sources import read_clips
    from ser_batch.features.sets import get_feature_set

    for name in feature_sets:
        get_feature_set(name).require()
    read_clips(corpora, names, tables)


def given_corpora(folder: Path | None, names: Iterable[str] = ()) -> Path:
    """The folder of corpora, with the named ones in it.

    Raises:
        CorpusError: if it, or a corpus, is missing
    """
    from ser_batch.corpora.sources import NoCorporaError
    from ser_batch.errors import CorpusError

    wanted = list(names)
    if folder is None:
        raise NoCorporaError(wanted or ["the corpora"])
    if not folder.is_dir():
        raise CorpusError(f"there is no folder {folder}")
    check_inputs(folder, wanted)
    return folder
