"""The table: each row's figures in each column, kept in a cache, so that a killed run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ser_batch.config import Settings, digest, nearest
from ser_batch.corpora import installed
from ser_batch.corpora.base import Clip
from ser_batch.errors import CorpusError
from ser_batch.lab.bench.analysed_calls import code_digest
from ser_batch.lab.bench.models.columns import COLUMNS, LARGEST, Column, Trial
from ser_batch.lab.bench.models.material import Material
from ser_batch.lab.bench.models.row import Row, Tested
from ser_batch.lab.bench.models.rows import ROWS, known_to
from ser_batch.lab.bench.models.speed import hourly
from ser_batch.store.atomic import write_text_atomic
from ser_batch.training.evaluation import evaluate
from ser_batch.training.splits import Fold

CODE = ("lab/bench/models/speed.py",)
Figures = dict[str, Any]
NOT_COMPUTED = "not computed yet"


@dataclass(frozen=True)
class Table:
    """What is computed, and where it is kept.

    Attributes:
        material: clips and their features
        cells: folder of what was computed before
        calls: recordings by which the speed is measured
        computes: whether what is not there is computed
        columns: names of those that are computed; empty: all
        most_folds: of a column that are computed; None: all
    """

    material: Material
    cells: Path
    calls: Sequence[Path]
    computes: bool = True
    columns: tuple[str, ...] = ()
    most_folds: int | None = None

    def kept(
        self, path: Path, compute: Callable[[], Figures], *, computes: bool = True
    ) -> Figures | None:
        """What a file holds; it is computed and written first where it is not there."""
        if path.exists():
            found: Figures = json.loads(path.read_text(encoding="utf-8"))
            return found
        if not (self.computes and computes):
            return None
        found = compute()
        write_text_atomic(path, json.dumps(found))
        return found


def chosen_rows(names: Sequence[str]) -> list[Row]:
    """Rows by their names; without names, all.

    Raises:
        CorpusError: naming the nearest row
    """
    _check_names(names, [row.name for row in ROWS], "row")
    return [row for row in ROWS if not names or row.name in names]


def chosen_columns(names: Sequence[str]) -> tuple[str, ...]:
    """Columns by their names.

    Raises:
        CorpusError: naming the nearest column
    """
    _check_names(names, [column.name for column in COLUMNS], "column")
    return tuple(names)


def _check_names(names: Sequence[str], known: Sequence[str], kind: str) -> None:
    for name in names:
        if name not in known:
            by_case = {each.casefold(): each for each in known}
            near = nearest(by_case.get(name.casefold(), name), known)
            every = f"; there are {', '.join(map(repr, known))}"
            raise CorpusError(f"{name!r} is no {kind}{near or every}")


def run(table: Table, rows: Sequence[Row]) -> dict[str, Any]:
    """Every figure, telephone band.

    Args:
        table: what is computed
        rows: ways to classify

    Returns:
        JSON-able: `columns` (name, says, n_clips, n_speakers, n_classes, is_honest); `rows` (row,
        features, most_clips that it may be trained on, 0: all, core_s_an_hour, training_min,
        n_bytes and `cells`: by column uar, uar_low, uar_high, wa, n_folds of of_folds folds that
        these are of, and known_to, who has seen the corpora before); `not_run`: what is missing,
        and why

    Raises:
        CorpusError: if there is no corpus of any column
    """
    there = set(installed(table.material.corpora, {n for c in COLUMNS for n in c.corpora}))
    columns = {column.name: column for column in COLUMNS if there.issuperset(column.corpora)}
    if not columns:
        raise CorpusError(f"{table.material.corpora} holds no corpus of the table: put EmoDB there")
    not_run = {
        column.name: f"needs {', '.join(sorted({*column.corpora} - there))}"
        for column in COLUMNS
        if column.name not in columns
    }
    trials = {name: column.trial(table.material) for name, column in columns.items()}
    tested_corpora = {
        name: {clip.corpus for clip in _tested_clips(table.material, trial)}
        for name, trial in trials.items()
    }
    found = []
    for row in rows:
        if (why := row.missing()) is not None:
            not_run[row.name] = why
            continue
        with threadpool_limits(1):
            cells = {name: _cell(table, row, name, trial) for name, trial in trials.items()}
            speed = _speed(table, row)
        missing = [name for name, cell in cells.items() if cell is None]
        if len(missing) == len(cells):
            not_run[row.name] = NOT_COMPUTED
            continue
        not_run |= {f"{row.name}: {name}": NOT_COMPUTED for name in missing}
        not_run |= _unfinished(row, cells)
        known = {name: known_to(row, tested) for name, tested in tested_corpora.items()}
        found.append(_as_row(row, known, cells, speed))
    return {
        "band": "telephone",
        "columns": [_as_column(table.material, columns[name], trials[name]) for name in columns],
        "rows": found,
        "not_run": not_run,
    }


def _unfinished(row: Row, cells: Mapping[str, Figures | None]) -> dict[str, str]:
    """Cells of some folds only."""
    return {
        f"{row.name}: {name}": f"{cell['n_folds']} of {cell['of_folds']} folds computed"
        for name, cell in cells.items()
        if cell and cell["n_folds"] < cell["of_folds"]
    }


def _cell(table: Table, row: Row, column: str, trial: Trial) -> Figures | None:
    """Figures of a row in a column, of the folds that are computed; None: of none."""
    clips = table.material.contents(*trial.corpora)
    folds = [[fold.train.tolist(), fold.test.tolist()] for fold in trial.folds]
    path = table.cells / f"{digest([row.key, clips, trial.labels, folds])}.json"
    tested = [] if path.exists() else _tested(table, row, column, trial, path.stem)
    n_folds = len(folds) if path.exists() else len(tested)
    compute = partial(_figures, table.material, trial, tested)
    if not n_folds:
        return None
    found = table.kept(path, compute) if n_folds == len(folds) else None
    for number in range(len(folds) if found else 0):
        _fold_file(table, path.stem, number).unlink(missing_ok=True)
    return {**(found or compute()), "n_folds": n_folds, "of_folds": len(folds)}


def _fold_file(table: Table, stem: str, number: int) -> Path:
    """What is kept of one fold until its column is complete."""
    return table.cells / "folds" / f"{stem}-{number}.json"


def _tested(table: Table, row: Row, column: str, trial: Trial, stem: str) -> list[Tested]:
    """The first folds, as many as are kept or are to be computed."""
    material, found = table.material, []
    is_wanted = not table.columns or column in table.columns
    for number, fold in enumerate(trial.folds):
        path = _fold_file(table, stem, number)
        compute = partial(_fold, row, material, trial, fold)
        computes = is_wanted and number < (table.most_folds or len(trial.folds))
        kept = table.kept(path, compute, computes=computes)
        if kept is None:
            break
        found.append(Tested(**{**kept, "probabilities": np.array(kept["probabilities"])}))
        material.on_progress(f"{row.name}: {column}", number + 1, len(trial.folds))
    return found


def _figures(material: Material, trial: Trial, tested: Sequence[Tested]) -> Figures:
    """Figures of the clips of the first folds, and what the models cost."""
    some = replace(trial, folds=trial.folds[: len(tested)])
    score = evaluate(
        [some.labels[number] for number in some.tested],
        np.concatenate([fold.probabilities for fold in tested]),
        trial.classes,
        [clip.speaker for clip in _tested_clips(material, some)],
    )
    names = ("n_clips", "n_speakers", "uar", "uar_low", "uar_high", "wa")
    return {**{name: getattr(score, name) for name in names}, **_costs(tested)}


def _fold(row: Row, material: Material, trial: Trial, fold: Fold) -> Figures:
    return row.tested(material, trial, fold).as_dict()


def _tested_clips(material: Material, trial: Trial) -> list[Clip]:
    """In the order of the folds."""
    clips = material.clips(*trial.corpora)
    return [clips[number] for number in trial.tested]


def _costs(folds: Sequence[Tested]) -> Figures:
    return {
        name: float(np.mean([getattr(fold, name) for fold in folds]))
        for name in ("fit_s", "predict_s", "n_bytes")
    }


def _speed(table: Table, row: Row) -> Figures | None:
    """Core seconds and segments of an hour of calls, before anything is predicted."""
    reads = row.reads
    if not table.calls:
        return None
    path = table.cells / f"{digest([reads.digest, _sizes(table.calls), code_digest(CODE)])}.json"
    return table.kept(path, partial(hourly, reads, table.calls, Settings()))


def _sizes(calls: Sequence[Path]) -> list[tuple[str, int]]:
    return [(path.name, path.stat().st_size) for path in calls]


def _as_row(
    row: Row,
    known: dict[str, list[str]],
    cells: dict[str, Figures | None],
    speed: Figures | None,
) -> dict[str, Any]:
    """Figures by column, and the costs by the models of the largest corpus."""
    cost, any_cell = cells.get(LARGEST), next(cell for cell in cells.values() if cell)
    hourly_s = None
    if speed:
        hourly_s = speed["core_s"] + speed["n_segments"] * (cost or any_cell)["predict_s"]
    names = ("uar", "uar_low", "uar_high", "wa", "n_folds", "of_folds")
    return {
        "row": row.name,
        "features": row.reads.name,
        "most_clips": row.most_clips,
        "core_s_an_hour": hourly_s,
        "training_min": cost and cost["fit_s"] / 60,
        "n_bytes": cost and round(cost["n_bytes"]),
        "cells": {
            name: cell and {**{figure: cell[figure] for figure in names}, "known_to": known[name]}
            for name, cell in cells.items()
        },
    }


def _as_column(material: Material, column: Column, trial: Trial) -> dict[str, Any]:
    clips = _tested_clips(material, trial)
    return {
        "name": column.name,
        "says": column.says,
        "n_clips": len(clips),
        "n_speakers": len({clip.speaker for clip in clips}),
        "n_classes": len({trial.labels[number] for number in trial.tested}),
        "is_honest": trial.is_honest,
    }
