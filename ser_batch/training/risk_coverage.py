"""Risk and coverage: how many answers are wrong where only the surest are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray

COVERAGES = (0.5, 0.7, 0.9)
"""At which the risk is reported."""
N_POINTS = 20
"""Of the curve, evenly spread over the coverage."""
HEAD = (
    "corpus",
    "output",
    "risk",
    *(f"at coverage {coverage:g}" for coverage in reversed(COVERAGES)),
    "area",
    "AUC error",
)
"""Of the tables that the card and `evaluate` show, with the rows of `risk_rows`."""
AUC_OF = {"dissatisfaction": "auc_error_dissatisfaction", "emotion": "auc_error"}


def risk_coverage(is_right: BoolArray, confidence: DoubleArray) -> dict[str, Any]:
    """The risk where only the surest share of the answers is given.

    Source: Geifman and El-Yaniv (2017), "Selective classification for deep neural networks".

    Args:
        is_right: of each answer, shape (n,)
        confidence: by which answers are chosen, shape (n,); equal ones are drawn by chance

    Returns:
        JSON-able: risk, the share of wrong answers; risk_at, the same of the surest share, by
        coverage; area below the curve, 0 best, risk where confidence says nothing; curve, pairs of
        coverage and risk
    """
    risks = _risks(is_right, confidence)
    n = len(risks)

    def at(coverage: float) -> float:
        return float(risks[max(int(np.ceil(coverage * n - 1e-9)), 1) - 1])

    points = [(number + 1) / N_POINTS for number in range(N_POINTS)]
    return {
        "risk": at(1.0),
        "risk_at": {f"{coverage:g}": at(coverage) for coverage in COVERAGES},
        "area": float(risks.mean()),
        "curve": [[coverage, at(coverage)] for coverage in points],
    }


def risk_rows(name: str, figures: Mapping[str, Any]) -> list[list[str]]:
    """A corpus's rows below `HEAD`, one an output.

    Args:
        name: of the corpus
        figures: as `decided.decided_figures` gives them
    """
    rows = []
    for output, auc in AUC_OF.items():
        found = figures["risk_coverage"][output]
        at = [found["risk_at"][f"{coverage:g}"] for coverage in reversed(COVERAGES)]
        values = [found["risk"], *at, found["area"], figures[auc]]
        rows.append([name, output, *("-" if v is None else f"{v:.3f}" for v in values)])
    return rows


def _risks(is_right: BoolArray, confidence: DoubleArray) -> DoubleArray:
    """Share of wrong answers among the surest 1, 2, … n, shape (n,)."""
    _, place, counts = np.unique(-confidence, return_inverse=True, return_counts=True)
    wrong = np.bincount(place, weights=~is_right) / counts  # mean of each group of equal ones
    return np.asarray(np.cumsum(np.repeat(wrong, counts)) / np.arange(1, len(place) + 1))
