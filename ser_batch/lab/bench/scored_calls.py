"""Simulated calls as the product scores them, and what it says of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray
from ser_batch.config import Settings
from ser_batch.emotions import call_dissatisfaction, is_call_dissatisfied
from ser_batch.features.sets import FeatureSet
from ser_batch.lab.bench.analysed_calls import AnalysedCall, analysed_calls
from ser_batch.lab.bench.arcs import arc_class
from ser_batch.lab.bench.call_figures import CallResult
from ser_batch.lab.bench.simulated_calls import Voices
from ser_batch.progress import Progress
from ser_batch.scoring.decide import score_segments
from ser_batch.scoring.predictor import Predictor


@dataclass(frozen=True)
class Benchmark:
    """How calls are simulated and analysed.

    Attributes:
        settings: of the analysis, the decisions and the flag
        feature_set: that the model reads
        n_calls: a seed
        seeds: each simulates other calls
        cache: folder of analysed calls; None: nothing is kept
        on_progress: called with what is being done, the steps done, and all steps
    """

    settings: Settings
    feature_set: FeatureSet
    n_calls: int
    seeds: tuple[int, ...]
    cache: Path | None
    on_progress: Progress

    def calls(self, voices: Voices) -> list[list[AnalysedCall]]:
        """Analysed calls of each seed."""
        return [
            analysed_calls(
                voices,
                self.settings,
                self.feature_set,
                n_calls=self.n_calls,
                seed=seed,
                cache=self.cache,
                on_call=partial(self.on_progress, f"analysing calls, seed {seed}"),
            )
            for seed in self.seeds
        ]

    def scored(self, model: Predictor, calls: Sequence[AnalysedCall]) -> list[ScoredCall]:
        """Calls as the product scores them."""
        features = np.concatenate([call.features for call in calls])
        scores = score_segments(model, features, self.feature_set.names)
        ends = np.cumsum([len(call.segments) for call in calls])[:-1]
        value = np.split(scores.dissatisfaction, ends)
        uncertain = np.split(scores.is_uncertain(self.settings.model), ends)
        return [ScoredCall(*row) for row in zip(calls, value, uncertain, strict=True)]


@dataclass(frozen=True)
class ScoredCall:
    """What a model answers to a call's segments, with the product's abstention.

    Attributes:
        call: with its truth
        value: dissatisfaction of each segment, shape (n_segments,), 0..1
        is_uncertain: the product abstains, shape (n_segments,)
    """

    call: AnalysedCall
    value: DoubleArray
    is_uncertain: BoolArray

    @property
    def seconds(self) -> DoubleArray:
        """Length of each segment, shape (n_segments,)."""
        return np.asarray(np.diff(self.call.segments, axis=1)[:, 0], np.float64)


def call_result(scored: ScoredCall, settings: Settings) -> CallResult:
    """What the product says of a call: index, flag and arc, beside the truth."""
    rules = settings.dissatisfaction
    known = ~scored.is_uncertain
    value, seconds = scored.value[known], scored.seconds[known]
    enough = len(value) > 0 and seconds.sum() >= rules.min_scored_s
    call = scored.call
    return CallResult(
        speaker=call.speaker,
        corpus=call.corpus,
        kind=call.kind,
        true_share=call.true_share,
        true_change=call.true_change,
        index=call_dissatisfaction(value, seconds) if enough else float("nan"),
        plain_mean=float(value.mean()) if enough else float("nan"),
        is_flagged=is_call_dissatisfied(value, seconds, **rules.flag),
        arc=arc_class(value, seconds, rules),
        scored_s=float(seconds.sum()),
        speech_s=float(scored.seconds.sum()),
        segment_value=scored.value,
        segment_anger=call.anger,
    )
