"""What the teacher says of the clean clips, kept on disk so that a run can go on where it ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ser_batch.arrays import FloatArray
from ser_batch.lab.distill.material import LENGTHS_S, Material

STATES_PER_SECOND = 50
PART = 512
"""Clips a file."""

Teach = Callable[[FloatArray], list[FloatArray]]
"""From a clean clip to its states after each wanted block, shape (n_states, width)."""


@dataclass(frozen=True)
class Targets:
    """States of every clip, and how they spread.

    Attributes:
        parts: of `PART` clips each, clip after clip, shape (n_states, n_blocks, width), float16
        firsts: where each clip begins in its part, shape (n_clips + 1,)
        mean: of each number of a state, shape (n_blocks, width)
        std: same shape
    """

    parts: tuple[NDArray[np.float16], ...]
    firsts: NDArray[np.int64]
    mean: FloatArray
    std: FloatArray

    def of(self, number: int) -> NDArray[np.float16]:
        """States of a clip, shape (n_states, n_blocks, width)."""
        part = number // PART
        first = self.firsts[number] - self.firsts[part * PART]
        n_states = self.firsts[number + 1] - self.firsts[number]
        return self.parts[part][first : first + n_states]


def teach(
    material: Material,
    teacher: Teach,
    folder: Path,
    *,
    on_part: Callable[[int, int], None] = lambda _done, _total: None,
) -> Targets:
    """The teacher's states of all clips; parts that are there already are kept.

    Args:
        material: the clips
        teacher: from a clean clip to its states
        folder: of these clips and this teacher
        on_part: called with how many parts are done, of how many
    """
    folder.mkdir(parents=True, exist_ok=True)
    firsts = np.concatenate([[0], np.cumsum([n_states(cut.length) for cut in material.cuts])])
    n_parts = -(-len(material.cuts) // PART)
    paths = [folder / f"states_{part:04d}.npy" for part in range(n_parts)]
    for part, path in enumerate(paths):
        if not path.exists():
            clips = range(part * PART, min((part + 1) * PART, len(material.cuts)))
            states = [np.stack(teacher(material.clip(clip)), axis=1) for clip in clips]
            unfinished = path.with_suffix(".unfinished.npy")
            np.save(unfinished, np.concatenate(states).astype(np.float16), allow_pickle=False)
            unfinished.replace(path)
        on_part(part + 1, n_parts)
    parts = tuple(np.load(path, mmap_mode="r", allow_pickle=False) for path in paths)
    mean, std = _spread(parts, folder / "spread.json")
    return Targets(parts, firsts, mean, std)


def n_states(length: int) -> int:
    """States of a clip of a length."""
    return round(LENGTHS_S[length] * STATES_PER_SECOND)


def _spread(parts: tuple[NDArray[np.float16], ...], path: Path) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of the states, from every eighth of them."""
    if not path.exists():
        some = np.concatenate([part[::8] for part in parts]).astype(np.float64)
        mean, std = some.mean(axis=0), np.maximum(some.std(axis=0), 1e-4)
        path.write_text(json.dumps({"mean": mean.tolist(), "std": std.tolist()}))
    found = json.loads(path.read_text())
    return np.array(found["mean"], np.float32), np.array(found["std"], np.float32)
