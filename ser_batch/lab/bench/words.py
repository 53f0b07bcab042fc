"""What words add to the voice, by how often they fit the label, and how often chance adopts them.

Simulated: a customer says lines of the demo's scripts, of the mood that the annotator labels or,
the rest of the time, of another one. Callers that measure say other lines than those who teach. The
voice's probability has a fixed AUC and an error of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from ser_batch.arrays import BoolArray
from ser_batch.errors import ModelError
from ser_batch.lab.synthetic.scripts import MOOD_LINES, TOPIC_LINES
from ser_batch.training.words import Measured, WordsFigures, fit_head, worth

FITS = (0.5, 0.7, 0.9)
"""Shares of the segments whose words fit the label; at one half they say nothing of it."""
VOICE_AUC = 0.75
SHARE = 0.25
"""Of the segments that are dissatisfied."""
WITH_WORDS = 0.85
LINES_EACH = 2
CONTENT = ("neutral", "calm", "happiness")

Progress = Callable[[str, int, int], None]


def run(*, n_labels: int, n_runs: int, on_progress: Progress) -> dict[str, Any]:
    """Fit and fuse models of words on simulated labels.

    Args:
        n_labels: that teach, and as many that measure; two a caller
        n_runs: of each kind
        on_progress: called with what is done, how far, of how much

    Returns:
        JSON-able; a row a kind: how often the words were adopted, and mean AUCs
    """
    rows = []
    for fits in FITS:
        for is_new in (False, True):
            name = f"{'other' if is_new else 'the same'} lines, {fits:.0%} fit"
            found = []
            for number in range(n_runs):
                rng = np.random.default_rng([round(100 * fits), int(is_new), number])
                found.append(_fitted(rng, n_labels, fits, is_new=is_new))
                on_progress(name, number + 1, n_runs)
            rows.append({"words": name, **_summary([each for each in found if each], n_runs)})
    return {"n_labels": n_labels, "runs of each kind": n_runs, "rows": rows}


def _summary(found: list[WordsFigures], n_runs: int) -> dict[str, float]:
    names = ("auc_voice", "auc_words", "auc_fused")
    return {
        "adopted": sum(each.auc_gain_low > 0 for each in found) / n_runs,
        **{name: float(np.mean([getattr(each, name) for each in found])) for name in names},
    }


def _fitted(
    rng: np.random.Generator, n_labels: int, fits: float, *, is_new: bool
) -> WordsFigures | None:
    """The figures of one place; None where there are too few labels of a kind."""
    callers = [f"c{number // 2}" for number in range(n_labels)]
    teaching, measuring = (rng.random(n_labels) < SHARE for _ in range(2))
    halves = _lines(rng)
    try:
        model = fit_head(
            _texts(rng, teaching, fits, halves[0], share=1.0), teaching.astype(float), callers
        )
        measured = Measured(
            truth=measuring.astype(float),
            voice=expit(np.sqrt(2) * norm.ppf(VOICE_AUC) * measuring + rng.normal(size=n_labels)),
            texts=_texts(rng, measuring, fits, halves[int(is_new)], share=WITH_WORDS),
            callers=callers,
            recordings=callers,
        )
        return worth(model, measured, model.log_odds(measured.texts), n_learnt=n_labels)
    except ModelError:
        return None


Lines = dict[bool, list[str]]


def _lines(rng: np.random.Generator) -> tuple[Lines, Lines]:
    """Lines by whether they are dissatisfied, dealt in two halves that share none."""
    every = {True: _of_moods("anger"), False: _of_moods(*CONTENT)}
    halves: tuple[Lines, Lines] = {}, {}
    for mood, lines in every.items():
        order = rng.permutation(len(lines))
        for half in (0, 1):
            halves[half][mood] = [lines[i] for i in order[half::2]]
    return halves


def _of_moods(*moods: str) -> list[str]:
    found = [line for mood in moods for line in MOOD_LINES[mood]]
    return found + [
        line for lines in TOPIC_LINES.values() for mood in moods for line in lines[mood]
    ]


def _texts(
    rng: np.random.Generator, truth: BoolArray, fits: float, lines: Lines, *, share: float
) -> list[str]:
    """What is said in each segment; nothing in those beyond the share."""
    moods = truth == (rng.random(len(truth)) < fits)
    return [
        " ".join(rng.choice(lines[bool(mood)], LINES_EACH)) if rng.random() < share else ""
        for mood in moods
    ]
