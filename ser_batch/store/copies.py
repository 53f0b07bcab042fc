"""The second copies of parts that nothing could make again: labels, metadata, tombstones, records.

Both copies are the same bytes. Where one is gone or damaged, the other takes its place; where both
are sound but differ, as after a kill between the two writes, the first one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ser_batch.errors import DamagedPartError
from ser_batch.store import part_file
from ser_batch.store.atomic import write_bytes_atomic
from ser_batch.store.checked import state_of, unlike_before, unlike_before_by_day
from ser_batch.store.disk import disk
from ser_batch.store.lake import COPIES, Lake, Part
from ser_batch.store.lock import only_writer
from ser_batch.tables import IRREPLACEABLE, WRITTEN_ANY_TIME, TableContract


@dataclass(frozen=True)
class Unlike:
    """A part of which the two copies are not the same.

    Attributes:
        table: its name
        sound: the copy that counts, None if both are damaged
        other: the copy to be replaced
    """

    table: str
    sound: Path | None
    other: Path


def unlike_copies(lake: Lake, *, deep: bool = False) -> Iterator[Unlike]:
    """Parts of which one copy is not the other's.

    Args:
        lake: the lake
        deep: read every byte; else what the ends of the files state is compared
    """
    for contract in IRREPLACEABLE:
        yield from _unlike(lake, contract, lake.parts(contract), deep=deep)


def _unlike(
    lake: Lake, contract: TableContract, parts: Iterable[Part], *, deep: bool
) -> Iterator[Unlike]:
    for part in parts:
        first, second = lake.places(contract, part)
        states = (_state(first, deep=deep), _state(second, deep=deep))
        if states[0] is None and states[1] is None:
            yield Unlike(contract.name, None, first)
        elif states[0] != states[1]:
            order = (first, second) if states[0] is not None else (second, first)
            sound = next(filter(is_sound, order), None)
            yield Unlike(contract.name, sound, second if sound == first else first)


def restore_copies(lake: Lake, *, deep: bool = False) -> int:
    """Make both copies the same again where one is sound; how many were not. The root is held.

    Unless all are read to their last byte, copies that were alike and did not change since are not
    opened.
    """
    n_restored = 0
    with ExitStack() as stack:
        for written in WRITTEN_ANY_TIME:  # people may answer now
            stack.enter_context(only_writer(lake.folder, written.name))
        for contract in IRREPLACEABLE:
            for unlike in _unlike(
                lake, contract, _to_compare(lake, contract, deep=deep), deep=deep
            ):
                if unlike.sound is not None:
                    write_bytes_atomic(unlike.other, part_file.read(unlike.sound), durable=True)
                    n_restored += 1
    return n_restored


def _to_compare(lake: Lake, contract: TableContract, *, deep: bool) -> Sequence[Part]:
    """Parts whose copies may not be alike."""
    if deep:
        return lake.parts(contract)
    check = f"copies-of-{contract.name}"

    def is_unlike(part: Part) -> bool:
        return any(_unlike(lake, contract, [part], deep=False))

    if contract.partitioned:
        return unlike_before_by_day(lake, check, "", [contract], is_unlike, copies=True)
    first, second = lake.files(contract), lake.files(contract, copies=True)
    states = {part: state_of("", [first.get(part), second.get(part)]) for part in first | second}
    return unlike_before(lake, check, states, is_unlike)


def discard_damaged(lake: Lake, path: Path) -> bool:
    """Delete a damaged part that the next night makes again; whether it is such a part."""
    if not path.is_relative_to(lake.folder):
        return False
    table = path.relative_to(lake.folder).parts[0]
    if table in (COPIES, *(contract.name for contract in IRREPLACEABLE)):
        return False
    disk().unlink(path)
    return True


def is_sound(path: Path) -> bool:
    """Whether every byte of a part is as it was written."""
    try:
        part_file.check(part_file.read(path), path)
    except (DamagedPartError, OSError):
        return False
    return True


def _state(path: Path, *, deep: bool) -> tuple[str, int] | None:
    """By what two copies are compared, None if there is none that could count."""
    try:
        state = part_file.stated_digest(path), path.stat().st_size
    except (DamagedPartError, OSError):
        return None
    return state if not deep or is_sound(path) else None
