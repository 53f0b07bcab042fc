"""What changed in the lake since the published file was built, down to the call dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from ser_batch.config import digest
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import CALLS, TableContract, column

PARTS_TABLE = "warehouse_parts"
"""One row a part of the lake: its state when the file was built."""
DAYS_TABLE = "warehouse_days"
"""One row a call date of the lake that may not have to be listed again."""


@dataclass(frozen=True)
class PartState:
    """A part of the lake across all tables.

    Attributes:
        files_id: digest of its files' tables, sizes, times of change and inodes
        call_dates: days on which its calls started
    """

    files_id: str
    call_dates: frozenset[dt.date]


PartStates = Mapping[Part, PartState]
SettledDays = Mapping[dt.date, str]
"""`settled_days` of the tables of calls."""

_SCHEMA = pa.schema(
    [
        column("date", pa.date32(), "call date of the folder that the part lies in"),
        column("part", pa.string(), "name of its files"),
        column("files_id", pa.string(), "digest of tables, sizes, times of change, inodes"),
        column("call_dates", pa.list_(pa.date32()), "days on which its calls started"),
    ]
)


def lake_states(
    lake: Lake,
    contracts: Iterable[TableContract],
    dates: Collection[dt.date],
    known: PartStates,
) -> dict[Part, PartState]:
    """State of every part of some dates; only those that changed are opened.

    Args:
        lake: whose
        contracts: tables of calls
        dates: of the parts
        known: states with the dates of calls, of which those of parts that are as they were hold
    """
    files: dict[Part, list[tuple[str, int, int, int]]] = {}
    for contract in contracts:
        for part, state in lake.files(contract, dates=sorted(dates)).items():
            files.setdefault(part, []).append((contract.name, *state))
    states = {}
    for part in sorted(files, key=lambda part: part.place):
        found = files[part]
        files_id = digest(found)
        before = known.get(part)
        if before is not None and before.files_id == files_id:
            states[part] = before
        else:
            states[part] = PartState(files_id, _call_dates(lake, part))
    return states


def changed_parts(before: PartStates, now: PartStates) -> dict[Part, frozenset[dt.date]]:
    """Parts that are new, changed or gone, with the call dates of their calls before and now."""
    return {
        part: frozenset[dt.date]().union(*(s[part].call_dates for s in (before, now) if part in s))
        for part in before.keys() | now.keys()
        if before.get(part) != now.get(part)
    }


def parts_of(
    states: PartStates, changed: Mapping[Part, object], dates: Iterable[dt.date]
) -> list[Part]:
    """Changed parts that hold calls of some dates now."""
    wanted = frozenset(dates)
    return [part for part, of in states.items() if part in changed and of.call_dates & wanted]


def write_states(
    con: duckdb.DuckDBPyConnection, states: PartStates, days: SettledDays, kept: Iterable[dt.date]
) -> None:
    """Keep the parts' states in the file that was built from them.

    Args:
        con: of the warehouse that is being built
        states: of parts
        days: all that are settled
        kept: dates of which the states of parts stay as they are
    """
    rows = [
        {
            "date": part.date,
            "part": part.name,
            "files_id": state.files_id,
            "call_dates": sorted(state.call_dates),
        }
        for part, state in states.items()
    ]
    con.register("part_states", pa.Table.from_pylist(rows, schema=_SCHEMA))
    con.execute(f"create table if not exists {PARTS_TABLE} as from part_states limit 0")
    con.execute(f"comment on table {PARTS_TABLE} is 'one row a part of the lake'")
    con.execute(
        f"delete from {PARTS_TABLE} where date not in (select unnest(?::date[]))", [[*kept]]
    )
    con.execute(f"insert into {PARTS_TABLE} from part_states")
    con.unregister("part_states")
    con.execute(
        f"create or replace table {DAYS_TABLE} as "
        "select unnest(?::date[]) as date, unnest(?::varchar[]) as state",
        [[*days], [*days.values()]],
    )
    con.execute(f"comment on table {DAYS_TABLE} is 'one row a call date of the lake'")


def read_days(con: duckdb.DuckDBPyConnection) -> dict[dt.date, str]:
    """The settled days as the published file knows them."""
    return dict(con.execute(f"select date, state from {DAYS_TABLE}").fetchall())


def read_states(
    con: duckdb.DuckDBPyConnection, but: Iterable[dt.date] = ()
) -> dict[Part, PartState]:
    """The parts' states as the published file knows them, without those of some dates."""
    rows = con.execute(
        f"select date, part, files_id, call_dates from {PARTS_TABLE} "
        "where date not in (select unnest(?::date[]))",
        [[*but]],
    ).fetchall()
    return {
        Part(date, name): PartState(files_id, frozenset(call_dates))
        for date, name, files_id, call_dates in rows
    }


def _call_dates(lake: Lake, part: Part) -> frozenset[dt.date]:
    started_at = lake.read(CALLS, [part], columns=["started_at"])["started_at"]
    return frozenset(time.date() for time in started_at.to_pylist() if time is not None)
