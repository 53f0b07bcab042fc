"""Commands of the model room: train, evaluate, models, corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.decision_tables import show_decisions
from pipelines.inputs import CorporaOption, LabelsOption, check_inputs
from pipelines.options import (
    DEFAULT_ROOT,
    JsonOption,
    RootOption,
    open_root,
    print_json,
)

if TYPE_CHECKING:
    from ser_batch.training.setup import TrainingSetup

DEFAULT_CORPUS = "emodb"

models_app = typer.Typer(no_args_is_help=True, help="Model bundles.")
corpus_app = typer.Typer(no_args_is_help=True, help="Labelled corpora.")


class BandName(StrEnum):
    """What clips are sent through."""

    telephone = "telephone"
    wide = "wide"


class Objective(StrEnum):
    """What a model is trained to be best at."""

    cross_domain = "cross-domain"
    in_domain = "in-domain"


BandOption = Annotated[BandName, typer.Option(help="What the clips are sent through.")]
FeaturesOption = Annotated[
    str | None,
    typer.Option(help="Feature set, whisper_base_l2_l3_int8 say; without it, descriptors."),
]
ObjectiveOption = Annotated[
    Objective,
    typer.Option(help="calls: on other lines and corpora; clips: on speakers of the same corpora."),
]
AugmentationsOption = Annotated[
    int | None,
    typer.Option(
        min=0, max=20, help="Augmented copies of each training clip; without it, what pays."
    ),
]


def train(  # noqa: PLR0917
    corpora: CorporaOption = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(help="Corpus to train on; may be repeated. Without it and --labels, emodb."),
    ] = None,
    labels: LabelsOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the bundle; its name is the model's.")
    ] = None,
    root: RootOption = DEFAULT_ROOT,
    band: BandOption = BandName.telephone,
    features: FeaturesOption = None,
    augmentations: AugmentationsOption = None,
    optimise_for: ObjectiveOption = Objective.cross_domain,
    as_json: JsonOption = False,
) -> None:
    """Train a model on labelled corpora and write it as a bundle with its card.

    Its figures are measured on speakers that it was not trained on. The bundled model is made by
    `ser-batch train --corpora DIR --corpus cremad --corpus emodb --out MODEL`.
    """
    from ser_batch.corpora import CORPORA, installed
    from ser_batch.corpora.sources import read_clips
    from ser_batch.training.build import build_bundle

    setup = _setup(band, features, augmentations, optimise_for)
    tables = labels or []
    names = corpus or ([] if tables else [DEFAULT_CORPUS])
    by_name = read_clips(corpora, names, tables)
    check_inputs(corpora, feature_sets=[setup.features])
    clips = [clip for some in by_name.values() for clip in some]
    trained_on = {clip.corpus for clip in clips}
    others = installed(corpora, CORPORA.keys() - trained_on) if corpora else {}
    stems = [*names, *(table.stem for table in tables)]
    folder = out or open_root(root).models / f"{'-'.join(stems)}-{band.value}"
    with progress_bar() as on_progress:
        bundle = build_bundle(clips, folder, setup, others=others, on_progress=on_progress)
    _show(bundle.folder, as_json=as_json)


def evaluate(  # noqa: PLR0917
    protocol: Annotated[
        str | None,
        typer.Option(
            help="CORPUS-loso, CORPUS-folds-of-N, cross:CORPUS->CORPUS or loco; + joins; a table "
            "of labels is named by its file, without .csv. loco leaves out each corpus of the "
            "folder and each table in turn, or each of loco:CORPUS+CORPUS. Without a protocol, "
            "one speaker of the labels, else of emodb, is left out in turn."
        ),
    ] = None,
    corpora: CorporaOption = None,
    labels: LabelsOption = None,
    band: BandOption = BandName.telephone,
    features: FeaturesOption = None,
    augmentations: AugmentationsOption = None,
    optimise_for: ObjectiveOption = Objective.cross_domain,
    decisions: Annotated[
        bool,
        typer.Option(
            "--decisions", help="Also what production decides: argmax, abstention, confusion."
        ),
    ] = False,
    unseen_sentences: Annotated[
        bool,
        typer.Option("--unseen-sentences", help="Hold out texts too, where a corpus names them."),
    ] = False,
    comparisons: Annotated[
        bool, typer.Option(help="Also per-speaker normalisation and the figures that flatter.")
    ] = True,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder for the confusion and reliability pictures.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """How well emotions of unseen speakers are recognised, with the check that they are unseen.

    The model is trained as `ser-batch train` does by default.

    Examples:

      ser-batch evaluate --protocol emodb-loso --corpora DIR

      ser-batch evaluate --protocol "cross:emodb->ravdess" --corpora DIR --json

      ser-batch evaluate --labels own.csv --protocol "cross:emodb->own" --corpora DIR

      ser-batch evaluate --protocol loco --corpora DIR --labels calls.csv --decisions
    """
    from ser_batch.corpora.sources import read_clips
    from ser_batch.training.protocols import parse_protocol, run_protocol

    setup = _setup(band, features, augmentations, optimise_for)
    tables = labels or []
    check_inputs(corpora, feature_sets=[setup.features])
    if protocol and protocol.partition(":")[0] == "loco":
        result = _loco(protocol, corpora, tables, setup)
        print_json(result) if as_json else show_decisions(result["decisions"], confusion=decisions)
        return
    stems = "+".join(table.stem for table in tables)
    asked = parse_protocol(protocol or f"{stems or DEFAULT_CORPUS}-loso")
    clips = read_clips(corpora, [*asked.train, *asked.test], tables)
    with progress_bar() as on_progress:
        result = run_protocol(
            asked,
            clips,
            setup,
            comparisons=comparisons,
            on_progress=on_progress,
            decisions=decisions,
            unseen_sentences=unseen_sentences,
        )
    if pictures is not None:
        from ser_batch.report.evaluation import save_pictures

        save_pictures(result, pictures)
    if as_json:
        print_json(result)
    else:
        _show_evaluation(result)
        if decisions:
            show_decisions(result["decisions"], confusion=True)


@models_app.command("show")
def show(
    folder: Annotated[
        Path | None, typer.Argument(help="Bundle; without it, the one that comes along.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What a model was made from, what it is good for, and how good it is."""
    from ser_batch.scoring.bundle import default_bundle_path

    _show(folder or default_bundle_path(), as_json=as_json)


@corpus_app.command("import")
def import_corpus(
    kind: Annotated[
        str, typer.Argument(help="cremad, emodb, iemocap, nemo, ravdess, savee, tess or urdu.")
    ],
    folder: Annotated[Path, typer.Argument(help="Folder of the corpus.")],
    out: Annotated[Path | None, typer.Option(help="CSV file; without it, the terminal.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Labels of a corpus, read from its own file names."""
    from ser_batch.corpora import get_corpus
    from ser_batch.corpora.labels import labels_csv, summary

    clips = get_corpus(kind).read(folder)
    text = labels_csv(clips, folder)
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if as_json:
        print_json(summary(clips))
    elif out is None:
        typer.echo(text, nl=False)
    else:
        typer.echo(f"{len(clips)} clips → {out}")


def _loco(
    protocol: str, corpora: Path | None, labels: list[Path], setup: TrainingSetup
) -> dict[str, Any]:
    """Leave out each corpus in turn: those named, or all in the folder, and each labels table."""
    from ser_batch.corpora import CORPORA, installed
    from ser_batch.corpora.sources import read_clips
    from ser_batch.training.loco import run_loco

    named = [name for name in protocol.partition(":")[2].split("+") if name]
    clips = read_clips(corpora, named, labels)
    if not named and corpora is not None:
        clips |= installed(corpora, CORPORA)
    with progress_bar() as on_progress:
        return run_loco(clips, setup, on_progress=on_progress)


def _setup(
    band: BandName, features: str | None, augmentations: int | None, optimise_for: Objective
) -> TrainingSetup:
    from ser_batch.training.setup import TrainingSetup

    return TrainingSetup.choose(
        band.value, features, copies=augmentations, optimise_for=optimise_for.value
    )


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on the error stream, called with what is done, how far, of how much."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def on_progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done)

        yield on_progress


def _show(folder: Path, *, as_json: bool) -> None:
    from ser_batch.scoring.bundle import Bundle

    bundle = Bundle.load(folder)
    if as_json:
        print_json({**_described(bundle), "evaluation": bundle.evaluation})
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    console.print(Markdown((folder / "CARD.md").read_text(encoding="utf-8")))
    console.print(f"\n{bundle.model_id}  {folder}")


def _described(bundle: Any) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "model_id": manifest.model_id,
        "folder": str(bundle.folder),
        "feature_set": manifest.feature_set,
        "n_features": len(manifest.feature_names),
        "classes": list(manifest.classes),
        "band": manifest.band,
        "licence": manifest.licence,
        "training": list(manifest.training),
    }


def _show_evaluation(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("", "UAR", "95 %", "accuracy", title=f"{result['protocol']}, {result['band']}")
    interval = f"{result['uar_low']:.3f} to {result['uar_high']:.3f}"
    table.add_row("unseen speakers", f"{result['uar']:.3f}", interval, f"{result['wa']:.3f}")
    if result["uar_normalised"] is not None:
        table.add_row("with per-speaker normalisation", f"{result['uar_normalised']:.3f}")
    for name, figures in result["leaks"].items():
        label = {"random_by_clip": "split by clip: the leak", "sex_and_emotion": "sex × emotion"}
        table.add_row(label[name], f"{figures['uar']:.3f}", "", f"{figures['wa']:.3f}")
    console.print(table)
    classes = Table("emotion", "clips", "recall", "precision", *result["classes"])
    for row, (name, score) in enumerate(result["per_class"].items()):
        classes.add_row(
            name,
            str(score["n_clips"]),
            f"{score['recall']:.2f}",
            f"{score['precision']:.2f}",
            *map(str, result["confusion"][row]),
        )
    console.print(classes)
    proof = result["proof"]
    console.print(
        f"ECE {result['ece']:.3f}; AUC of anger {result['auc_anger'] or 0:.3f}, of anything "
        f"negative {result['auc_negative'] or 0:.3f}. {proof['n_speakers']} speakers in "
        f"{proof['n_folds']} folds: no speaker, recording or copy on both sides."
    )
