"""Calibrate: the champion's probability of dissatisfaction refitted to a root's random labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ser_batch.arrays import DoubleArray
from ser_batch.config import RetrainSettings, Settings
from ser_batch.errors import ModelError
from ser_batch.features.sets import get_feature_set
from ser_batch.monitoring.reference import write_recalibrated_reference
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.choose import load_model
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.training.challenger import learnt_callers
from ser_batch.training.derive import derive
from ser_batch.training.material import Material, gather
from ser_batch.training.refit import Refit, refitted
from ser_batch.training.retrain import short_digests

SUFFIX = "-calibrated"
MIN_EACH = 10
"""Labels, counted by the shares of their annotators, that are dissatisfied, and that are not."""


@dataclass(frozen=True)
class Calibrated:
    """A model whose probabilities were refitted to a place.

    Attributes:
        bundle: of the model
        refit: its calibration, and what that is worth
    """

    bundle: Bundle
    refit: Refit


def calibrate(root: Root, settings: Settings, *, who: str) -> Calibrated:
    """Refit the champion's calibration and register the model; to be called with the root held.

    The ranking of segments stays; their level changes. It scores once it is promoted.

    Args:
        root: whose random labels, and whose champion
        settings: of features, labels and retraining
        who: for the log

    Raises:
        ModelError: if there are too few random labels, or the champion is as well calibrated
    """
    champion, lake = load_model(root, settings), Lake(root.lake)
    material = gather(lake, settings)
    rows = usable_rows(champion, material, learnt_callers(lake, champion), settings)
    measured = material.measured_by.take(rows)
    truth = np.array([level_of(shares, settings.retrain) for shares in measured.shares])
    check_enough(truth, measured.callers, settings.retrain)
    model = champion.predictor
    names = get_feature_set(settings.features.set).names
    log_odds = model.head.log_odds(model.read(material.features[rows], names), model.feature_names)
    found = refitted(log_odds, truth, measured.callers, model.head.calibration)
    if found.loss_after >= found.loss_before:
        raise ModelError(
            f"{champion.model_id} predicts the labels of callers that a refit has not seen as well "
            f"as the refit does (log loss {found.loss_before:.3f}, refit {found.loss_after:.3f}): "
            "nothing was changed; more random labels may show a smaller difference"
        )
    fitted = replace(model, head=replace(model.head, calibration=found.calibration))
    bundle = derive(
        root,
        replace(champion, predictor=fitted),
        suffix=SUFFIX,
        basis=f"its probability of dissatisfaction refitted by `ser-batch models calibrate` to "
        f"{found.n_labels} random labels of {found.n_callers} callers",
        recordings={material.measured_recordings[i] for i in rows},
        write_reference=partial(
            write_recalibrated_reference,
            champion.folder,
            before=model.head.calibration,
            now=found.calibration,
        ),
        who=who,
        # labels wear out: those that calibrated a model measure others at a smaller level
        figures={**found.as_dict(), "measured": short_digests(measured.names)},
    )
    return Calibrated(bundle, found)


def usable_rows(
    champion: Bundle, material: Material, learnt: set[str], settings: Settings
) -> list[int]:
    """Random labels of speech that the model knows, of callers that it did not learn from."""
    names = get_feature_set(settings.features.set).names
    known = champion.predictor.ood_score(material.features, names) <= 1
    measured = material.measured_by
    return [
        i
        for i, (shares, caller) in enumerate(zip(measured.shares, measured.callers, strict=True))
        if shares and caller not in learnt and known[i]
    ]


def level_of(shares: Mapping[str, float], settings: RetrainSettings) -> float:
    """How dissatisfied a segment is to its annotators, 0..1."""
    return sum(settings.dissatisfied.get(name, 0.0) * share for name, share in shares.items())


def check_enough(truth: DoubleArray, callers: Sequence[str], settings: RetrainSettings) -> None:
    """Make sure that there are enough random labels to tune a probability.

    Raises:
        ModelError: naming how many are needed
    """
    n_callers, n_yes = len(set(callers)), float(truth.sum())
    least = min(n_yes, len(truth) - n_yes)
    if (
        len(truth) < settings.min_measured
        or n_callers < settings.min_measured_callers
        or least < MIN_EACH
    ):
        raise ModelError(
            f"{len(truth)} random labels of {n_callers} callers, {n_yes:.0f} of them dissatisfied: "
            f"{settings.min_measured} of {settings.min_measured_callers} callers are needed, at "
            f"least {MIN_EACH} dissatisfied and {MIN_EACH} not; label more of those that "
            "`ser-batch labels queue` draws by chance"
        )
