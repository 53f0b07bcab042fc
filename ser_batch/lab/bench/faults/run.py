"""Inject a fault at every step of every operation, carry the operation out again, and compare."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from ser_batch.errors import ChoiceError
from ser_batch.lab.bench.faults.centre import Centre
from ser_batch.lab.bench.faults.flips import flip
from ser_batch.lab.bench.faults.jumps import jump
from ser_batch.lab.bench.faults.operations import Operation, operations
from ser_batch.lab.bench.faults.trial import COUNTS, Trial
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.store.paths import Root

FLIPS, JUMPS = "flips", "clock"
"""What is tried beside the operations, of the root that this one begins from."""
BASE = "publish"
LOSSES = ("count_lost", "count_unexpected", "count_silent_flips")
"""Figures that must be 0."""

OnProgress = Callable[[str, int, int], None]


def run(
    folder: Path,
    *,
    demo: DemoCalls | None = None,
    only: Collection[str] = (),
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
        only: names of operations, `flips`, `clock`; empty: all
        every: only every so many steps, beginning at random
        flips: bytes to flip in each kind of file
        kills: processes to kill, shared out among the operations
        seed: of what is drawn
        on_progress: called with an operation's name, how many are done, and of how many

    Returns:
        `count_faults`, `count_lost` (contents differ after the second try), `count_unexpected`
        (an error that no user should see, or a second writer that was not refused),
        `count_second_writers`, `count_clock_jumps`, `count_flips`, `count_silent_flips`,
        `count_kills`, and the same for each operation in `operations`

    Raises:
        ChoiceError: if there is no such operation
    """
    rng = random.Random(seed)
    centre = Centre.make(folder, demo)
    every_one = operations(centre)
    names = [*(operation.name for operation in every_one), FLIPS, JUMPS]
    if unknown := set(only) - set(names):
        raise ChoiceError(f"there is no operation {min(unknown)!r}; there are {', '.join(names)}")
    wanted = [each for each in every_one if not only or each.name in only]
    totals: Counter[str] = Counter(dict.fromkeys((*COUNTS, *LOSSES), 0))
    rows = []
    for number, operation in enumerate(wanted, start=1):
        n_kills = kills // len(wanted) + (number <= kills % len(wanted))
        trial = Trial(centre, operation, _prepared(folder / operation.name, operation))
        rows.append(trial.run(every=every, n_kills=n_kills, rng=rng))
        on_progress(operation.name, number, len(wanted))
    [base] = [each for each in every_one if each.name == BASE]
    if not only or JUMPS in only:
        before = _prepared(folder / JUMPS, base)
        centre.receive_later()
        rows.append({"operation": JUMPS, **jump(centre, before)})
    for row in rows:
        totals.update({name: value for name, value in row.items() if name.startswith("count_")})
    if not only or FLIPS in only:
        totals.update(flip(centre, _prepared(folder / FLIPS, base), flips, rng))
    return {**totals, "operations": rows}


def _prepared(folder: Path, operation: Operation) -> Root:
    root = Root(folder / "root")
    root.path.mkdir(parents=True)
    operation.prepare(root)
    return root
