"""Clips as a labels table, and back."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ser_batch.corpora.base import Clip

COLUMNS = ("path", "corpus", "speaker", "sex", "emotion", "intensity", "language", "licence")


def labels_csv(clips: Sequence[Clip], folder: Path) -> str:
    """The clips as CSV, their paths relative to a folder."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for clip in clips:
        path = clip.path.relative_to(folder).as_posix()
        writer.writerow([path, *(getattr(clip, name) or "" for name in COLUMNS[1:])])
    return text.getvalue()


def summary(clips: Sequence[Clip]) -> dict[str, Any]:
    """Counts of what was read."""
    return {
        "n_clips": len(clips),
        "n_speakers": len({clip.speaker for clip in clips}),
        "emotions": dict(sorted(Counter(clip.emotion for clip in clips).items())),
        "licences": sorted({clip.licence for clip in clips}),
    }
