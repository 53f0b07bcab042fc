"""What the texts of metadata mean: times, yes and no, roles."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

_TRUE = {"true", "yes", "y", "1", "t", "ja", "oui", "si", "sí", "tak"}
_FALSE = {"false", "no", "n", "0", "f", "nein", "non", "nie"}
_EARLIEST = dt.datetime(1990, 1, 1)
_SLACK = dt.timedelta(days=1)
"""A call that begins that much later than its recording was taken in has a wrong time."""
_QUOTED_CHARS = 80
_COMPACT = re.compile(
    r"^(\d{4})[-_.]?(\d\d)[-_.]?(\d\d)[-_.T ]?(\d\d)[-_.:h]?(\d\d)(?:[-_.:m]?(\d\d)s?)?$"
)


def parse_bool(text: str) -> bool | None:
    """Yes or no in the words that exports use, None if it is neither."""
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    return None


def parse_time(
    text: str, *, pattern: str | None, zone: ZoneInfo, ingested_at: dt.datetime
) -> dt.datetime | None:
    """A start time as local time of the call centre.

    Args:
        text: ISO 8601, or digits with any of `-_.:T` between them as file names have, or as
            `pattern` says; with an offset it is converted, without one it is local already
        pattern: strptime format, or None
        zone: the call centre's time zone
        ingested_at: when the recording was taken in, UTC

    Returns:
        without time zone; None if the text is no time, or one that no call can have
    """
    time = _read_time(text, pattern, zone)
    latest = local_time(ingested_at, zone) + _SLACK
    return time if time is not None and _EARLIEST <= time <= latest else None


def why_no_time(text: str, *, pattern: str | None, zone: ZoneInfo) -> tuple[str, str]:
    """Why `parse_time` refuses a text, and what to do about it."""
    time = _read_time(text, pattern, zone)
    if time is None:
        return "not a time", "Write 2026-11-03T14:05:00, or set ingest.time_format."
    when = f"before {_EARLIEST.year}" if time < _EARLIEST else "in the future"
    return f"{when}, where no call can be", "Correct it, or the clock of what wrote it."


def _read_time(text: str, pattern: str | None, zone: ZoneInfo) -> dt.datetime | None:
    """The time that a text says, local; None if it says none."""
    text = text.strip()
    try:
        time = dt.datetime.strptime(text, pattern) if pattern else _parse_iso(text)
        if time is not None and time.tzinfo:
            time = time.astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError):  # no time, or an offset leads out of the calendar
        return None
    return time


def file_time(modified_ns: int, zone: ZoneInfo, ingested_at: dt.datetime) -> dt.datetime | None:
    """A file's time of last change as local time, whole seconds.

    Args:
        modified_ns: ns since 1970
        zone: the call centre's time zone
        ingested_at: when the file was taken in, UTC

    Returns:
        without time zone; None if no recording can have it: the clock that set it was wrong
    """
    try:
        changed = dt.datetime.fromtimestamp(modified_ns // 1_000_000_000, dt.UTC)
    except (ValueError, OverflowError, OSError):  # beyond the calendar
        return None
    if not _EARLIEST <= changed.replace(tzinfo=None) <= ingested_at + _SLACK:
        return None
    return changed.astimezone(zone).replace(tzinfo=None)


def local_time(utc: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """A time of the tables, UTC, as local time, whole seconds."""
    return utc.replace(tzinfo=dt.UTC, microsecond=0).astimezone(zone).replace(tzinfo=None)


def quoted(text: str) -> str:
    """A text of unknown length as messages name it."""
    return repr(text if len(text) <= _QUOTED_CHARS else f"{text[:_QUOTED_CHARS]}…")


def _parse_iso(text: str) -> dt.datetime | None:
    if match := _COMPACT.match(text):
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        return dt.datetime(year, month, day, hour, minute, second)
    if not re.match(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text):
        return None  # fromisoformat takes weeks and bare dates too, which start no call
    return dt.datetime.fromisoformat(text)
