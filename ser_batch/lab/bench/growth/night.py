"""One night over a simulated lake, timed by stage: what `pipelines.steps` does, without a flow."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ser_batch.clock import utc_now
from ser_batch.config import Settings
from ser_batch.lab.bench.growth.recorded import Recorded
from ser_batch.monitoring.run_record import check_bad_share, count_outcome, last_published, new_run
from ser_batch.scoring.choose import load_model, model_folder
from ser_batch.stages.analyse import analyse, stale_shards
from ser_batch.stages.completeness import night_completeness
from ser_batch.stages.drift import find_drift
from ser_batch.stages.ingest import ingest
from ser_batch.stages.publish import count_undated, finish_publishing, not_scored, publish
from ser_batch.stages.report import is_current, write_report
from ser_batch.stages.retention import keep_retention
from ser_batch.stages.score import score, unscored_shards
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root


@dataclass
class Cost:
    """What a night took.

    Attributes:
        core_s: core seconds by stage
        wall_s: seconds by stage
        n_analysed: calls that were analysed
        n_dates: call dates that were built
        peak_mb: of the process
    """

    core_s: dict[str, float] = field(default_factory=dict)
    wall_s: dict[str, float] = field(default_factory=dict)
    n_analysed: int = 0
    n_dates: int = 0
    peak_mb: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage."""
        wall_s, core_s = time.perf_counter(), time.process_time()
        yield
        self.wall_s[name] = time.perf_counter() - wall_s
        self.core_s[name] = time.process_time() - core_s


def night(
    root: Root, audio: Path, metadata: Sequence[Path], recorded: Recorded, settings: Settings
) -> Cost:
    """A night from ingest to the report.

    Args:
        root: whose
        audio: the audio folder
        metadata: metadata files
        recorded: what is in every call
        settings: all settings
    """
    cost, lake, now = Cost(), Lake(root.lake), utc_now()
    bundle = load_model(root, settings)
    record = new_run(str(audio), settings, bundle.model_id, started_at=now)
    record.write(lake)
    with cost.stage("ingest"):
        found = ingest(lake, [audio], metadata, settings, now=now, on_progress=lambda *_: None)
        keep_retention(root, settings, bundle.model_id, now)
    with cost.stage("analyse"):
        stale = stale_shards(lake, settings)
    with cost.stage("(simulated analysis)"):
        for shard in stale:
            cost.n_analysed += analyse(
                lake, shard, settings, recorded, now=now, on_calls=lambda _count: None
            ).n_analysed
    with cost.stage("score"):
        for shard in unscored_shards(lake, bundle.model_id, settings):
            score(lake, shard, bundle, settings)
    with cost.stage("drift"):
        find_drift(lake, bundle.model_id, model_folder(root, settings), settings)
    with cost.stage("publish"):
        check_bad_share(lake, settings.ingest)
        counts = count_outcome(lake, last_published(lake)) | {"files_found": found.n_found}
        record.counts.update(counts | {"files_rejected": found.n_rejected})
        published = publish(root, settings, bundle.model_id, run_id=record.run_id)
        cost.n_dates = len(published.dates)
    with cost.stage("report"):
        if published.built or not is_current(root, settings):
            write_report(root, settings, record.run_id, published=published.path)
    with cost.stage("close"):
        night_completeness(
            lake,
            published,
            record.counts,
            audio=[str(audio)],
            since=last_published(lake),
            settings=settings.ingest,
        )
        record.status = "clean"
        record.write(lake)
        finish_publishing(root, published)
        not_scored(root.warehouse)
        count_undated(root.warehouse)
    cost.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return cost
