"""The time of now, in UTC."""

from __future__ import annotations

import datetime as dt


def utc_now() -> dt.datetime:
    """The present in UTC, without time zone, as the tables carry it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
