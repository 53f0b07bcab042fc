"""What the texts of metadata mean: times, yes and no, roles."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

_TRUE = {"true", "yes", "y", "1", "t", "ja", "oui", "si", "sí", "tak"}
_FALSE = {"false", "no", "n", "0", "f", "nein", "non", "nie"}
_EARLIEST = dt.datetime(1990, 1, 1)
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


def parse_time(text: str, *, pattern: str | None, zone: ZoneInfo) -> dt.datetime | None:
    """A start time as local time of the call centre.

    Args:
        text: ISO 8601, or digits with any of `-_.:T` between them as file names have, or as
            `pattern` says; with an offset it is converted, without one it is local already
        pattern: strptime format, or None
        zone: the call centre's time zone

    Returns:
        without time zone; None if the text is no time, or one that no call can have
    """
    text = text.strip()
    try:
        time = dt.datetime.strptime(text, pattern) if pattern else _parse_iso(text)
    except ValueError:
        return None
    if time is None:
        return None
    local = time.astimezone(zone).replace(tzinfo=None) if time.tzinfo else time
    latest = dt.datetime.now(zone).replace(tzinfo=None) + dt.timedelta(days=1)
    return local if _EARLIEST <= local <= latest else None


def file_time(modified_ns: int, zone: ZoneInfo) -> dt.datetime:
    """A file's time of last change as local time, whole seconds."""
    return dt.datetime.fromtimestamp(modified_ns // 1_000_000_000, zone).replace(tzinfo=None)


def _parse_iso(text: str) -> dt.datetime | None:
    if match := _COMPACT.match(text):
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        return dt.datetime(year, month, day, hour, minute, second)
    if not re.match(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text):
        return None  # fromisoformat takes weeks and bare dates too, which start no call
    return dt.datetime.fromisoformat(text)
