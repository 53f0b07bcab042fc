"""How often the gate promotes: a model that is equal, and one that is better.

Simulated random labels and two models' probabilities go through the gate that `retrain` uses. Calls
of one caller share a deviation, both models share most of their noise, some segments split their
annotators, and of some no annotator can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, logit
from scipy.stats import binomtest, norm

from ser_batch.config import RetrainSettings
from ser_batch.training.gate import Answers, HoldoutSet, ModelComparison, compare_models

SHARE = 0.25
"""Of the segments that are dissatisfied."""
SHARED = 0.6
"""Of the variance of a model's noise that the other model has too; a third of it is by caller."""
TIES, CANNOT_TELL = 0.06, 0.06
TARGETS = {"anger": 1.0, "neutral": 0.0}
CHAMPION_AUC = 0.75
N_TRIES = 5
GOAL_EQUAL, GOAL_BETTER = 0.05, 0.80

Progress = Callable[[str, int, int], None]


def run(
    *, n_labels: int = 300, n_callers: int = 150, n_runs: int = 400, on_progress: Progress
) -> dict[str, Any]:
    """Promote simulated challengers.

    Args:
        n_labels: random labels
        n_callers: that they come from; some have many, most one or two
        n_runs: simulated comparisons of each kind
        on_progress: called with what is done, how far, of how much

    Returns:
        JSON-able; a row a kind of challenger with the share promoted and its Wilson interval
    """
    settings = RetrainSettings()
    kinds = {
        "equal": (0.0, 1, GOAL_EQUAL),
        f"equal, {N_TRIES} challengers in a row on the same labels": (0.0, N_TRIES, GOAL_EQUAL),
        "5 points worse": (-0.05, 1, GOAL_EQUAL),
        "5 points better": (0.05, 1, None),
        "10 points better": (0.10, 1, GOAL_BETTER),
    }
    rows = []
    for number, (name, (gain, n_tries, goal)) in enumerate(kinds.items()):
        promoted = 0
        for i in range(n_runs):
            rng = np.random.default_rng([number, i])
            promoted += _is_promoted(_Place(rng, n_labels, n_callers), gain, n_tries, settings)
            on_progress(name, i + 1, n_runs)
        low, high = _wilson(promoted, n_runs)
        rows.append(
            {
                "challenger": name,
                "promoted": promoted / n_runs,
                "low": low,
                "high": high,
                "goal": goal,
            }
        )
    return {"n_labels": n_labels, "n_callers": n_callers, "runs of each kind": n_runs, "rows": rows}


def _is_promoted(place: _Place, gain: float, n_tries: int, settings: RetrainSettings) -> bool:
    """Whether any of some challengers is promoted on the same labels."""
    champion = place.answers(CHAMPION_AUC)
    return any(
        found.is_better
        for n_uses in range(n_tries)
        if (found := place.compare(champion, CHAMPION_AUC + gain, settings, n_uses)) is not None
    )


class _Place:
    """Random labels of one place, and models that answer them."""

    def __init__(self, rng: np.random.Generator, n_labels: int, n_callers: int) -> None:
        self._rng = rng
        self._caller = rng.choice(n_callers, n_labels, p=rng.dirichlet(np.ones(n_callers)))
        tendency = rng.normal(0, 1, n_callers)[self._caller]
        self._is_dissatisfied = rng.random(n_labels) < expit(logit(SHARE) + tendency)
        self._shared = np.sqrt(SHARED / 3) * rng.normal(0, 1, n_callers)[self._caller]
        self._shared += np.sqrt(SHARED * 2 / 3) * rng.normal(0, 1, n_labels)
        odd = rng.random(n_labels)
        names = ("neutral", "anger")
        shares: list[dict[str, float]] = []
        for is_dissatisfied, chance in zip(self._is_dissatisfied, odd, strict=True):
            if chance < CANNOT_TELL:
                shares.append({})
            elif chance < CANNOT_TELL + TIES:
                shares.append({"anger": 0.5, "neutral": 0.5})
            else:
                shares.append({names[int(is_dissatisfied)]: 1.0})
        queues = rng.integers(0, 3, n_callers)[self._caller]
        sexes = rng.integers(0, 2, n_callers)[self._caller]
        self.labels = HoldoutSet(
            shares,
            [f"c{caller}" for caller in self._caller],
            [{"queue": f"q{q}", "sex": f"s{s}"} for q, s in zip(queues, sexes, strict=True)],
            [f"segment {i}" for i in range(n_labels)],
        )

    def answers(self, area: float) -> Answers:
        """A calibrated model with a given AUC; it abstains on the tenth nearest to its middle."""
        distance = np.sqrt(2) * norm.ppf(area)
        noise = self._shared + np.sqrt(1 - SHARED) * self._rng.normal(0, 1, len(self._shared))
        score = distance * self._is_dissatisfied + noise
        odds = logit(SHARE) + distance * (score - distance / 2)
        return Answers(expit(odds), np.abs(odds) >= np.quantile(np.abs(odds), 0.1))

    def compare(
        self, champion: Answers, area: float, settings: RetrainSettings, n_uses: int
    ) -> ModelComparison | None:
        """The gate's verdict on another model."""
        return compare_models(
            self.labels, champion, self.answers(area), TARGETS, settings, n_uses=n_uses
        )


def _wilson(hits: int, n: int) -> tuple[float, float]:
    ends = binomtest(hits, n).proportion_ci(method="wilson")
    return float(ends.low), float(ends.high)
