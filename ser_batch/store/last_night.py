"""When the last night began: a clock that jumped is noticed before it dates or deletes anything."""

from __future__ import annotations

import datetime as dt
import json

from ser_batch.errors import ClockError, StateFileError
from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.content import read_text
from ser_batch.store.lake import Lake

MOST_BACK = dt.timedelta(days=1)
"""A clock that says that much less than the last night's was set wrong, then or now."""
MOST_AHEAD = dt.timedelta(days=180)
"""Likewise ahead: nobody leaves nights out for so long."""

_STATE = "last_night.json"


def begin_night(lake: Lake, now: dt.datetime) -> dt.datetime:
    """The time at which a night begins: later than the last one's, so that order is kept.

    Args:
        lake: whose night; the root is held
        now: what the clock says, UTC

    Raises:
        ClockError: if the clock jumped since the last night; nothing was written
        StateFileError: if it cannot be read when that was
    """
    path = lake.folder / _STATE
    try:
        last = dt.datetime.fromisoformat(json.loads(read_text(path))["began_at"])
    except FileNotFoundError:
        last = dt.datetime.min
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StateFileError(path, f"{error!r}") from error
    if last != dt.datetime.min and not last - MOST_BACK <= now <= last + MOST_AHEAD:
        raise ClockError(path, now=now, last=last)
    began_at = max(now, last + dt.timedelta(milliseconds=1))
    write_text_atomic(path, json.dumps({"began_at": began_at.isoformat()}) + "\n", durable=True)
    return began_at
