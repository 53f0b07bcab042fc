"""Inject a fault at every step of every operation, carry the operation out again, and compare."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from ser_batch import warehouse
from ser_batch.errors import DamagedPartError, SerError
from ser_batch.lab.bench.faults.centre import SETTINGS, Centre
from ser_batch.lab.bench.faults.disk import FAULTS, Fault, FaultyDisk, Stopped
from ser_batch.lab.bench.faults.kill import kill_during
from ser_batch.lab.bench.faults.operations import Operation, operations
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.scoring.registry import Registry
from ser_batch.stages.shard import features_of
from ser_batch.stages.verify import verify
from ser_batch.store.copies import discard_damaged, restore_copies
from ser_batch.store.disk import simulated
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    ERASED,
    FILES,
    LABEL_QUEUE,
    LABELS,
    METADATA,
    QUARANTINE,
    RECORDINGS,
    SEGMENTS,
    TableContract,
    predictions_contract,
)

TIMES = ("erased_at", "imported_at")
"""Columns that say when something was done: a second try is later."""

Contents = dict[str, str | list[str]]
Problem = tuple[str, str]
"""The figure that it counts in, and what it is."""

OnProgress = Callable[[str, int, int], None]


def run(
    folder: Path,
    *,
    demo: DemoCalls | None = None,
    every: int = 1,
    flips: int = 20,
    kills: int = 0,
    seed: int = 1,
    on_progress: OnProgress = lambda _name, _done, _total: None,
) -> dict[str, Any]:
    """Try faults; what came of them.

    Args:
        folder: an empty one, for roots and simulated calls
        demo: simulated calls that are there; None: they are made
        every: only every so many steps, beginning at random
        flips: bytes to flip in each kind of file
        kills: processes to kill, shared out among the operations
        seed: of what is drawn
        on_progress: called with an operation's name, how many are done, and of how many

    Returns:
        `count_faults`, `count_lost` (contents differ after the second try),
        `count_unexpected` (an error that no user should see), `count_flips`,
        `count_silent_flips`, `count_kills`, and the same for each operation in `operations`
    """
    rng = random.Random(seed)
    centre = Centre.make(folder, demo)
    wanted = operations(centre)
    bases = [_prepared(folder / operation.name, operation) for operation in wanted]
    rows = []
    for number, (operation, base) in enumerate(zip(wanted, bases, strict=True), start=1):
        n_kills = kills // len(wanted) + (number <= kills % len(wanted))
        trial = _Trial(centre, operation, base)
        rows.append(trial.run(every=every, n_kills=n_kills, rng=rng))
        on_progress(operation.name, number, len(wanted))
    totals: Counter[str] = Counter()
    for row in rows:
        totals.update({name: value for name, value in row.items() if name.startswith("count_")})
    return {**totals, **_flip(centre, bases[-2], flips, rng), "operations": rows}


def _prepared(folder: Path, operation: Operation) -> Root:
    root = Root(folder / "root")
    root.path.mkdir(parents=True)
    operation.prepare(root)
    return root


class _Trial:
    """One operation under every fault.

    Args:
        centre: whose
        operation: what is tried
        base: the root that it begins from, which stays as it is
    """

    def __init__(self, centre: Centre, operation: Operation, base: Root) -> None:
        self.centre, self.operation, self.base = centre, operation, base
        counting = FaultyDisk()
        clean = _copy(base, "clean")
        with simulated(counting):
            operation.run(clean)
        self.n_steps = counting.n_steps
        self.expected = contents(clean, centre)
        self.files = _files(clean)

    def run(self, *, every: int, n_kills: int, rng: random.Random) -> dict[str, Any]:
        """All faults at every so many steps, and some kills."""
        counts: Counter[str] = Counter()
        broken = []
        for at, fault in _faults(self.n_steps, every, rng):
            counts["count_faults"] += 1
            if problem := self._inject(FaultyDisk(at, fault)):
                counts[problem[0]] += 1
                broken.append(f"{fault} at step {at}: {problem[1]}")
        killed = [_copy(self.base, f"killed{number}") for number in range(n_kills)]
        counts["count_kills"] += kill_during(self.centre, self.operation.name, killed, rng)
        for root in killed:
            if problem := self._finish(root):
                counts[problem[0]] += 1
                broken.append(f"killed: {problem[1]}")
        names = ("count_faults", "count_kills", "count_lost", "count_unexpected")
        figures = {name: counts[name] for name in names}
        return {
            "operation": self.operation.name,
            "steps": self.n_steps,
            **figures,
            "broken": broken,
        }

    def _inject(self, disk: FaultyDisk) -> Problem | None:
        """What one fault broke, None if nothing."""
        root = _copy(self.base, "tried")
        try:
            with simulated(disk), suppress(Stopped):
                self.operation.run(root)
        except (OSError, SerError):
            pass  # a message of one line
        except Exception as error:
            return "count_unexpected", repr(error)
        return self._finish(root)

    def _run_again(self, root: Root) -> None:
        """As nights do: one that meets a torn file deletes it, the next makes it again."""
        try:
            self.operation.run(root)
        except DamagedPartError as error:
            if not discard_damaged(Lake(root.lake), error.path):
                raise
            self.operation.run(root)

    def _finish(self, root: Root) -> Problem | None:
        """Carry the operation out again; what is not as it should be then, None if nothing."""
        try:
            self._run_again(root)
        except Exception as error:
            return "count_lost", f"the second try ends with {error!r}"
        restore_copies(Lake(root.lake))  # what a night begins with
        if not root.warehouse.exists() and _files(root) == self.files:
            return None  # byte for byte what the undisturbed run left
        found = contents(root, self.centre)
        different = sorted(name for name in self.expected if found[name] != self.expected[name])
        if different:
            return "count_lost", f"other rows in {', '.join(different)}"
        if findings := verify(root, SETTINGS):
            return "count_lost", f"{findings[0].path.name}: {findings[0].what}"
        return None


def _faults(n_steps: int, every: int, rng: random.Random) -> Iterator[tuple[int, Fault]]:
    for fault in FAULTS:
        for at in range(rng.randrange(every), n_steps, every):
            yield at, fault


def _copy(base: Root, name: str) -> Root:
    folder = base.path.parent / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base.path, folder / "root")
    return Root(folder / "root")


def _files(root: Root) -> dict[Path, bytes]:
    """Every file below a root, by digest."""
    return {
        path.relative_to(root.path): hashlib.blake2b(path.read_bytes(), digest_size=16).digest()
        for path in root.path.rglob("*")
        if path.is_file()
    }


def contents(root: Root, centre: Centre) -> Contents:
    """Rows of every table, the registry and the warehouse, without the times of their making."""
    lake = Lake(root.lake)
    predictions = predictions_contract(centre.bundle.model_id)
    tables = (
        FILES, METADATA, CALLS, RECORDINGS, CHANNELS, SEGMENTS, features_of(SETTINGS), predictions,
        QUARANTINE, LABELS, LABEL_QUEUE, ERASED,
    )  # fmt: skip
    found: Contents = {table.name: _digest(table, lake.read(table)) for table in tables}
    entries = Registry(root.models).entries()
    found["registry"] = [f"{entry.event} {entry.folder}" for entry in entries]
    found["warehouse"] = _warehouse(root) if root.warehouse.exists() else []
    return found


def _warehouse(root: Root) -> list[str]:
    with warehouse.connect(root.warehouse) as con:
        return sorted(map(str, con.execute("from call_summary").fetchall()))


def _digest(contract: TableContract, rows: pa.Table) -> str:
    """Digest of the rows in order of their key; a tombstone may stand twice."""
    names = [name for name in contract.arrow.names if name not in TIMES]
    rows = rows.select(names)
    if contract is ERASED:
        rows = rows.group_by(names).aggregate([])
    ordered = rows.sort_by([(name, "ascending") for name in contract.key]).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, ordered.schema) as stream:
        stream.write_table(ordered)
    return hashlib.blake2b(sink.getvalue()).hexdigest()


def _flip(centre: Centre, base: Root, flips: int, rng: random.Random) -> dict[str, int]:
    """Flip bytes of each kind of file; how many changes nothing noticed."""
    expected = contents(base, centre)
    kinds: dict[str, list[Path]] = {}
    for path in sorted(base.path.rglob("*")):
        if path.is_file() and path.suffix in (".parquet", ".duckdb", ".jsonl"):
            kinds.setdefault(str(path.relative_to(base.path).parent), []).append(path)
    n_flips = n_silent = 0
    for paths in kinds.values():
        for _ in range(flips):
            path = rng.choice(paths)
            n_flips += 1
            n_silent += _is_silent(centre, base, path, expected, rng)
    return {"count_flips": n_flips, "count_silent_flips": n_silent}


def _is_silent(
    centre: Centre, base: Root, path: Path, expected: Contents, rng: random.Random
) -> bool:
    """Whether a flipped byte changes what is read, and verifying finds nothing."""
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    path.write_bytes(flipped)
    try:
        return not verify(base, SETTINGS) and contents(base, centre) != expected
    except SerError:
        return False
    finally:
        path.write_bytes(whole)
