"""Small bundles of made-up models, for tests of what uses them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ser_batch.config import FeatureSettings
from ser_batch.features.sets import get_feature_set
from ser_batch.lab.bench.faults.retraining import QUICK
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.bundle_writer import BundleFacts, write_bundle
from ser_batch.training.fit import train
from tests.training.datasets import blobs

DEFAULT_SET = FeatureSettings().set


def put_bundle(folder: Path, *, seed: int = 0, feature_set: str = DEFAULT_SET) -> Bundle:
    """Write a bundle that reads a few features of a set."""
    dataset = blobs(seed=seed)
    read = get_feature_set(feature_set)
    chosen = slice(100, 100 + len(dataset.names))
    dataset = replace(dataset, names=read.names[chosen], kinds=read.kinds[chosen])
    predictor = train(dataset, QUICK)
    # nothing is out of distribution
    admitting = replace(predictor.outliers, limit=1e9, leading_limit=1e9)
    return write_bundle(
        folder,
        replace(predictor, outliers=admitting),
        BundleFacts(
            name="made",
            feature_set=feature_set,
            band="telephone",
            training=[{"corpus": "made"}],
            licence="CC0-1.0",
            made_with={"numpy": "2"},
            evaluation={"uar": 0.5, "n_speakers": 6},
        ),
        card="# made\n",
    )
