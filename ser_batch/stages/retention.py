"""Retention: what the settings keep for some days only is deleted, and days are closed.

Days whose features, segments or predictions were deleted are closed for good: they are neither
analysed nor scored again, because what is missing there is missing on purpose. A model that is
promoted later has no scores of these days.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.config import PolicySettings, RetentionSettings, Settings
from ser_batch.eligibility import channel_scoring
from ser_batch.ingest.call_table import EXPIRED
from ser_batch.ingest.issues import replace_issues, warned
from ser_batch.ingest.matching import OWN_COLUMNS, DataIssue, renamed
from ser_batch.labels.files import SNIPPETS
from ser_batch.monitoring.run_record import last_published
from ser_batch.report.files import delete_report, report_times
from ser_batch.stages.transcripts import forget_words
from ser_batch.store.closed_days import close_before, closed_before
from ser_batch.store.disk import disk
from ser_batch.store.drop import drop_rows
from ser_batch.store.lake import Lake, Part
from ser_batch.store.lock import only_writer
from ser_batch.store.paths import Root
from ser_batch.tables import (
    ACCESS_LOG,
    CALLS,
    LABELS,
    METADATA,
    PREDICTIONS,
    RECORDINGS,
    RUNS,
    SEGMENTS,
    TRANSCRIPTS,
)
from ser_batch.warehouse.sources import predictions_of

FEATURES = "features"


def open_shards(lake: Lake, shards: Sequence[Part]) -> tuple[Part, ...]:
    """Those of some shards that are analysed and scored."""
    first = closed_before(lake)
    return tuple(shard for shard in shards if shard.date is None or shard.date >= first)


def may_be_gone(lake: Lake, shard: Part) -> frozenset[str]:
    """Tables, by the first part of their name, that a shard lacks on purpose if it lacks them."""
    is_open = shard.date is None or shard.date >= closed_before(lake)
    return frozenset() if is_open else frozenset({FEATURES, SEGMENTS.name})


def keep_retention(
    root: Root, settings: Settings, model_id: str, now: dt.datetime
) -> dict[str, int]:
    """Delete what is past its days. The root is held.

    Args:
        root: whose lake, labels and reports
        settings: days by table
        model_id: the model in use, whose missing scores of closed days are stated
        now: UTC

    Returns:
        how many files of each table were deleted or written without what is past its days, as
        the run's record counts them
    """
    lake, keep = Lake(root.lake), settings.retention
    _close(lake, keep, now)
    gone: Counter[str] = Counter()
    for table, days in (
        (FEATURES, _least(keep.features_days, keep.segments_days)),
        (PREDICTIONS.name, _least(keep.predictions_days, keep.segments_days)),
        (SEGMENTS.name, keep.segments_days),
    ):
        if days is not None:
            gone[table] += _delete_days(lake.folder / table, now.date() - dt.timedelta(days))
    if settings.policy.transcripts:
        gone["transcripts"] += _delete_days(lake.folder / TRANSCRIPTS.name, closed_before(lake))
    else:
        gone["transcripts"] += forget_words(root)
    gone["attributes"] += _forget_attributes(lake, settings, now)
    gone["snippets"] += _delete_snippets(root.labels, keep.snippets_days, now)
    gone["reports"] += _delete_reports(root.reports, keep.reports_days, now)
    gone["runs"] += _delete_runs(lake, keep.runs_days, now)
    gone["notes"] += _forget_notes(lake, keep.notes_days, now)
    gone["access_log"] += _delete_access(lake, keep.access_days, now)
    gone["barred"] += _drop_barred(lake, settings.policy)
    _state_closed(lake, model_id, now)
    return {f"retention_{table}": count for table, count in gone.items() if count}


def _least(*days: int | None) -> int | None:
    return min((each for each in days if each is not None), default=None)


def _close(lake: Lake, keep: RetentionSettings, now: dt.datetime) -> None:
    """Write down which days are closed, before anything of them is deleted; none opens again."""
    days = _least(keep.features_days, keep.segments_days, keep.predictions_days)
    if days is None:
        return
    first = max(closed_before(lake), now.date() - dt.timedelta(days))
    close_before(lake, first)


def _delete_days(table: Path, first: dt.date) -> int:
    """Delete a table's days before a date; how many files."""
    files = [
        file
        for day in table.rglob("date=*")
        if dt.date.fromisoformat(day.name.removeprefix("date=")) < first
        for file in day.glob("*.parquet")
    ]
    for file in files:
        disk().unlink(file)
    return len(files)


def _forget_attributes(lake: Lake, settings: Settings, now: dt.datetime) -> int:
    """Drop the columns without a place of their own from lines that arrived long ago."""
    if settings.retention.attributes_days is None:
        return 0
    first = now - dt.timedelta(settings.retention.attributes_days)
    n_changed = 0
    for part in lake.parts(METADATA):
        tags = lake.tags(METADATA, part) or {}
        if EXPIRED.items() <= tags.items():
            continue
        rows = lake.read(METADATA, [part]).to_pylist()
        if rows and max(row["arrived_at"] for row in rows) < first:
            for row in rows:
                own = renamed(dict(row["fields"]), settings.ingest.columns)
                row["fields"] = [(name, text) for name, text in own.items() if name in OWN_COLUMNS]
            lake.write(METADATA, part, METADATA.from_rows(rows), tags | EXPIRED)
            n_changed += 1
    return n_changed


def _delete_snippets(labels: Path, days: int | None, now: dt.datetime) -> int:
    if days is None:
        return 0
    first_s = (now - dt.timedelta(days)).replace(tzinfo=dt.UTC).timestamp()
    old = [each for each in labels.glob(f"*/{SNIPPETS}/*") if each.stat().st_mtime < first_s]
    for file in old:
        disk().unlink(file)
    return len(old)


def _delete_reports(reports: Path, days: int | None, now: dt.datetime) -> int:
    if days is None:
        return 0
    first = now - dt.timedelta(days)
    return sum(
        delete_report(reports, name) for name, at in report_times(reports).items() if at < first
    )


def _delete_runs(lake: Lake, days: int | None, now: dt.datetime) -> int:
    """Delete records of runs, but never the last that published: the next night counts from it."""
    if days is None:
        return 0
    runs = lake.read(RUNS, columns=["run_id", "started_at"]).to_pylist()
    first = min(now - dt.timedelta(days), last_published(lake))
    old = [Part(None, run["run_id"]) for run in runs if run["started_at"] < first]
    for part in old:
        lake.remove(RUNS, part)
    return len(old)


def _forget_notes(lake: Lake, days: int | None, now: dt.datetime) -> int:
    """Drop the notes of old reviews, and keep what they decided; how many parts changed."""
    if days is None:
        return 0
    first = pa.scalar(now - dt.timedelta(days), pa.timestamp("us"))
    n_changed = 0
    with only_writer(lake.folder, LABELS.name):
        for part in lake.parts(LABELS):
            table = lake.read(LABELS, [part])
            old = pc.and_(pc.is_valid(table["note"]), pc.less(table["made_at"], first))
            if pc.any(old).as_py():
                place = table.schema.get_field_index("note")
                kept = pc.if_else(old, pa.scalar(None, pa.string()), table["note"])
                lake.write(LABELS, part, table.set_column(place, LABELS.arrow.field("note"), kept))
                n_changed += 1
    return n_changed


def _delete_access(lake: Lake, days: int | None, now: dt.datetime) -> int:
    """Drop old lines of the access log; how many."""
    if days is None:
        return 0
    first = pa.scalar(now - dt.timedelta(days), pa.timestamp("us"))
    with only_writer(lake.folder, ACCESS_LOG.name):
        dropped = drop_rows(
            lake, ["accessed_at"], lambda t: pc.less(t["accessed_at"], first), contract=ACCESS_LOG
        )
    return sum(dropped.values())


def _drop_barred(lake: Lake, policy: PolicySettings) -> int:
    """Drop scores of closed days of which the policy bars the call now: a late objection, say."""
    n_changed = 0
    if (first := closed_before(lake)) == dt.date.min:
        return n_changed
    for contract in predictions_of(lake).values():
        for part in lake.parts(contract):
            wanted = {"barred": (lake.tags(CALLS, part) or {}).get("scoring", "")}
            tags = lake.tags(contract, part) or {}
            if part.date is None or part.date >= first or wanted.items() <= tags.items():
                continue
            allowed = _may_be_scored(lake, part, policy)
            rows = lake.read(contract, [part])
            keys = zip(rows["recording_id"].to_pylist(), rows["channel"].to_pylist(), strict=True)
            kept = rows.filter(pa.array([key in allowed for key in keys], pa.bool_()))
            lake.write(contract, part, kept, tags | wanted)
            n_changed += kept.num_rows < rows.num_rows
    return n_changed


def _may_be_scored(lake: Lake, part: Part, policy: PolicySettings) -> set[tuple[str, int]]:
    scoring = channel_scoring(lake.read(CALLS, [part]), lake.read(RECORDINGS, [part]), policy)
    rows = pl.DataFrame(pl.from_arrow(scoring)).filter(pl.col("not_scored_reason").is_null())
    return set(rows.select("recording_id", "channel").rows())


def _state_closed(lake: Lake, model_id: str, now: dt.datetime) -> None:
    """Which days the model in use cannot score any more."""
    days = unscored_days(lake, model_id)
    found = []
    if days:
        message = f"{len(days)} call dates from {days[0]} to {days[-1]} have no scores of "
        message += f"the model {model_id}: what it would read is past its retention"
        remedy = "Nothing, if that is meant; earlier models' scores are kept as [retention] says."
        found.append(DataIssue("retention", "past_retention", message, remedy))
    replace_issues(lake, "retention", [warned(issue, "retention") for issue in found], now)


def unscored_days(lake: Lake, model_id: str) -> list[dt.date]:
    """Closed call dates with a shard that a model has not scored, in order."""
    if (first := closed_before(lake)) == dt.date.min:
        return []
    contract = predictions_of(lake).get(model_id)
    scored = set(lake.parts(contract)) if contract else set()
    closed = {part for part in lake.parts(RECORDINGS) if part.date and part.date < first}
    return sorted({part.date for part in closed - scored if part.date})
