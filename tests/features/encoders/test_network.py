"""A network's folder as a feature set; its graph is written here, torch is not needed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from ser_batch import resources
from ser_batch.errors import EncoderError
from ser_batch.features.encoders.local import (
    ENCODER_FILE,
    MANIFEST_FILE,
    find_encoder,
    voted_corpora,
)
from ser_batch.features.encoders.network import FEATURES, SEGMENT, network_set
from ser_batch.features.encoders.onnx_writer import model, node
from ser_batch.features.sequences import N_MEASURES, sequence
from ser_batch.features.sets import get_feature_set
from tests.features.encoders.made_up import speechlike

SPANS = np.array([[0.0, 0.8], [0.5, 1.9]])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network that gives the mean of what it reads."""
    monkeypatch.setattr(resources, "_added_encoders", [tmp_path])
    mean = node("ReduceMean", [SEGMENT, "axis"], [FEATURES], keepdims=0)
    axis = {"axis": np.array([1])}
    inputs = {SEGMENT: (1, "n_frames", N_MEASURES)}
    graph = model([mean], axis, inputs=inputs, outputs=[FEATURES])
    manifest = {
        "format": 2,
        "sha256": hashlib.sha256(graph).hexdigest(),
        "reads": "sequence",
        "n_features": N_MEASURES,
        "votes": ["cremad"],
    }
    place = tmp_path / f"mean-of-{tmp_path.name}"
    place.mkdir()
    (place / ENCODER_FILE).write_bytes(graph)
    (place / MANIFEST_FILE).write_text(json.dumps(manifest))
    return place


def test_each_segment_is_described_by_its_own_samples(folder: Path):
    described = get_feature_set(folder.name)
    signal = speechlike(2.0, 8000)
    rows = described.extract(signal, SPANS)
    assert rows.shape == (2, len(described.names))
    for row, (start_s, end_s) in zip(rows, SPANS, strict=True):
        own = sequence(signal[round(8000 * start_s) : round(8000 * end_s)])
        assert row == pytest.approx(own.mean(axis=0), rel=1e-4, abs=1e-3)
    assert all(kind.is_state for kind in described.kinds)
    assert voted_corpora(folder.name) == {"cremad"}


def test_it_stands_beside_other_sets(folder: Path):
    both = get_feature_set(f"descriptors_v1+{folder.name}")
    assert both.names[-N_MEASURES:] == get_feature_set(folder.name).names


def test_a_changed_network_is_refused(folder: Path):
    path = folder / ENCODER_FILE
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(EncoderError, match="is not the file that was written"):
        get_feature_set(folder.name).require()


@pytest.mark.parametrize(
    "change",
    [{"reads": "videos"}, {"n_features": "many"}, {"sha256": None, "reads": None}, {"format": 9}],
)
def test_a_manifest_that_cannot_be_used_is_named(folder: Path, change: dict[str, object]):
    path = folder / MANIFEST_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(EncoderError, match=MANIFEST_FILE):
        network_set(folder.name)


def test_a_network_is_no_encoder_to_adapt(folder: Path):
    with pytest.raises(EncoderError, match="no encoder to adapt"):
        find_encoder(folder.name)
