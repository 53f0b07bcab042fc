"""Retraining: labels → train → compare → register, as a Prefect flow.

A table of contents: what happens in each step stands in `ser_batch.stages`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pipelines.display import Display
from ser_batch.analysis.describe import CallJob, CallOutcome, describe_calls, worker_crash_outcome
from ser_batch.analysis.workers import Workers
from ser_batch.clock import utc_now
from ser_batch.config import Settings
from ser_batch.labels.gather import labelled_shards, usable_labels
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.choose import load_model
from ser_batch.settings_file import find_settings_file, load_settings
from ser_batch.stages.analyse import analyse, is_stale
from ser_batch.store.lake import Lake, Part
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root, find_root
from ser_batch.training.enough import TrainingInput, gather_enough, listed_clips
from ser_batch.training.gate import ModelComparison
from ser_batch.training.retrain import N_FOLDS, compare, make_challenger, register_and_promote


class Retraining:
    """One run: not a dataclass, so that Prefect hands it on as it is."""

    def __init__(self, root: Root, settings: Settings, display: Display) -> None:
        self.root = root
        self.settings = settings
        self.display = display
        self.lake = Lake(root.lake)
        self.champion: Bundle = load_model(root, settings)
        self.workers: Workers[CallJob, CallOutcome] = Workers(
            describe_calls, worker_crash_outcome, settings.run.workers
        )


@flow(name="retrain")
def retrain(
    root: str = "data",
    settings_file: str | None = None,
    promote: bool = True,
    quiet: bool = False,
) -> dict[str, Any]:
    """Train a challenger on the labels, and let it take over if it is better.

    Args:
        root: folder under which lake, warehouse, reports and models lie
        settings_file: TOML; else `ser-batch.toml` in the root or the current folder
        promote: let it take over if it is better
        quiet: no progress bars

    Returns:
        what was done, as `ser-batch retrain --json` prints it
    """
    with open_retraining(Path(root), settings_file, quiet=quiet) as work:
        for shard in labelled_shards(work.lake, usable_labels(work.lake, work.settings)):
            refresh_features(work, shard)
        found = gather_labels(work)
        challenger = train_challenger(work, found)
        result = compare_models(work, found, challenger)
        promoted, reasons = register_and_promote(
            work.root, work.settings, work.champion, challenger, result, may_promote=promote
        )
        return summary(work, found, challenger, result, promoted=promoted, reasons=reasons)


@task(cache_policy=NO_CACHE, task_run_name="refresh-{shard.name}")
def refresh_features(work: Retraining, shard: Part) -> None:
    """Describe a shard again where the settings or the feature set changed since the last night."""
    if is_stale(work.lake, shard, work.settings):
        analyse(
            work.lake, shard, work.settings, work.workers, now=utc_now(), on_calls=lambda _: None
        )


@task(cache_policy=NO_CACHE)
def gather_labels(work: Retraining) -> TrainingInput:
    """Labels and corpora; stops where they are too few."""
    return gather_enough(work.lake, work.settings)


@task(cache_policy=NO_CACHE)
def train_challenger(work: Retraining, found: TrainingInput) -> Bundle:
    """Tune, calibrate, evaluate on held-out callers, write the bundle."""
    work.display.bar("train", N_FOLDS + 1, "models")
    return make_challenger(
        work.root,
        found.settings,
        found.material,
        found.clips,
        on_model=lambda: work.display.advance("train"),
    )


@task(cache_policy=NO_CACHE)
def compare_models(
    work: Retraining, found: TrainingInput, challenger: Bundle
) -> ModelComparison | None:
    """Champion and challenger on the same segments of callers that neither learned from."""
    return compare(work.lake, found.settings, found.material, work.champion, challenger)


@contextmanager
def open_retraining(root: Path, settings_file: str | None, *, quiet: bool) -> Iterator[Retraining]:
    """Hold the root and start the processes.

    Raises:
        LockedError: if another run holds the root
        SettingsError: if a setting is wrong
    """
    place = find_root(root, must_exist=True)
    file = Path(settings_file) if settings_file else find_settings_file(place.path)
    settings = load_settings(file)
    listed_clips(settings.retrain)  # a corpus that is missing stops the run before the analysis
    with only_run(place), Display(quiet=quiet) as display:
        work = Retraining(place, settings, display)
        with work.workers:
            yield work


def summary(
    work: Retraining,
    found: TrainingInput,
    challenger: Bundle,
    result: ModelComparison | None,
    *,
    promoted: bool,
    reasons: tuple[str, ...],
) -> dict[str, Any]:
    """What the run did."""
    material, segments = found.material, found.material.segments
    return {
        "model_id": challenger.model_id,
        "champion": challenger.model_id if promoted else work.champion.model_id,
        "promoted": promoted,
        "reasons": list(reasons),
        "n_labels": len(segments.emotions),
        "n_callers": len(set(segments.speakers)),
        "labels": material.counts,
        "n_measured": len(material.measured_by.truth),
        "not_used": material.not_used,
        "too_few_labels": list(found.too_few.values()),
        "uar_in_training": challenger.evaluation["uar"],
        "contest": None if result is None else result.as_dict(),
        "folder": str(challenger.folder),
    }
