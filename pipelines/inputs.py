"""Options of training, and the clips and weights that it needs, checked before it computes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ser_batch.training.setup import TrainingSetup

CorporaOption = Annotated[
    Path | None,
    typer.Option(
        "--corpora", help="Folder of corpora, one subfolder each.", envvar="SER_CORPUS_DIR"
    ),
]
LabelsOption = Annotated[
    list[Path] | None,
    typer.Option(help="CSV of your own clips: path, speaker, emotion; may be repeated."),
]


DEFAULT_CORPUS = "emodb"


class BandName(StrEnum):
    """What clips are sent through."""

    telephone = "telephone"
    wide = "wide"


class Objective(StrEnum):
    """What a model is trained to be best at."""

    cross_domain = "cross-domain"
    in_domain = "in-domain"


BandOption = Annotated[
    BandName, typer.Option(help="Bandwidth and coding that is applied to the clips.")
]
FeaturesOption = Annotated[
    str | None,
    typer.Option(help="Feature set, such as descriptors_v1; without it, the default of the band."),
]
ObjectiveOption = Annotated[
    Objective,
    typer.Option(
        help="cross-domain: calls and other corpora; in-domain: speakers of the same corpora."
    ),
]
DimensionsOption = Annotated[
    bool,
    typer.Option(
        "--dimensions",
        help="Also arousal and valence, 1 to 5: columns of --labels, or derived from votes.",
    ),
]
AugmentationsOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=20,
        help="Augmented copies of each training clip; without it, the default of the features.",
    ),
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


def training_setup(
    band: BandName, features: str | None, augmentations: int | None, optimise_for: Objective
) -> TrainingSetup:
    """How clips are described and trained on, as the options say."""
    from ser_batch.training.setup import TrainingSetup

    return TrainingSetup.choose(
        band.value, features, copies=augmentations, optimise_for=optimise_for.value
    )
