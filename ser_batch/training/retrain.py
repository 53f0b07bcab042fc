"""Champion against challenger: compared on labels, registered, promoted only if it is better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import norm

from ser_batch.arrays import FloatArray
from ser_batch.config import RetrainSettings, Settings, digest
from ser_batch.errors import ModelError
from ser_batch.features.sets import get_feature_set
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.decide import score_segments
from ser_batch.scoring.models import promote
from ser_batch.scoring.registry import Registry
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.training.challenger import learnt_callers, left_out_by
from ser_batch.training.enough import leaving_out
from ser_batch.training.gate import (
    Answers,
    HoldoutSet,
    ModelComparison,
    compare_models,
    spent_level,
)
from ser_batch.training.material import Material, gather

POWER = 0.8
"""With which the difference is found that decides which labels measure."""
FLOW = "ser-batch retrain"
"""Who stands in the log for what nobody decided in person."""

NOTHING_MEASURES = (
    "no labelled segment measures it: label those that the queue draws by chance, of callers that "
    "no model learns from"
)


def compare(
    root: Root, settings: Settings, material: Material, champion: Bundle, challenger: Bundle
) -> ModelComparison | None:
    """Both models on the segments that measure; without those of callers that either learnt from.

    Labels that decided about other models before are used again only at a smaller probability of
    error, and not at all where fresh ones find a smaller difference.

    Returns:
        None if there is no such segment, or all are as dissatisfied
    """
    lake = Lake(root.lake)
    learnt = learnt_callers(lake, champion) | learnt_callers(lake, challenger)
    every = material.measured_by
    uses = _uses(root, every, challenger.model_id)
    unseen = [i for i, caller in enumerate(every.callers) if caller not in learnt]
    rows = _least_spent(unseen, uses, settings.retrain)
    if not len(rows):
        return None
    measured = every.take(rows)
    names = get_feature_set(settings.features.set).names
    answers = [
        _answers(bundle, material.features[rows], names, settings)
        for bundle in (champion, challenger)
    ]
    level = settings.retrain.dissatisfied
    known = set(champion.classes) & set(challenger.classes)
    found = compare_models(
        measured,
        answers[0],
        answers[1],
        {name: level.get(name, 0.0) for name in sorted(known)},
        settings.retrain,
        n_uses=max(uses[i] for i in rows),
    )
    return None if found is None else replace(found, measured=short_digests(measured.names))


def _answers(
    bundle: Bundle, features: FloatArray, names: Sequence[str], settings: Settings
) -> Answers:
    """What production says of some segments by a model."""
    scores = score_segments(bundle.predictor, features, names)
    return Answers(scores.dissatisfaction, ~scores.is_uncertain(settings.model))


def short_digests(names: Sequence[str]) -> tuple[str, ...]:
    """Of segments, as the log names those that decided about a model."""
    return tuple(digest(name)[:10] for name in names)


def _uses(root: Root, every: HoldoutSet, model_id: str) -> list[int]:
    """How many comparisons with other models each segment decided before."""
    decided = {
        entry.model_id: entry.figures.get("measured", ())
        for entry in Registry(root.models).entries()
        if entry.model_id != model_id and "measured" in entry.figures
    }
    counts = Counter(name for names in decided.values() for name in names)
    return [counts[name] for name in short_digests(every.names)]


def _least_spent(rows: Sequence[int], uses: Sequence[int], settings: RetrainSettings) -> list[int]:
    """The segments that find the smallest difference: fresh ones, or all at a spent level.

    The choice rests on their numbers alone, so it does not favour either model.
    """
    by_uses = {most: [i for i in rows if uses[i] <= most] for most in {uses[i] for i in rows}}
    if not by_uses:
        return []

    def smallest_difference(most: int) -> float:
        quantile = norm.isf(spent_level(settings.confidence, most)) + norm.ppf(POWER)
        return float(quantile / np.sqrt(len(by_uses[most])))

    return by_uses[min(by_uses, key=smallest_difference)]


def register_and_promote(
    root: Root,
    settings: Settings,
    champion: Bundle,
    challenger: Bundle,
    result: ModelComparison | None,
    *,
    may_promote: bool,
) -> tuple[bool, tuple[str, ...]]:
    """Write the challenger into the registry and promote it if it may be; the root is held.

    Returns:
        whether it was promoted, and why or why not
    """
    if challenger.model_id == champion.model_id:
        return False, ("it is the champion: nothing that was learnt is new",)
    registry, name = Registry(root.models), challenger.folder.name
    figures = {} if result is None else result.as_dict()
    if all(entry.model_id != challenger.model_id for entry in registry.entries()):
        why = [f"trained on {entry['title']}" for entry in challenger.manifest.training]
        registry.add("registered", challenger.model_id, name, who=FLOW, why=why)
    if result is None:
        reasons: tuple[str, ...] = (NOTHING_MEASURES,)
    else:
        reasons = result.reasons
    if result is None or not result.is_better:
        registry.add("refused", challenger.model_id, name, who=FLOW, why=reasons, figures=figures)
        return False, reasons
    if not may_promote:
        return False, (*reasons, "it was asked not to be promoted")
    promote(root, settings, name, who=FLOW, why=reasons, figures=figures)
    return True, reasons


def compare_with_champion(
    root: Root, settings: Settings, champion: Bundle, other: Bundle
) -> tuple[ModelComparison, tuple[str, ...]]:
    """Both models on the segments that measure, without the emotions that are left out.

    Left out are those of `retrain.leave_out` and those that the other model was trained without,
    as `retrain` compares them.

    Returns:
        the comparison, and the emotions that are left out

    Raises:
        ModelError: if the other model is the champion, or no segment measures them
    """
    if champion.model_id == other.model_id:
        raise ModelError(f"{other.model_id} is the champion: a model is compared with another one")
    chosen = leaving_out(settings, left_out_by(other))
    result = compare(root, chosen, gather(Lake(root.lake), chosen), champion, other)
    if result is None:
        raise ModelError(NOTHING_MEASURES)
    return result, chosen.retrain.leave_out
