"""Nights of a clock that jumps: no call is lost, postponed for ever, or counted twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ser_batch.clock import simulated_clock, utc_now
from ser_batch.errors import ClockError, SerError
from ser_batch.lab.bench.faults.centre import BEGAN_AT, SETTINGS, Centre
from ser_batch.lab.bench.faults.contents import TIMES, Contents, contents
from ser_batch.lab.bench.faults.trial import copy_root
from ser_batch.stages.publish import publish
from ser_batch.stages.retention import keep_retention
from ser_batch.store.lake import Lake
from ser_batch.store.last_night import begin_night
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root

JUMPS: dict[str, Callable[[dt.datetime], dt.datetime]] = {
    "an hour back": lambda now: now - dt.timedelta(hours=1),
    "a day back": lambda now: now - dt.timedelta(days=1),
    "a year back": lambda now: now - dt.timedelta(days=365),
    "to 1970": lambda _now: dt.datetime(1970, 1, 1),
    "a month ahead": lambda now: now + dt.timedelta(days=30),
    "to 2099": lambda now: now.replace(year=2099),
}
KEEP = SETTINGS.model_copy(
    update={
        "retention": SETTINGS.retention.model_copy(
            update={"features_days": 90, "segments_days": 90, "predictions_days": 90}
        )
    }
)
ALL_TIMES = (*TIMES, "ingested_at", "arrived_at", "noticed_at")
N_READ_TO_BEGIN = 2
"""How often a night reads the clock until it has begun: for the lock, and for itself."""
RIGHT_NIGHTS = (BEGAN_AT + dt.timedelta(days=3), BEGAN_AT + dt.timedelta(days=4))


def jump(centre: Centre, base: Root) -> dict[str, Any]:
    """Let the clock jump for one night, for two, and within one; then it is right again.

    Args:
        centre: whose last recording has come
        base: of an earlier night, which stays as it is
    """
    with simulated_clock(lambda: BEGAN_AT + dt.timedelta(days=2)):
        begin_night(Lake(base.lake), utc_now())
    expected = _after(centre, base, [])
    broken = []
    trials = 0
    for name, change in JUMPS.items():
        nights: dict[str, list[_Reading]] = {
            f"the clock jumps {name} for a night": [_always(change)],
            f"the clock jumps {name} for two nights": [_always(change), _always(change)],
            f"the clock jumps {name} within a night": [_once(change)],
        }
        for what, readings in nights.items():
            trials += 1
            try:
                found = _after(centre, base, readings)
            except (OSError, SerError) as error:
                broken.append(f"{what}: {error!r}")
                continue
            different = [table for table in expected if found[table] != expected[table]]
            if different:
                broken.append(f"{what}: other rows in {', '.join(different)}")
    return {"count_clock_jumps": trials, "count_lost": len(broken), "broken": broken}


_Reading = Callable[[dt.datetime, int], dt.datetime]
"""What a clock says, from the right time and how often it was read before."""


def _always(change: Callable[[dt.datetime], dt.datetime]) -> _Reading:
    return lambda now, _n: change(now)


def _once(change: Callable[[dt.datetime], dt.datetime]) -> _Reading:
    """Right until the night has begun."""
    return lambda now, n: change(now) if n > N_READ_TO_BEGIN else now


def _after(centre: Centre, base: Root, readings: list[_Reading]) -> Contents:
    """What is there after nights of wrong clocks, which may be refused, and right ones."""
    root = copy_root(base, "jumped")
    for reading in readings:
        with suppress(ClockError):
            _night(centre, root, BEGAN_AT + dt.timedelta(days=2, hours=12), reading)
    for now in RIGHT_NIGHTS:
        try:
            _night(centre, root, now, lambda now, _n: now)
        except ClockError as error:  # the wrong night counts as the last one: do as it says
            error.state.unlink()
            _night(centre, root, now, lambda now, _n: now)
    publish(root, SETTINGS, centre.bundle.model_id)
    return contents(root, centre.bundle.model_id, SETTINGS, ALL_TIMES)


def _night(centre: Centre, root: Root, now: dt.datetime, reading: _Reading) -> None:
    counted = iter(range(1_000_000))
    with simulated_clock(lambda: reading(now, next(counted))), only_run(root):
        began_at = begin_night(Lake(root.lake), utc_now())
        centre.work(root, began_at)
        keep_retention(root, KEEP, centre.bundle.model_id, began_at)
