"""What an earlier run checked part by part, so that a night opens only what changed since.

A state is a digest of everything that a check depended on: what was wanted, and size, time of
change and inode of each file that it read. It is taken before the check and kept after it, so a
file that changes meanwhile is checked again. The lake stays the truth: what is not known here, or
is damaged here, is checked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.content import read_text
from ser_batch.store.lake import Lake, Part
from ser_batch.store.settled import settled_days
from ser_batch.tables import TableContract

FOLDER = ".checked"
"""Below the lake's: a file a check, with the digest of what follows and the state of each part."""

States = dict[Part, str]
Beside = Callable[[dt.date, str], object]


def file_states(
    lake: Lake, wanted: object, contracts: Iterable[TableContract], parts: Iterable[Part]
) -> States:
    """The present state of some parts.

    Args:
        lake: whose
        wanted: what is checked beside the files
        contracts: tables in which the parts' files are read
        parts: which
    """
    tables = [lake.files(contract) for contract in contracts]
    return {part: state_of(wanted, [files.get(part) for files in tables]) for part in parts}


def state_of(wanted: object, files: Sequence[object]) -> str:
    """Digest of what a check depends on: of what is wanted, and of the state of each file."""
    return hashlib.blake2b(repr((wanted, files)).encode(), digest_size=8).hexdigest()


def unlike_before(
    lake: Lake, check: str, states: Mapping[Part, str], is_behind: Callable[[Part], bool]
) -> list[Part]:
    """Parts that fail a check; those whose state passed it in an earlier run are not opened.

    Args:
        lake: whose; the root is held
        check: its name
        states: of all parts, taken before
        is_behind: the check
    """
    before = read_known(lake, check)
    passed, failed = {}, []
    for part, state in states.items():
        name = part.place
        if before.get(name) != state and is_behind(part):
            failed.append(part)
        else:
            passed[name] = state
    if passed != before:
        keep_known(lake, check, passed)
    return failed


def unlike_before_by_day(
    lake: Lake,
    check: str,
    wanted: object,
    contracts: Sequence[TableContract],
    is_behind: Callable[[Part], bool],
    *,
    parts_of: Callable[[dt.date], Iterable[Part]] | None = None,
    beside: Beside = lambda _date, _name: None,
    copies: bool = False,
) -> list[Part]:
    """As `unlike_before`, for many days: those that are as they were are not even listed.

    Args:
        lake: whose; the root is held
        check: its name
        wanted: what is checked beside the files
        contracts: tables, with a folder a date, in which the parts' files are read
        is_behind: the check
        parts_of: the parts of a date that are checked; None: all of these tables
        beside: what else the check of a part depends on, by its date and name; what is false
            counts as nothing
        copies: second copies are read too
    """
    before = read_known(lake, check)
    failed: list[Part] = []
    now: dict[str, list[Any]] = {}
    for date, changed in settled_days(lake, contracts, copies=copies).items():
        known_state, known = before.get(name := str(date), ("", {}))
        if changed and known_state == _day_state(wanted, changed, date, known, beside):
            now[name] = before[name]
            continue
        kinds = (False, True) if copies else (False,)
        files = [lake.files(each, copies=k, dates=[date]) for each in contracts for k in kinds]
        parts = sorted(parts_of(date) if parts_of else set().union(*files))
        passed = {}
        for part in parts:
            found = [*(of_table.get(part) for of_table in files), beside(date, part.name)]
            state = state_of(wanted, found)
            if known.get(part.name) != state and is_behind(part):
                failed.append(part)
            else:
                passed[part.name] = state
        all_passed = changed and len(passed) == len(parts)
        day_state = _day_state(wanted, changed, date, passed, beside) if all_passed else ""
        now[name] = [day_state, passed]
    if now != before:
        keep_known(lake, check, now)
    return failed


def _day_state(
    wanted: object, changed: str, date: dt.date, names: Iterable[str], beside: Beside
) -> str:
    """Digest of what the check of a settled day depends on."""
    found = [(name, other) for name in names if (other := beside(date, name))]
    return state_of((wanted, changed), found)


def keep_known(lake: Lake, check: str, states: Mapping[str, object]) -> None:
    """Write down the state of each thing that passed a check; the root is held."""
    text = json.dumps(states)
    write_text_atomic(_file(lake, check), f"{_digest(text)}\n{text}\n")


def read_known(lake: Lake, check: str) -> dict[str, Any]:
    """What `keep_known` wrote down; nothing where the file is not as it was written."""
    try:
        stated, text = read_text(_file(lake, check)).splitlines()
    except (OSError, ValueError):
        return {}
    states: dict[str, Any] = json.loads(text) if stated == _digest(text) else {}
    return states


def _file(lake: Lake, check: str) -> Path:
    return lake.folder / FOLDER / f"{check}.json"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
