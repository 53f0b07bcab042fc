"""How far annotators agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import krippendorff
import numpy as np

from ser_batch.arrays import IntArray
from ser_batch.labels.history import CANNOT_TELL, Row
from ser_batch.labels.segment_name import segment_key


@dataclass(frozen=True)
class Agreement:
    """How far annotators agree on the emotion.

    Attributes:
        n_segments: with an answer
        n_annotators: who answered
        n_shared: segments in which two or more named an emotion: what the figures rest on
        n_cannot_tell: answers that named none
        alpha: Krippendorff's alpha, 1 perfect, 0 as by chance; None where it is not defined
        alpha_of: by emotion, of that one against all others
        share_agreed: of the pairs of answers that are alike, None without a pair
    """

    n_segments: int
    n_annotators: int
    n_shared: int
    n_cannot_tell: int
    alpha: float | None
    alpha_of: dict[str, float | None]
    share_agreed: float | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def agreement(decisions: Sequence[Row]) -> Agreement:
    """Agreement of the decisions that count.

    Source: Krippendorff (2011), "Computing Krippendorff's alpha-reliability", nominal values.

    Args:
        decisions: as `history.newest` gives them
    """
    by_segment: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for row in decisions:
        if row["emotion"] != CANNOT_TELL:
            by_segment[segment_key(row)][row["emotion"]] += 1
    shared = [counts for counts in by_segment.values() if counts.total() > 1]
    emotions = sorted({name for counts in shared for name in counts})
    table = np.array([[counts[name] for name in emotions] for counts in shared], np.int64)
    return Agreement(
        n_segments=len({segment_key(row) for row in decisions}),
        n_annotators=len({row["annotator"] for row in decisions}),
        n_shared=len(shared),
        n_cannot_tell=sum(row["emotion"] == CANNOT_TELL for row in decisions),
        alpha=_alpha(table),
        alpha_of={name: _alpha(_against_rest(table, i)) for i, name in enumerate(emotions)},
        share_agreed=_share_agreed(shared),
    )


def _alpha(table: IntArray) -> float | None:
    """Of counts by segment (row) and value (column); None where fewer than two values occur."""
    if not len(table) or np.count_nonzero(table.sum(axis=0)) < 2:
        return None
    return float(krippendorff.alpha(value_counts=table, level_of_measurement="nominal"))


def _against_rest(table: IntArray, column: int) -> IntArray:
    return np.stack([table[:, column], table.sum(axis=1) - table[:, column]], axis=1)


def _share_agreed(shared: Iterable[Counter[str]]) -> float | None:
    alike = pairs = 0
    for counts in shared:
        pairs += counts.total() * (counts.total() - 1)
        alike += sum(count * (count - 1) for count in counts.values())
    return alike / pairs if pairs else None
