"""What is remembered of an audio folder, and when it need not be listed again.

A file that is added, removed or renamed changes its folder's time of change; one that is written
in place does not. So a folder that is long as it was is looked at once in some nights, by turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ser_batch.config import digest
from ser_batch.store.settled import SETTLED_S, is_turn


@dataclass(frozen=True)
class Found:
    """A file that looks like a recording.

    Attributes:
        path: below the audio folder, with forward slashes
        size_bytes: size
        modified_ns: last change, ns since 1970
    """

    path: str
    size_bytes: int
    modified_ns: int


def folder_state(found: Sequence[Found], folder: str, *, rules: str, is_leaf: bool) -> str:
    """The state of a folder.

    Args:
        found: its recordings
        folder: its path
        rules: digest of what decides whether a file is a recording
        is_leaf: no folder lies in it

    Returns:
        digests of the rules and of names, sizes and times of change of the recordings, and their
        number; where the folder may be left out later, its time of change and that of the newest
        recording, ns since 1970
    """
    facts = digest_of((each.path, each.size_bytes, each.modified_ns) for each in found)
    state = f"{rules} {facts} {len(found)}"
    if not is_leaf or (changed_ns := _changed_ns(folder)) is None:
        return state
    newest_ns = max((each.modified_ns for each in found), default=0)
    return f"{state} {changed_ns} {newest_ns}"


def digest_of(found: Iterable[tuple[str, int, int]]) -> str:
    """Digest of paths, sizes and times of change of recordings, in the order of their names."""
    return digest([*found])


def n_found_of(state: str) -> int:
    """How many recordings a folder of this state holds."""
    return int(state.split()[2])


def is_settled(
    state: str, folder: str, *, rules: str, now_s: float, facts: Callable[[], str]
) -> bool:
    """Whether a folder is long as it was; when it is its turn, its recordings are looked at too.

    Args:
        state: of an earlier night; empty: it is not known
        folder: its path
        rules: as in `folder_state`
        now_s: the present, s since 1970
        facts: gives the `digest_of` its recordings as they are
    """
    fields = state.split()
    if len(fields) < 5 or fields[0] != rules or fields[3] != str(_changed_ns(folder)):
        return False
    latest_s = max(int(fields[3]), int(fields[4])) / 1e9
    if not 0 < latest_s < now_s - SETTLED_S:
        return False
    return not is_turn(int(fields[1], 16), now_s) or facts() == fields[1]


def _changed_ns(folder: str) -> int | None:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return None
