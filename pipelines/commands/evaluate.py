"""Command `evaluate`: how well emotions of unseen speakers are recognised."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.decision_tables import show_decisions
from pipelines.inputs import (
    DEFAULT_CORPUS,
    AugmentationsOption,
    BandName,
    BandOption,
    CorporaOption,
    DimensionsOption,
    FeaturesOption,
    LabelsOption,
    Objective,
    ObjectiveOption,
    check_inputs,
    training_setup,
)
from pipelines.options import JsonOption, print_json
from pipelines.terminal import progress_bar, show_lines, show_table

if TYPE_CHECKING:
    from ser_batch.training.setup import TrainingSetup


LEAKS = {"random_by_clip": "split by clip: the leak", "sex_and_emotion": "sex × emotion"}
"""Figures that flatter, as the table names them."""


def evaluate(
    protocol: Annotated[
        str | None,
        typer.Option(
            help="CORPUS-loso, CORPUS-folds-of-N (N speakers at a time), cross:CORPUS->CORPUS, "
            "loco or matrix; + joins; a table of labels is named by its file, without .csv. loco "
            "leaves out each corpus of the folder and each table in turn, or each of "
            "loco:CORPUS+CORPUS; matrix trains on each of them and tests on each other. Without a "
            "protocol, one speaker of the labels, else of emodb, is left out in turn."
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
    dimensions: DimensionsOption = False,
    comparisons: Annotated[
        bool,
        typer.Option(help="Also per-speaker normalisation, and a split by clip, which overstates."),
    ] = True,
    pictures: Annotated[
        Path | None,
        typer.Option(help="Folder for pictures: confusion, reliability, risk over coverage."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how well emotions of unseen speakers are recognised.

    The model is trained as by `ser-batch train`; speakers on both sides of a split are refused.

    Examples:

      ser-batch evaluate --protocol emodb-loso --corpora DIR

      ser-batch evaluate --protocol "cross:emodb->ravdess" --corpora DIR --json

      ser-batch evaluate --labels own.csv --protocol "cross:emodb->own" --corpora DIR

      ser-batch evaluate --protocol loco --corpora DIR --labels calls.csv --decisions

      ser-batch evaluate --protocol matrix:emodb+ravdess --corpora DIR --pictures FOLDER

      ser-batch evaluate --protocol cremad-folds-of-15 --corpora DIR --dimensions --no-comparisons
    """
    from ser_batch.corpora.sources import read_clips
    from ser_batch.training.protocols import parse_protocol, run_protocol

    setup = training_setup(band, features, augmentations, optimise_for)
    tables = labels or []
    check_inputs(corpora, feature_sets=[setup.features])
    if protocol and protocol.partition(":")[0] in ("loco", "matrix"):
        if dimensions:
            raise typer.BadParameter("not with loco or matrix", param_hint="--dimensions")
        result = _of_several(protocol, corpora, tables, setup)
        _save_pictures(result, pictures)
        if as_json:
            print_json(result)
        elif "cells" in result:
            _show_matrix(result)
        else:
            show_decisions(result["decisions"], confusion=decisions)
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
            dimensions=dimensions,
        )
    _save_pictures(result, pictures)
    if as_json:
        print_json(result)
    else:
        _show_evaluation(result)
        if decisions:
            show_decisions(result["decisions"], confusion=True)


def _of_several(
    protocol: str, corpora: Path | None, labels: list[Path], setup: TrainingSetup
) -> dict[str, Any]:
    """`loco` or `matrix` of the corpora named, or all in the folder, and each labels table."""
    from ser_batch.corpora import CORPORA, installed
    from ser_batch.corpora.sources import read_clips
    from ser_batch.training.loco import run_loco
    from ser_batch.training.matrix import run_matrix

    kind, _, names = protocol.partition(":")
    named = [name for name in names.split("+") if name]
    clips = read_clips(corpora, named, labels)
    if not named and corpora is not None:
        clips |= installed(corpora, CORPORA)
    with progress_bar() as on_progress:
        run = run_loco if kind == "loco" else run_matrix
        return run(clips, setup, on_progress=on_progress)


def _save_pictures(result: dict[str, Any], folder: Path | None) -> None:
    if folder is not None:
        from ser_batch.report.evaluation import save_pictures

        save_pictures(result, folder)


def _show_matrix(result: dict[str, Any]) -> None:
    """A row a training corpus, a column a tested one."""
    from ser_batch.report.evaluation import matrix_cell

    cells = {(cell["trained_on"], cell["tested_on"]): cell for cell in result["cells"]}
    names = sorted({name for name, _ in cells})
    show_table(
        ("trained on", *(f"tested on {name}" for name in names)),
        [(name, *(matrix_cell(cells[name, other]) for other in names)) for name in names],
        title=f"UAR of {', '.join(result['emotions'])}, {result['band']}",
    )
    show_lines("On itself: the corpus's own speakers, unseen by the model. In brackets 95 %.")


def _show_evaluation(result: dict[str, Any]) -> None:
    interval = f"{result['uar_low']:.3f} to {result['uar_high']:.3f}"
    rows = [("unseen speakers", f"{result['uar']:.3f}", interval, f"{result['wa']:.3f}")]
    if result["uar_normalised"] is not None:
        rows.append(("with per-speaker normalisation", f"{result['uar_normalised']:.3f}", "", ""))
    for name, figures in result["leaks"].items():
        if figures is None:
            rows.append((f"{LEAKS[name]} (not measured: an emotion has one clip)", "", "", ""))
        else:
            rows.append((LEAKS[name], f"{figures['uar']:.3f}", "", f"{figures['wa']:.3f}"))
    title = f"{result['protocol']}, {result['band']}"
    show_table(("", "UAR", "95 %", "accuracy"), rows, title=title)
    show_table(
        ("emotion", "clips", "recall", "precision", *result["classes"]),
        (
            (
                name,
                str(score["n_clips"]),
                f"{score['recall']:.2f}",
                f"{score['precision']:.2f}",
                *map(str, counts),
            )
            for (name, score), counts in zip(
                result["per_class"].items(), result["confusion"], strict=True
            )
        ),
    )
    for name, found in (result["dimensions"] or {}).items():
        show_lines(
            f"{name}: CCC {found['ccc']:.3f} ({found['ccc_low']:.3f} to {found['ccc_high']:.3f})"
        )
    labelled = [name for name, one in result["decisions"].items() if one["encoder_labelled"]]
    if labelled:
        show_lines(
            f"The features' encoder was trained on labels of {', '.join(labelled)}: figures of "
            "these clips are too high."
        )
    proof = result["proof"]
    show_lines(
        f"ECE {result['ece']:.3f}; AUC of anger {_auc(result['auc_anger'])}, of anything "
        f"negative {_auc(result['auc_negative'])}. {proof['n_speakers']} speakers in "
        f"{proof['n_folds']} folds: no speaker, recording or copy on both sides."
    )


def _auc(value: float | None) -> str:
    return "not measured (all clips are of it, or none)" if value is None else f"{value:.3f}"
