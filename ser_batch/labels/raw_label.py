"""A label as a file states it, before anybody judged it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RawLabel:
    """A row as it stands in a file.

    Attributes:
        row: number in the file, from 1
        segment: the segment's name
        emotions: what was chosen; none where nothing was yet
        annotator: who, empty where the file does not say
        made_at: when, as the file writes it; empty where it does not
    """

    row: int
    segment: str
    emotions: tuple[str, ...]
    annotator: str
    made_at: str
