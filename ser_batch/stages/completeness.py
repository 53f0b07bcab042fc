"""Completeness: how many of a night's calls were scored, and what would change it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from ser_batch import warehouse
from ser_batch.config import IngestSettings
from ser_batch.ingest.file_index import FileIndex
from ser_batch.stages.publish import PublishResult
from ser_batch.store.lake import Lake

MIN_SCORED_SHARE = 0.5
"""Share of the calls that could be scored below which a night is not clean."""

NEVER_SCORED = ("objected", "no_notice")
"""Reasons that lie with the customer: such a call does not count as one that could be scored."""


@dataclass(frozen=True)
class Completeness:
    """How many of a night's calls were scored.

    Attributes:
        count_calls: calls of the night that could be decoded
        count_scorable_calls: of these, without the calls that no setting may score
        count_scored_calls: of these, with a dissatisfaction
        reason: code of why the night is not complete; None: it is
        message: the same in words
        remedy: the setting that would change it
    """

    count_calls: int = 0
    count_scorable_calls: int = 0
    count_scored_calls: int = 0
    reason: str | None = None
    message: str = ""
    remedy: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether enough of what could be scored was scored."""
        return self.reason is None


def night_completeness(
    lake: Lake,
    published: PublishResult,
    counts: Mapping[str, int],
    *,
    audio: Sequence[str],
    since: dt.datetime,
    settings: IngestSettings,
) -> Completeness:
    """Compare what a night scored with what it could have scored.

    A night is judged by its new recordings; where it has none, by the call dates that it built.

    Args:
        lake: the lake
        published: what the night published
        counts: of the run's record
        audio: the audio folders
        since: when the last run that published began, UTC
        settings: whether a night without any recording is ordinary
    """
    if not counts["files_found"] and not counts["files_rejected"]:
        return Completeness() if settings.may_be_empty else _without_recordings(counts, audio)
    new = _new_recordings(lake, settings, since)
    reasons = _reasons(published, new)
    if new and not reasons and counts["quarantined"]:
        message = f"no call was scored: all {_count(len(new), 'new file')} were rejected"
        remedy = "See `ser-batch quarantine list`."
        return Completeness(reason="rejected", message=message, remedy=remedy)
    return _judged(reasons)


def _without_recordings(counts: Mapping[str, int], audio: Sequence[str]) -> Completeness:
    if growing := counts["files_growing"]:
        message = f"no call was scored: {_count(growing, 'file')} in the audio folder, "
        message += "all still being written"
        remedy = "The next run takes them; ingest.min_age_s is the age at which a file is complete."
        return Completeness(reason="still_growing", message=message, remedy=remedy)
    return Completeness(
        reason="no_recordings",
        message=f"no call was scored: no recording was found in {', '.join(audio)}",
        remedy=(
            "Check --audio and ingest.extensions; if such a night is ordinary, set "
            "ingest.may_be_empty = true."
        ),
    )


def _judged(reasons: Sequence[Mapping[str, Any]]) -> Completeness:
    """The verdict over calls counted by the reason why they were not scored (None: scored)."""
    n_calls = sum(row["count_calls"] for row in reasons)
    n_scored = sum(row["count_calls"] for row in reasons if row["reason"] is None)
    barred = sum(row["count_calls"] for row in reasons if row["reason"] in NEVER_SCORED)
    n_scorable = n_calls - barred
    if not n_scorable or (n_scored and n_scored >= MIN_SCORED_SHARE * n_scorable):
        return Completeness(n_calls, n_scorable, n_scored)
    main = max(
        (row for row in reasons if row["reason"] not in (None, *NEVER_SCORED)),
        key=lambda row: (row["count_calls"], row["reason"]),
    )
    scored = f"only {n_scored}" if n_scored else "none"
    verb = "were" if n_scored > 1 else "was"
    return Completeness(
        count_calls=n_calls,
        count_scorable_calls=n_scorable,
        count_scored_calls=n_scored,
        reason=main["reason"],
        message=f"{scored} of {_count(n_scorable, 'call')} {verb} scored: {main['meaning']}"
        + (f" ({_count(main['count_calls'], 'call')})" if main["count_calls"] < n_scorable else ""),
        remedy=f"{main['remedy'][:1].upper()}{main['remedy'][1:]}." if main["remedy"] else "",
    )


def _new_recordings(lake: Lake, settings: IngestSettings, since: dt.datetime) -> list[str]:
    """Recordings taken in since a time, each once."""
    rows = FileIndex(lake, settings).taken_since(since).rows
    fresh = rows.filter(pl.col("duplicate_of").is_null())
    return fresh["recording_id"].unique().sort().to_list()


def _reasons(published: PublishResult, new: Sequence[str]) -> list[dict[str, Any]]:
    """Published calls of the night by reason: reason, meaning, remedy, count_calls."""
    sql = """
        select not_scored_reason as reason, any_value(meaning) as meaning,
            coalesce(any_value(remedy), '') as remedy, count(*)::bigint as count_calls
        from call_summary
        left join stg_not_scored_reasons as reasons on not_scored_reason = reasons.code
        where if(
            len($1) > 0,
            recording_id in (select unnest($1::varchar[])) or recording_id in (
                select recording_id
                from (
                    select recording_id, unnest(sides).recording_id as side
                    from stg_calls
                    where len(sides) > 0
                )
                where side in (select unnest($1::varchar[]))
            ),
            call_date in (select unnest($2::date[]))
        )
        group by all
    """
    names = ("reason", "meaning", "remedy", "count_calls")
    with warehouse.connect(published.path) as con:
        rows = con.execute(sql, [list(new), list(published.dates)]).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
