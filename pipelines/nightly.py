"""The night: ingest → analyse → score → publish → report, as a Prefect flow.

A table of contents: what happens in each step stands in `ser_batch.stages`. One task a shard of
calls, processes inside it; a passing fault is tried again a shard at a time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import State, Task, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import wait
from prefect.task_runners import ThreadPoolTaskRunner

from pipelines.engine import engine_of, load_bundle
from pipelines.flow_run import (
    final_state,
    is_transient,
    name_by_dates,
    permanent_errors_end_it,
    publish_summary,
)
from pipelines.night import Night, NightContext, open_night
from ser_batch.config import Settings
from ser_batch.monitoring.run_record import check_bad_share
from ser_batch.scoring.choose import model_folder
from ser_batch.stages.analyse import AnalyseResult, analyse, is_stale
from ser_batch.stages.drift import DriftResult, find_drift
from ser_batch.stages.ingest import IngestResult, ingest
from ser_batch.stages.publish import PublishResult, publish
from ser_batch.stages.report import LATEST, is_current, write_report
from ser_batch.stages.rescore import shadow_models
from ser_batch.stages.score import ScoreResult, is_unscored, score
from ser_batch.store.lake import Part

SHARDS_AT_ONCE = 2
"""While the last calls of one shard are worked on, the next one fills the other processes."""


@flow(
    name="nightly",
    persist_result=False,  # Prefect would pickle it
    task_runner=ThreadPoolTaskRunner(max_workers=SHARDS_AT_ONCE),  # type: ignore[arg-type]
)
def nightly(
    audio: list[str] | None = None,
    metadata: list[str] | None = None,
    root: str = "data",
    settings_file: str | None = None,
    quiet: bool = False,
) -> State[dict[str, Any]] | dict[str, Any]:
    """Take in folders of recordings and publish what they say of customers' dissatisfaction.

    Args:
        audio: folders of recordings; else those of the setting ingest.audio
        metadata: metadata files
        root: folder under which lake, warehouse, reports and models lie
        settings_file: TOML; else `ser-batch.toml` in the root or the current folder
        quiet: no progress bars

    Returns:
        what was done, as `ser-batch nightly --json` prints it
    """
    files = [Path(file) for file in metadata or []]
    with (
        permanent_errors_end_it(),
        open_night(audio or [], files, Path(root), settings_file, quiet=quiet) as night,
    ):
        with night.stage("ingest"):
            found = ingest_files(night.context, night.audio, night.metadata)
            night.add_ingested(found)
        with night.stage("analyse"):
            analyse_shards(night, found.shards)
        with night.stage("score"):
            score_shards(night, found.shards)
        with night.stage("drift"):
            night.drift = compare_days(night.context)
        check_bad_share(night.lake, night.settings.ingest)
        with night.stage("publish"):
            night.count_outcome()
            published = publish_warehouse(night.context)
        with night.stage("report"):
            report = report_page(night.context, published)
        summary = night.close(published, report)
        publish_summary(summary)
        return final_state(summary)


def analyse_shards(night: Night, shards: tuple[Part, ...]) -> None:
    """Analyse every shard that is not up to date."""
    stale = [shard for shard in shards if is_stale(night.lake, shard, night.settings)]
    name_by_dates({shard.date for shard in stale if shard.date})
    night.engine.display.bar("analyse", night.count_calls(stale), "calls")
    step = _with_retries(analyse_shard, night.settings)
    futures = [step.submit(night.context, shard) for shard in stale]
    wait(futures)
    for future in futures:
        night.add_analysed(future.result())


def score_shards(night: Night, shards: tuple[Part, ...]) -> None:
    """Score every shard whose predictions are not up to date, by the champion and its shadows."""
    counts = night.record.counts
    champion = model_folder(night.root, night.settings)
    counts["segments_scored"] += score_by(night, shards, champion, night.model_id)
    shadows, left_out = shadow_models(night.root, night.settings)
    counts["shadows_left_out"] += len(left_out)
    for shadow in shadows:
        n_segments = score_by(night, shards, shadow.folder, shadow.model_id)
        counts["segments_scored_in_shadow"] += n_segments


def score_by(night: Night, shards: tuple[Part, ...], folder: Path, model_id: str) -> int:
    """Score the shards that a model has not scored yet; how many segments."""
    behind = [part for part in shards if is_unscored(night.lake, part, model_id, night.settings)]
    night.engine.display.bar("score", len(behind), "shards")
    step = _with_retries(score_shard, night.settings)
    futures = [step.submit(night.context, shard, folder, model_id) for shard in behind]
    wait(futures)
    return sum(future.result().n_scored for future in futures)


@task(cache_policy=NO_CACHE, task_run_name="ingest")
def ingest_files(context: NightContext, audio: list[Path], metadata: list[Path]) -> IngestResult:
    """Find new recordings, join metadata, cut shards."""
    engine = engine_of(context.settings)
    with engine.busy.working():
        return ingest(
            context.lake,
            audio,
            metadata,
            context.settings,
            now=context.started_at,
            on_progress=lambda done, total: engine.display.reach("ingest", done, total),
        )


@task(cache_policy=NO_CACHE, task_run_name="analyse {shard.date} {shard.name}")
def analyse_shard(context: NightContext, shard: Part) -> AnalyseResult:
    """Decode, find speech, cut segments, describe them: one shard."""
    engine = engine_of(context.settings)
    with engine.busy.working():
        return analyse(
            context.lake,
            shard,
            context.settings,
            engine.workers,
            now=context.started_at,
            on_calls=lambda count: engine.display.advance("analyse", count),
        )


@task(cache_policy=NO_CACHE, task_run_name="score {shard.date} {shard.name} by {model_id}")
def score_shard(context: NightContext, shard: Part, folder: Path, model_id: str) -> ScoreResult:
    """Predict one shard's segments with a model."""
    engine = engine_of(context.settings)
    with engine.busy.working():
        result = score(context.lake, shard, load_bundle(folder, model_id), context.settings)
    engine.display.advance("score")
    return result


@task(cache_policy=NO_CACHE, task_run_name="drift")
def compare_days(context: NightContext) -> DriftResult:
    """Whether the newest calls are like those before, and like the model's training data."""
    with engine_of(context.settings).busy.working():
        folder = model_folder(context.root, context.settings)
        return find_drift(context.lake, context.model_id, folder, context.settings)


@task(cache_policy=NO_CACHE, task_run_name="publish")
def publish_warehouse(context: NightContext) -> PublishResult:
    """Build the warehouse beside the published file, test it, swap it in."""
    with engine_of(context.settings).busy.working():
        return publish(context.root, context.settings, context.model_id, run_id=context.run_id)


@task(cache_policy=NO_CACHE, task_run_name="report")
def report_page(context: NightContext, published: PublishResult) -> Path:
    """Write the report, unless the last one still says what the warehouse says."""
    if not published.built and is_current(context.root, context.settings):
        return context.root.reports / LATEST
    with engine_of(context.settings).busy.working():
        return write_report(
            context.root, context.settings, context.run_id, published=published.path
        )


def _with_retries(step: Task[Any, Any], settings: Settings) -> Task[Any, Any]:
    return step.with_options(
        retries=settings.run.retries,
        retry_delay_seconds=settings.run.retry_delay_s,
        retry_condition_fn=is_transient,
    )
