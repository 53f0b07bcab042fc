"""One night as its driver keeps it: the record, the counts, and the values that tasks receive."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.context import NightContext, RemoteRoot
from pipelines.engine import Engine, open_engine
from pipelines.logs import log, log_stage, start_run
from ser_batch.clock import utc_now
from ser_batch.config import Settings
from ser_batch.erasure.erase import finish_erasure
from ser_batch.errors import DamagedPartError
from ser_batch.files.inputs import name_of
from ser_batch.ingest.folders import named_folders
from ser_batch.monitoring.notify import notify_end, notify_failure
from ser_batch.monitoring.run_record import (
    RunRecord,
    count_outcome,
    last_published,
    new_run,
    rejected_codes,
)
from ser_batch.scoring.choose import model_id
from ser_batch.settings_file import find_settings_file, load_settings
from ser_batch.stages.analyse import AnalyseResult
from ser_batch.stages.completeness import night_completeness
from ser_batch.stages.digest import send_if_due
from ser_batch.stages.drift import DriftResult
from ser_batch.stages.ingest import IngestResult
from ser_batch.stages.publish import (
    PublishResult,
    count_undated,
    finish_publishing,
    not_scored,
)
from ser_batch.stages.report import republish_without
from ser_batch.store.caches import use_root
from ser_batch.store.copies import discard_damaged
from ser_batch.store.encrypt import begin as begin_encryption
from ser_batch.store.encrypt import open_keys
from ser_batch.store.lake import Lake, Part
from ser_batch.store.last_night import begin_night
from ser_batch.store.lease import delete_unpublished, publish_changes
from ser_batch.store.local_files import local_path
from ser_batch.store.lock import only_run, refresh
from ser_batch.store.paths import Root, find_root
from ser_batch.store.permissions import private_files
from ser_batch.tables import CALLS


class Night:
    """The bookkeeping of one run; it stays in the process that runs the flow."""

    def __init__(
        self,
        audio: Sequence[Path],
        metadata: Sequence[Path],
        root: Root,
        settings: Settings,
        engine: Engine,
    ) -> None:
        self.audio = list(audio)
        self.metadata = list(metadata)
        self.root = root
        self.settings = settings
        self.engine = engine
        self.began_at_s, self._began_s = time.time(), time.perf_counter()
        self.lake = Lake(root.lake)
        self.model_id = model_id(root, settings)
        self.record: RunRecord = new_run(
            ", ".join(map(name_of, audio)),
            settings,
            self.model_id,
            started_at=begin_night(self.lake, utc_now()),
        )
        self.context = NightContext(
            root,
            settings,
            self.model_id,
            self.record.run_id,
            self.record.started_at,
            RemoteRoot.of(root),
        )
        self.drift = DriftResult((), [])
        self.rejected: dict[str, int] = {}
        self.attributes: tuple[str, ...] = ()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage, and log its begin and its end with what it did."""
        before = Counter(self.record.counts)
        with self.record.stage(name), log_stage(name, lambda: self.record.counts - before):
            yield
            publish_changes(self.root.path)

    def count_calls(self, shards: Sequence[Part]) -> int:
        """Calls in some shards."""
        return self.lake.read(CALLS, shards, columns=["recording_id"]).num_rows

    def add_ingested(self, found: IngestResult) -> None:
        """Count what was found, and keep which columns of metadata have no meaning."""
        self.attributes = found.attributes
        self.record.counts.update(
            files_found=found.n_found,
            files_new=found.n_new,
            files_duplicate=found.n_duplicates,
            files_growing=found.n_growing,
            files_rejected=found.n_rejected,
            files_erased=found.n_erased,
            metadata_lines_new=found.n_metadata_lines,
        )

    def add_analysed(self, done: AnalyseResult) -> None:
        """Count what was analysed."""
        self.record.counts.update(
            calls_analysed=done.n_analysed, calls_bad=done.n_bad, calls_lost=done.n_lost
        )
        self.record.audio_s += done.audio_s
        self.record.core_s.update(done.core_s)

    def count_outcome(self) -> None:
        """State what was left out and warned about, before it is published."""
        since = last_published(self.lake)
        self.record.counts.update(count_outcome(self.lake, since))
        self.rejected = rejected_codes(self.lake, since)
        self.record.write(self.lake)

    def close(self, published: PublishResult, report: Path) -> dict[str, Any]:
        """State the record, publish it with the warehouse, and return what the run did."""
        completeness = night_completeness(
            self.lake,
            published,
            self.record.counts,
            audio=[name_of(folder) for folder in self.audio],
            since=last_published(self.lake),
            settings=self.settings.ingest,
        )
        is_partial = (
            self.record.counts["quarantined"]
            or self.record.counts["calls_lost"]
            or not completeness.is_complete
        )
        self.record.status = "partial" if is_partial else "clean"
        self.record.write(self.lake, message=completeness.message or None)
        finish_publishing(self.root, published)
        publish_changes(self.root.path)
        delete_unpublished(self.root.path)
        if published.was_damaged:
            log(
                "the published file was damaged; it was rebuilt from the lake",
                level=logging.WARNING,
                event="warehouse_damaged",
            )
        flow_s = time.perf_counter() - self._began_s
        summary = {
            "run_id": self.record.run_id,
            "status": self.record.status,
            "audio": [name_of(folder) for folder in self.audio],
            "counts": dict(self.record.counts),
            "rejected": self.rejected,
            "audio_s": self.record.audio_s,
            "stage_s": dict(self.record.stage_s),
            "core_s": dict(self.record.core_s),
            "began_at_s": self.began_at_s,
            "flow_s": flow_s,
            "orchestration_s": max(0.0, flow_s - self.engine.busy.seconds),
            "n_processes": self.engine.workers.n_processes,
            "model_id": self.model_id,
            "completeness": asdict(completeness),
            "not_scored": not_scored(self.root.warehouse),
            "undated": count_undated(self.root.warehouse),
            "attributes": list(self.attributes),
            "drift": self.drift.warnings,
            "alerts": notify_end(
                self.root,
                self.settings,
                self.record,
                message=completeness.message,
                drift=self.drift.warnings,
            ).as_dict(),
            "digest": send_if_due(self.root, self.settings, self.record.started_at).as_dict(),
            "published": published.built,
            "warehouse_was_damaged": published.was_damaged,
            "rows": published.rows,
            "warehouse": str(self.root.warehouse),
            "report": str(report),
            "published_to": self.context.remote and self.context.remote.address,
        }
        _log_end(summary)
        return summary


def _log_end(summary: Mapping[str, Any]) -> None:
    names = ("status", "counts", "rejected", "stage_s", "completeness", "report", "warehouse")
    for row in summary["drift"]:
        log(
            f"drift in {row['subject']}, {row['name']}: {row['advice']}",
            level=logging.WARNING,
            event="drift",
            subject=row["subject"],
            name=row["name"],
        )
    log(
        f"night {summary['run_id']} ends {summary['status']}: {outcome(summary)}; "
        f"report {summary['report']}",
        level=logging.INFO if summary["status"] == "clean" else logging.WARNING,
        event="night_end",
        **{name: summary[name] for name in names},
    )


def outcome(night: Mapping[str, Any]) -> str:
    """What came of a night, in one line."""
    counts = night["counts"]
    rejected = ", ".join(f"{count} {code}" for code, count in night["rejected"].items())
    files = "file" if counts["quarantined"] == 1 else "files"
    lost = counts.get("calls_lost", 0)
    return ", ".join(
        [
            f"{counts.get('calls_analysed', 0)} calls analysed",
            f"{counts.get('segments_scored', 0)} segments scored",
            f"{counts['quarantined']} rejected {files}{f' ({rejected})' if rejected else ''}",
            *([f"stored analysis lost of {lost} calls"] if lost else []),
            *filter(None, [night["completeness"]["message"]]),
        ]
    )


@contextmanager
def open_night(
    audio: Sequence[str],
    metadata: Sequence[Path],
    root: Path,
    settings_file: str | None,
    *,
    quiet: bool,
) -> Iterator[Night]:
    """Hold the root, start the processes, and state how the run ended.

    Raises:
        AudioFolderError: if no audio folder is named
        LockedError: if another run holds the root
        SettingsError: if a setting is wrong
    """
    place = find_root(local_path(root), must_exist=False)
    refresh(place)  # its settings
    use_root(place)
    file = Path(settings_file) if settings_file else find_settings_file(place.path)
    settings = load_settings(file)
    open_keys(place, settings.encryption)
    folders = named_folders(audio, settings.ingest.audio)
    with (
        private_files(place, settings.store.group),
        only_run(place),
        open_engine(settings, quiet=quiet) as engine,
    ):
        begin_encryption(place, settings.encryption)
        finish_erasure(place, partial(republish_without, place, settings))
        night = Night(folders, metadata, place, settings, engine)
        night.record.write(night.lake)
        start_run(night.record.run_id)
        log(
            f"night {night.record.run_id} begins",
            event="night_begin",
            audio=[name_of(folder) for folder in folders],
            root=str(place.path),
            model_id=night.model_id,
        )
        try:
            yield night
        except BaseException as error:
            night.record.status = "failed"
            message = f"{type(error).__name__}: {error}"
            if isinstance(error, DamagedPartError) and discard_damaged(night.lake, error.path):
                message += "; it was deleted, and the next night makes it again"
            night.record.write(night.lake, message=message)
            if not isinstance(error, KeyboardInterrupt):  # who stopped it knows
                notify_failure(place, settings, night.record, error)
            raise
