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
from ser_batch.store.lake import FileState, Lake, Part
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
    file = lake.folder / FOLDER / f"{check}.json"
    before = _read(file)
    passed, failed = {}, []
    for part, state in states.items():
        name = part.relative.as_posix()
        if before.get(name) != state and is_behind(part):
            failed.append(part)
        else:
            passed[name] = state
    if passed != before:
        text = json.dumps(passed)
        write_text_atomic(file, f"{_digest(text)}\n{text}\n")
    return failed


def _read(file: Path) -> dict[str, str]:
    """State by part; none where the file is not as it was written."""
    try:
        stated, text = read_text(file).splitlines()
    except (OSError, ValueError):
        return {}
    states: dict[str, str] = json.loads(text) if stated == _digest(text) else {}
    return states


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
