"""Which call dates are closed: what is missing there was deleted on purpose, by its retention."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection

from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.content import read_text
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import CALLS

_STATE = "retention.json"


def closed_before(lake: Lake) -> dt.date:
    """The call date before which days are closed."""
    try:
        text = read_text(lake.folder / _STATE)
    except FileNotFoundError:
        return dt.date.min
    return dt.date.fromisoformat(json.loads(text)["closed_before"])


def open_shards_of(lake: Lake) -> Callable[[dt.date], Collection[Part]]:
    """What gives the shards of a call date, none of one that is closed."""
    first = closed_before(lake)
    return lambda date: lake.files(CALLS, dates=[date]).keys() if date >= first else ()


def close_before(lake: Lake, first: dt.date) -> None:
    """Close the days before a call date."""
    text = json.dumps({"closed_before": first.isoformat()})
    write_text_atomic(lake.folder / _STATE, text, durable=True)
