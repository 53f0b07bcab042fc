"""What an earlier run checked part by part, so that a night opens only what changed since.

A state is a digest of everything that a check depended on: what was wanted, and size, time of
change and inode of each file that it read. It is taken before the check and kept after it, so a
file that changes meanwhile is checked again. The lake stays the truth: what is not known here, or
is damaged here, is checked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.content import read_text
from ser_batch.store.lake import Lake, Part
from ser_batch.store.listing import FileState
from ser_batch.tables import TableContract

FOLDER = ".checked"
"""Below the lake's: a file a check, with the digest of what follows and the state of each part."""

States = dict[Part, str]


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


def state_of(wanted: object, files: Sequence[FileState | None]) -> str:
    """Digest of what a check depends on."""
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


def keep_known(lake: Lake, check: str, states: Mapping[str, str]) -> None:
    """Write down the state of each thing that passed a check; the root is held."""
    text = json.dumps(states)
    write_text_atomic(_file(lake, check), f"{_digest(text)}\n{text}\n")


def read_known(lake: Lake, check: str) -> dict[str, str]:
    """What `keep_known` wrote down; nothing where the file is not as it was written."""
    try:
        stated, text = read_text(_file(lake, check)).splitlines()
    except (OSError, ValueError):
        return {}
    states: dict[str, str] = json.loads(text) if stated == _digest(text) else {}
    return states


def _file(lake: Lake, check: str) -> Path:
    return lake.folder / FOLDER / f"{check}.json"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
