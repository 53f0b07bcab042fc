"""The published weights themselves, as pip fetches them."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from ser_batch.features.encoders.encoder import make_encoder
from ser_batch.features.encoders.mel import log_mel
from ser_batch.features.encoders.sets import EmbeddingSet
from ser_batch.features.encoders.weights import load
from tests.features.encoders.made_up import speechlike

pytestmark = pytest.mark.slow


def test_embeddings_are_those_of_the_reference_implementation(
    real_sets: dict[str, EmbeddingSet],
) -> None:
    # transformers 5 and torch 2.13, float32: WhisperEncoder after two blocks, without padding
    weights = real_sets["whisper_base_l2_wide"].weights
    encoder = make_encoder(load(weights), n_heads=8, after_blocks=(2,), int8=False)
    (states,) = encoder.states(log_mel(speechlike(1.234, 16000), 16000))
    mean = [0.420028, 0.625863, 0.498836, 0.583665]
    std = [0.662107, 0.080878, 0.219553, 0.112641]
    np.testing.assert_allclose(states.mean(axis=0)[[0, 100, 300, 511]], mean, atol=2e-5)
    np.testing.assert_allclose(states.std(axis=0)[[0, 100, 300, 511]], std, atol=2e-5)


def test_the_telephone_set_reads_8_khz_as_the_model_would_at_16(
    real_sets: dict[str, EmbeddingSet],
) -> None:
    rng = np.random.default_rng(0)
    narrow = speechlike(3.0, 8000) + 1e-3 * rng.standard_normal(24000).astype(np.float32)
    edges = np.array([[0.2, 2.8]])
    row = real_sets["whisper_base_l2"].extract(narrow, edges)[0]
    wide = real_sets["whisper_base_l2_wide"].extract(soxr.resample(narrow, 8000, 16000), edges)[0]
    assert np.corrcoef(row, wide)[0, 1] > 0.99


def test_eight_bits_give_nearly_the_same_row(real_sets: dict[str, EmbeddingSet]) -> None:
    edges = np.array([[0.2, 2.8]])
    rows = [
        real_sets[name].extract(speechlike(3.0, 8000), edges)[0]
        for name in ("whisper_base_l2", "whisper_base_l2_int8")
    ]
    assert 0 < np.linalg.norm(rows[1] - rows[0]) / np.linalg.norm(rows[0]) < 0.03
