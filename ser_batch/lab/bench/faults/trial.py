"""One operation under every fault: it is carried out again, and the outcome compared."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ser_batch.errors import DamagedPartError, SerError
from ser_batch.lab.bench.faults.centre import Centre
from ser_batch.lab.bench.faults.contents import contents, files
from ser_batch.lab.bench.faults.disk import (
    FAULTS,
    Fault,
    FaultyDisk,
    MeetingDisk,
    SteppedDisk,
    Stopped,
)
from ser_batch.lab.bench.faults.kill import kill_during
from ser_batch.lab.bench.faults.operations import Operation
from ser_batch.lab.bench.faults.others import Others
from ser_batch.stages.verify import verify
from ser_batch.store.copies import discard_damaged, restore_copies
from ser_batch.store.disk import simulated
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root

Problem = tuple[str, str]
"""The figure that it counts in, and what it is."""

PATIENCE_S = 120.0
COUNTS = (
    "count_faults",
    "count_kills",
    "count_second_writers",
    "count_clock_jumps",
    "count_lost",
    "count_unexpected",
)


class Trial:
    """One operation under every fault.

    Args:
        centre: whose
        operation: what is tried
        base: the root that it begins from, which stays as it is
    """

    def __init__(self, centre: Centre, operation: Operation, base: Root) -> None:
        self.centre, self.operation, self.base = centre, operation, base
        counting = SteppedDisk()
        clean = copy_root(base, "clean")
        with simulated(counting):
            operation.run(clean)
        self.n_steps = counting.n_steps
        self.expected = contents(clean, centre.bundle.model_id, operation.settings)
        self.files = files(clean.path)

    def run(self, *, every: int, n_kills: int, rng: random.Random) -> dict[str, Any]:
        """All faults and second writers at every so many steps, and some kills."""
        counts: Counter[str] = Counter()
        broken = []

        def count(problem: Problem | None, what: str) -> None:
            if problem:
                counts[problem[0]] += 1
                broken.append(f"{what}: {problem[1]}")

        for at, fault in _faults(self.n_steps, every, rng):
            counts["count_faults"] += 1
            count(self._inject(FaultyDisk(at, fault)), f"{fault} at step {at}")
        for at in range(rng.randrange(every), self.n_steps, every):
            others = Others(self.centre, copy_root(self.base, "tried"), self.operation)
            count(self._meet(at, others), f"second writers at step {at}")
            counts["count_second_writers"] += others.n
        killed = [copy_root(self.base, f"killed{number}") for number in range(n_kills)]
        counts["count_kills"] += kill_during(self.centre, self.operation.name, killed, rng)
        for root in killed:
            count(self._finish(root), "killed")
        figures = {name: counts[name] for name in COUNTS if name != "count_clock_jumps"}
        return {
            "operation": self.operation.name,
            "steps": self.n_steps,
            **figures,
            "broken": broken,
        }

    def _inject(self, disk: FaultyDisk) -> Problem | None:
        """What one fault broke, None if nothing."""
        root = copy_root(self.base, "tried")
        try:
            with simulated(disk), suppress(Stopped):
                self.operation.run(root)
        except (OSError, SerError):
            pass  # a message of one line
        except Exception as error:
            return "count_unexpected", repr(error)
        return self._finish(root)

    def _meet(self, at: int, others: Others) -> Problem | None:
        """What was lost because others wrote, too; None if nothing."""
        root = others.root
        disk = MeetingDisk(at, others.come)
        try:
            with simulated(disk):
                self.operation.run(root)
        except Exception as error:
            return "count_unexpected", repr(error)
        disk.other.join(PATIENCE_S)
        if disk.other.is_alive():
            return "count_unexpected", f"another program still waits after {PATIENCE_S:.0f} s"
        if others.problems:
            return "count_unexpected", others.problems[0]
        problem = self._finish(root)
        return problem or (("count_lost", lost) if (lost := others.lost()) else None)

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
        if not root.warehouse.exists() and files(root.path) == self.files:
            return None  # byte for byte what the undisturbed run left
        settings = self.operation.settings
        found = contents(root, self.centre.bundle.model_id, settings)
        different = sorted(name for name in self.expected if found[name] != self.expected[name])
        if different:
            return "count_lost", f"other rows in {', '.join(different)}"
        if findings := verify(root, settings):
            return "count_lost", f"{findings[0].path.name}: {findings[0].what}"
        return None


def copy_root(base: Root, name: str) -> Root:
    """A copy beside a root, in place of an earlier one of that name."""
    folder: Path = base.path.parent / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base.path, folder / "root")
    return Root(folder / "root")


def _faults(n_steps: int, every: int, rng: random.Random) -> Iterator[tuple[int, Fault]]:
    for fault in FAULTS:
        for at in range(rng.randrange(every), n_steps, every):
            yield at, fault
