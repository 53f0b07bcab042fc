"""The steps of a night, in order, and who carries them out.

What happens in each step stands in `ser_batch.stages`. A step receives small values that can be
pickled and opens what it needs, so that the same steps run as tasks of a flow, here or elsewhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pipelines.context import PUBLISH_EVERY_S, Done, NightContext, shard_at_hand
from pipelines.engine import engine_of, load_bundle
from pipelines.night import Night
from ser_batch.monitoring.run_record import check_bad_share
from ser_batch.scoring.choose import model_folder
from ser_batch.stages.analyse import AnalyseResult, analyse, stale_shards
from ser_batch.stages.drift import DriftResult, find_drift
from ser_batch.stages.ingest import IngestResult, ingest
from ser_batch.stages.publish import PublishResult, publish
from ser_batch.stages.report import LATEST, is_current, write_report
from ser_batch.stages.rescore import shadow_models
from ser_batch.stages.retention import keep_retention, open_shards
from ser_batch.stages.score import ScoreResult, score, unscored_shards
from ser_batch.stages.transcripts import TranscriptsResult, keep_transcripts
from ser_batch.store.lake import Part
from ser_batch.store.lease import publish_changes
from ser_batch.tables import CALLS

Result = TypeVar("Result")


class Runner(Protocol):
    """Who carries out the steps of a night."""

    def run(self, step: Callable[..., Result], *arguments: Any) -> Result:
        """Carry out one step."""

    def map(
        self, step: Callable[..., Result], arguments: Iterable[tuple[Any, ...]]
    ) -> list[Result]:
        """Carry out a step for each of several sets of arguments; results in their order."""

    def name_run(self, dates: Collection[dt.date]) -> None:
        """Show which call dates the night computes."""


def run_night(night: Night, runner: Runner) -> dict[str, Any]:
    """Ingest → analyse → transcripts → score → publish → report.

    Args:
        night: the opened night
        runner: who carries out the steps

    Returns:
        what was done, as `ser-batch nightly --json` prints it

    Raises:
        BadShareError: if more files are bad than the settings allow
    """
    with night.stage("ingest"):
        found = runner.run(ingest_files, night.context, night.audio, night.metadata)
        night.add_ingested(found)
        night.record.counts.update(runner.run(delete_expired, night.context))
    with night.stage("analyse"):
        analyse_shards(night, runner)
    if night.settings.policy.transcripts:
        with night.stage("transcripts"):
            done = runner.run(keep_words, night.context, night.metadata)
            night.record.counts.update(transcripts_read=done.n_read, transcripts_bad=done.n_bad)
    with night.stage("score"):
        score_shards(night, runner)
    with night.stage("drift"):
        night.drift = runner.run(compare_days, night.context)
    check_bad_share(night.lake, night.settings.ingest)
    with night.stage("publish"):
        night.count_outcome()
        published = runner.run(publish_warehouse, night.context)
    with night.stage("report"):
        report = runner.run(report_page, night.context, published)
    return night.close(published, report)


def analyse_shards(night: Night, runner: Runner) -> None:
    """Analyse every shard that is not up to date."""
    stale = stale_shards(night.lake, night.settings)
    runner.name_run({shard.date for shard in stale if shard.date})
    night.engine.display.bar("analyse", night.count_calls(stale), "calls")
    for done in runner.map(analyse_shard, [(night.context, shard) for shard in stale]):
        night.add_analysed(done.result)


def score_shards(night: Night, runner: Runner) -> None:
    """Score every shard whose predictions are not up to date, by the champion and its shadows."""
    counts = night.record.counts
    champion = model_folder(night.root, night.settings)
    counts["segments_scored"] += score_by(night, champion, night.model_id, runner)
    shadows, left_out = shadow_models(night.root, night.settings)
    counts["shadows_left_out"] += len(left_out)
    for shadow in shadows:
        n_segments = score_by(night, shadow.folder, shadow.model_id, runner)
        counts["segments_scored_in_shadow"] += n_segments


def score_by(night: Night, folder: Path, model_id: str, runner: Runner) -> int:
    """Score the shards that a model has not scored yet; how many segments."""
    behind = unscored_shards(night.lake, model_id, night.settings)
    night.engine.display.bar("score", len(behind), "shards")
    arguments = [(night.context, shard, folder, model_id) for shard in behind]
    return sum(done.result.n_scored for done in runner.map(score_shard, arguments))


def ingest_files(context: NightContext, audio: list[Path], metadata: list[Path]) -> IngestResult:
    """Find new recordings, join metadata, cut shards."""
    engine = engine_of(context.root, context.settings)
    with engine.busy.working():
        return ingest(
            context.lake,
            audio,
            metadata,
            context.settings,
            now=context.started_at,
            on_progress=lambda done, total: engine.display.reach("ingest", done, total),
        )


def analyse_shard(context: NightContext, shard: Part) -> Done[AnalyseResult]:
    """Decode, find speech, cut segments, describe them: one shard."""
    with shard_at_hand(context, shard) as (here, stored):
        engine = engine_of(here.root, here.settings)
        with engine.busy.working():
            result = analyse(
                here.lake,
                shard,
                here.settings,
                engine.workers,
                now=here.started_at,
                on_calls=lambda count: engine.display.advance("analyse", count),
            )
            if here is context:
                publish_changes(here.root.path, every_s=PUBLISH_EVERY_S)
    return Done(result, stored)


def keep_words(context: NightContext, metadata: list[Path]) -> TranscriptsResult:
    """Keep what customers say, redacted."""
    shards = open_shards(context.lake, context.lake.parts(CALLS))
    with engine_of(context.root, context.settings).busy.working():
        return keep_transcripts(
            context.root, shards, metadata, context.settings, context.started_at
        )


def score_shard(
    context: NightContext, shard: Part, folder: Path, model_id: str
) -> Done[ScoreResult]:
    """Predict one shard's segments with a model."""
    with shard_at_hand(context, shard) as (here, stored):
        engine = engine_of(here.root, here.settings)
        with engine.busy.working():
            bundle = load_bundle(context.folder_in(here.root, folder), model_id)
            result = score(here.lake, shard, bundle, here.settings)
        engine.display.advance("score")
    return Done(result, stored)


def delete_expired(context: NightContext) -> dict[str, int]:
    """Delete what is past its retention."""
    with engine_of(context.root, context.settings).busy.working():
        return keep_retention(context.root, context.settings, context.model_id, context.started_at)


def compare_days(context: NightContext) -> DriftResult:
    """Whether the newest calls are like those before, and like the model's training data."""
    with engine_of(context.root, context.settings).busy.working():
        folder = model_folder(context.root, context.settings)
        return find_drift(context.lake, context.model_id, folder, context.settings)


def publish_warehouse(context: NightContext) -> PublishResult:
    """Build the warehouse beside the published file, test it, swap it in."""
    with engine_of(context.root, context.settings).busy.working():
        return publish(context.root, context.settings, context.model_id, run_id=context.run_id)


def report_page(context: NightContext, published: PublishResult) -> Path:
    """Write the report, unless the last one still says what the warehouse says."""
    if not published.built and is_current(context.root, context.settings):
        return context.root.reports / LATEST
    with engine_of(context.root, context.settings).busy.working():
        return write_report(
            context.root, context.settings, context.run_id, published=published.path
        )
