"""Days of the lake that need not be listed: nothing was added, replaced or removed in them.

That changes a folder's time of change; a file that is written in place does not. So a folder that
is long as it was is looked through once in some nights, by turns.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from pathlib import Path

from ser_batch.clock import utc_now
from ser_batch.store.atomic import sweep
from ser_batch.store.lake import COPIES, Lake
from ser_batch.store.listing import folders
from ser_batch.tables import TableContract

SETTLED_S = 7 * 86_400.0
"""s without a change after which a folder is looked through by turns."""
TURNS = 29
"""Nights in which every such folder is looked through once; a prime number, so that nights which
run every second day or once a week reach each folder too."""
_DAY_S = 86_400
_DATE = "date="


def is_turn(number: int, now_s: float) -> bool:
    """Whether a settled folder is looked through today.

    Args:
        number: any number of the folder's own
        now_s: the present, s since 1970
    """
    return (number + int(now_s // _DAY_S)) % TURNS == 0


def settled_days(
    lake: Lake, contracts: Iterable[TableContract], *, copies: bool = False
) -> dict[dt.date, str]:
    """By date of some tables' parts, when its folders changed; empty where they must be listed.

    It is asked for before the folders are listed: what is written meanwhile shows the next time.

    Args:
        lake: whose
        contracts: tables with a folder a date
        copies: also of the folders of their second copies
    """
    names = [contract.name for contract in contracts]
    if copies:
        names += [f"{COPIES}/{name}" for name in names]
    tables = [f"{lake.folder}/{name}" for name in names]
    dates = {name for table in tables for name in folders(Path(table), _DATE)}
    now_s = _now_s()
    return {
        date: _state([f"{table}/{name}" for table in tables], date, now_s)
        for name in sorted(dates)
        for date in [dt.date.fromisoformat(name.removeprefix(_DATE))]
    }


def sweep_unsettled(lake: Lake) -> int:
    """As `sweep`, without the days that settled; a leftover there goes when their turn comes.

    Only the run that holds the root's lock may call it.
    """
    now_s = _now_s()

    def is_settled(folder: str) -> bool:
        _, is_day, date = folder.rpartition(f"/{_DATE}")
        return bool(is_day and _state([folder], dt.date.fromisoformat(date), now_s))

    return sweep(lake.folder, is_left_out=is_settled)


def _state(places: Iterable[str], date: dt.date, now_s: float) -> str:
    changed = [*map(_changed_ns, places)]
    is_listed = is_turn(date.toordinal(), now_s) or max(changed) / 1e9 > now_s - SETTLED_S
    return "" if is_listed else " ".join(map(str, changed))


def _now_s() -> float:
    return utc_now().replace(tzinfo=dt.UTC).timestamp()


def _changed_ns(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - a path object costs more than the call
    except FileNotFoundError:
        return 0
