"""The time of now, in UTC: every time that is stored or compared comes from here.

One home, so that a simulated clock can take its place: one that jumps.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Clock = Callable[[], dt.datetime]
"""Says the present in UTC, without time zone."""


def _machine_clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


class _Used:
    clock: Clock = staticmethod(_machine_clock)


def utc_now() -> dt.datetime:
    """The present in UTC, without time zone, as the tables carry it."""
    return _Used.clock()


@contextmanager
def simulated_clock(clock: Clock) -> Iterator[None]:
    """Let another clock take the place of the machine's in this process."""
    before = _Used.clock
    _Used.clock = staticmethod(clock)
    try:
        yield
    finally:
        _Used.clock = staticmethod(before)
