"""Processes that carry an operation out and are killed at random moments, with SIGKILL."""

from __future__ import annotations

import multiprocessing
import random
import time
from multiprocessing.connection import Connection

from ser_batch.lab.bench.faults.centre import Centre
from ser_batch.lab.bench.faults.operations import operations
from ser_batch.store.paths import Root

PATIENCE_S = 300.0


def kill_during(centre: Centre, name: str, roots: list[Root], rng: random.Random) -> int:
    """Carry an operation out on each root in one process after another, and kill it.

    Args:
        centre: whose operation
        name: of the operation
        roots: where it begins; it ends in an unknown state
        rng: draws the moments

    Returns:
        how many processes were killed before they were done
    """
    context = multiprocessing.get_context("spawn")
    took_s, n_killed = 1.0, 0
    for root in roots:
        ours, theirs = context.Pipe()
        process = context.Process(target=_carry_out, args=(centre, name, root, theirs))
        process.start()
        if not ours.poll(PATIENCE_S):
            process.kill()
            raise TimeoutError(f"a process for {name} did not begin in {PATIENCE_S:.0f} s")
        ours.recv()
        began_s = time.monotonic()
        if ours.poll(rng.uniform(0, took_s)):
            took_s = time.monotonic() - began_s
        else:
            process.kill()
            n_killed += 1
        process.join()
    return n_killed


def _carry_out(centre: Centre, name: str, root: Root, pipe: Connection) -> None:
    [operation] = [each for each in operations(centre) if each.name == name]
    pipe.send("ready")
    operation.run(root)
    pipe.send("done")
