"""Flip bytes of stored files: whatever changes what is read must be noticed."""

from __future__ import annotations

import random
from pathlib import Path

from ser_batch.errors import SerError
from ser_batch.lab.bench.faults.centre import SETTINGS, Centre
from ser_batch.lab.bench.faults.contents import Contents, contents
from ser_batch.stages.verify import verify
from ser_batch.store.paths import Root


def flip(centre: Centre, base: Root, flips: int, rng: random.Random) -> dict[str, int]:
    """Flip bytes of each kind of file; how many changes nothing noticed."""
    expected = contents(base, centre.bundle.model_id, SETTINGS)
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
        if verify(base, SETTINGS):
            return False
        return contents(base, centre.bundle.model_id, SETTINGS) != expected
    except SerError:
        return False
    finally:
        path.write_bytes(whole)
