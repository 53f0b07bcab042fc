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

from pipelines.flow_run import (
    final_state,
    is_transient,
    name_by_dates,
    permanent_errors_end_it,
    publish_summary,
)
from pipelines.night import Night, open_night
from ser_batch.monitoring.run_record import check_bad_share
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.choose import load_model, model_folder
from ser_batch.stages.analyse import AnalyseResult, analyse, is_stale
from ser_batch.stages.drift import find_drift
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
            found = ingest_files(night)
        with night.stage("analyse"):
            analyse_shards(night, found.shards)
        with night.stage("score"):
            score_shards(night, found.shards)
        with night.stage("drift"):
            compare_days(night)
        check_bad_share(night.lake, night.settings.ingest)
        with night.stage("publish"):
            published = publish_warehouse(night)
        with night.stage("report"):
            report = report_page(night, published)
        summary = night.close(published, report)
        publish_summary(summary)
        return final_state(summary)


def analyse_shards(night: Night, shards: tuple[Part, ...]) -> None:
    """Analyse every shard that is not up to date."""
    stale = [shard for shard in shards if is_stale(night.lake, shard, night.settings)]
    name_by_dates({shard.date for shard in stale if shard.date})
    n_calls = night.count_calls(stale)
    night.display.bar("analyse", n_calls, "calls")
    step = _with_retries(analyse_shard, night)
    futures = [step.submit(night, shard) for shard in stale]
    wait(futures)
    for future in futures:
        night.add_analysed(future.result())


def score_shards(night: Night, shards: tuple[Part, ...]) -> None:
    """Score every shard whose predictions are not up to date, by the champion and its shadows."""
    counts = night.record.counts
    unscored = find_unscored(night, shards, night.model_id)
    if unscored:
        bundle = load_model(night.root, night.settings)
        counts["segments_scored"] += score_by(night, unscored, bundle)
    shadows, left_out = shadow_models(night.root, night.settings)
    counts["shadows_left_out"] += len(left_out)
    for shadow in shadows:
        behind = find_unscored(night, shards, shadow.model_id)
        counts["segments_scored_in_shadow"] += score_by(night, behind, shadow)


def find_unscored(night: Night, shards: tuple[Part, ...], model_id: str) -> list[Part]:
    """Shards whose predictions by a model are not up to date."""
    return [shard for shard in shards if is_unscored(night.lake, shard, model_id, night.settings)]


def score_by(night: Night, shards: list[Part], bundle: Bundle) -> int:
    """Score some shards by a model; how many segments."""
    night.display.bar("score", len(shards), "shards")
    step = _with_retries(score_shard, night)
    futures = [step.submit(night, shard, bundle) for shard in shards]
    wait(futures)
    return sum(future.result().n_scored for future in futures)


@task(cache_policy=NO_CACHE, task_run_name="ingest")
def ingest_files(night: Night) -> IngestResult:
    """Find new recordings, join metadata, cut shards."""
    with night.busy.working():
        result = ingest(
            night.lake,
            night.audio,
            night.metadata,
            night.settings,
            now=night.record.started_at,
            on_progress=lambda done, total: night.display.reach("ingest", done, total),
        )
    night.add_ingested(result)
    return result


@task(cache_policy=NO_CACHE, task_run_name="analyse {shard.date} {shard.name}")
def analyse_shard(night: Night, shard: Part) -> AnalyseResult:
    """Decode, find speech, cut segments, describe them: one shard."""
    with night.busy.working():
        return analyse(
            night.lake,
            shard,
            night.settings,
            night.workers,
            now=night.record.started_at,
            on_calls=lambda count: night.display.advance("analyse", count),
        )


@task(cache_policy=NO_CACHE, task_run_name="score {shard.date} {shard.name} by {bundle.model_id}")
def score_shard(night: Night, shard: Part, bundle: Bundle) -> ScoreResult:
    """Put the model's probabilities on one shard's segments."""
    with night.busy.working():
        result = score(night.lake, shard, bundle, night.settings)
    night.display.advance("score")
    return result


@task(cache_policy=NO_CACHE, task_run_name="drift")
def compare_days(night: Night) -> None:
    """Whether the newest calls are like those before, and like the model's training data."""
    with night.busy.working():
        folder = model_folder(night.root, night.settings)
        night.drift = find_drift(night.lake, night.model_id, folder, night.settings)


@task(cache_policy=NO_CACHE, task_run_name="publish")
def publish_warehouse(night: Night) -> PublishResult:
    """Build the warehouse beside the published file, test it, swap it in."""
    night.count_outcome()
    with night.busy.working():
        return publish(night.root, night.settings, night.model_id, run_id=night.record.run_id)


@task(cache_policy=NO_CACHE, task_run_name="report")
def report_page(night: Night, published: PublishResult) -> Path:
    """Write the report, unless the last one still says what the warehouse says."""
    if not published.built and is_current(night.root, night.settings):
        return night.root.reports / LATEST
    with night.busy.working():
        return write_report(
            night.root, night.settings, night.record.run_id, published=published.path
        )


def _with_retries(step: Task[Any, Any], night: Night) -> Task[Any, Any]:
    run = night.settings.run
    return step.with_options(
        retries=run.retries,
        retry_delay_seconds=run.retry_delay_s,
        retry_condition_fn=is_transient,
    )
