"""Retraining: labels → train → compare → register, as a Prefect flow.

A table of contents: what happens in each step stands in `ser_batch.stages`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pipelines.engine import engine_of, load_bundle, open_engine
from pipelines.logs import log_stage
from ser_batch.clock import utc_now
from ser_batch.config import Settings
from ser_batch.errors import ModelError
from ser_batch.labels.gather import labelled_shards, usable_labels
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.choose import load_model
from ser_batch.settings_file import find_settings_file, load_settings
from ser_batch.stages.analyse import analyse, is_stale
from ser_batch.store.caches import use_root
from ser_batch.store.encrypt import open_keys
from ser_batch.store.lake import Lake, Part
from ser_batch.store.local_files import local_path
from ser_batch.store.lock import only_run, refresh
from ser_batch.store.paths import Root, find_root
from ser_batch.store.permissions import private_files
from ser_batch.training.challenger import N_FOLDS, make_challenger
from ser_batch.training.enough import TrainingInput, gather_enough, listed_clips
from ser_batch.training.gate import ModelComparison
from ser_batch.training.retrain import compare, register_and_promote
from ser_batch.training.words import fit_words


@dataclass(frozen=True)
class RetrainContext:
    """What every task of a retraining receives: small values that can be pickled."""

    root: Root
    settings: Settings

    @property
    def lake(self) -> Lake:
        """The lake, opened where the task runs."""
        return Lake(self.root.lake)


@dataclass(frozen=True)
class Trained:
    """A challenger, and how it compares with the champion.

    Attributes:
        folder: of the challenger's bundle
        model_id: of the challenger
        comparison: None where no label measures
        figures: what the summary says of labels and training
    """

    folder: Path
    model_id: str
    comparison: ModelComparison | None
    figures: dict[str, Any]


@flow(name="retrain", persist_result=False)
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
    with open_retraining(Path(root), settings_file, quiet=quiet) as context:
        with log_stage("refresh"):
            labels = usable_labels(context.lake, context.settings)
            for shard in labelled_shards(context.lake, labels):
                refresh_features(context, shard)
        with log_stage("train"):
            trained = train_challenger(context)
        with log_stage("promote"):
            done = promote_if_better(context, trained, may_promote=promote)
        if context.settings.policy.transcripts:
            with log_stage("words"):
                done["words"] = fit_words_of_champion(context)
        return done


@task(cache_policy=NO_CACHE, task_run_name="refresh {shard.date} {shard.name}")
def refresh_features(context: RetrainContext, shard: Part) -> None:
    """Describe a shard again where the settings or the feature set changed since the last night."""
    lake, settings = context.lake, context.settings
    if is_stale(lake, shard, settings):
        workers = engine_of(context.root, settings).workers
        analyse(lake, shard, settings, workers, now=utc_now(), on_calls=lambda _: None)


@task(cache_policy=NO_CACHE, task_run_name="train")
def train_challenger(context: RetrainContext) -> Trained:
    """Gather labels, train and evaluate on held-out callers, compare with the champion."""
    found = gather_enough(context.lake, context.settings)
    display = engine_of(context.root, context.settings).display
    display.bar("train", N_FOLDS + 1, "models")
    challenger = make_challenger(
        context.root,
        found.settings,
        found.material,
        found.clips,
        on_model=lambda: display.advance("train"),
    )
    champion = load_model(context.root, context.settings)
    comparison = compare(context.root, found.settings, found.material, champion, challenger)
    return Trained(challenger.folder, challenger.model_id, comparison, _figures(found, challenger))


@task(cache_policy=NO_CACHE, task_run_name="promote")
def promote_if_better(
    context: RetrainContext, trained: Trained, *, may_promote: bool
) -> dict[str, Any]:
    """Register the challenger, promote it if it is better, and say what the run did."""
    champion = load_model(context.root, context.settings)
    challenger = load_bundle(trained.folder, trained.model_id)
    promoted, reasons = register_and_promote(
        context.root,
        context.settings,
        champion,
        challenger,
        trained.comparison,
        may_promote=may_promote,
    )
    comparison = trained.comparison
    return {
        "model_id": trained.model_id,
        "champion": trained.model_id if promoted else champion.model_id,
        "promoted": promoted,
        "reasons": list(reasons),
        **trained.figures,
        "comparison": None if comparison is None else comparison.as_dict(),
        "folder": str(trained.folder),
    }


@task(cache_policy=NO_CACHE, task_run_name="words")
def fit_words_of_champion(context: RetrainContext) -> dict[str, Any]:
    """Fit the model of words to the labels, and fuse it with the model that is now in use."""
    champion = load_model(context.root, context.settings)
    try:
        return asdict(fit_words(context.root, context.settings, champion))
    except ModelError as error:
        return {"reason": str(error)}


@contextmanager
def open_retraining(
    root: Path, settings_file: str | None, *, quiet: bool
) -> Iterator[RetrainContext]:
    """Hold the root and open this process's engine.

    Raises:
        LockedError: if another run holds the root
        SettingsError: if a setting is wrong
    """
    place = find_root(local_path(root), must_exist=True)
    refresh(place, must_exist=True)
    use_root(place)
    file = Path(settings_file) if settings_file else find_settings_file(place.path)
    settings = load_settings(file)
    open_keys(place, settings.encryption)
    listed_clips(settings.retrain)  # a corpus that is missing stops the run before the analysis
    with (
        private_files(place, settings.store.group),
        only_run(place),
        open_engine(settings, quiet=quiet),
    ):
        load_model(place, settings)  # so does a model that is not sound
        yield RetrainContext(place, settings)


def _figures(found: TrainingInput, challenger: Bundle) -> dict[str, Any]:
    """What the labels were, and how the challenger does on held-out callers."""
    material, segments = found.material, found.material.segments
    return {
        "n_labels": len(segments.emotions),
        "n_callers": len(set(segments.speakers)),
        "labels": material.counts,
        "n_measured": len(material.measured_by.shares),
        "not_used": material.not_used,
        "too_few_labels": list(found.too_few.values()),
        "uar_in_training": challenger.evaluation["uar"],
    }
