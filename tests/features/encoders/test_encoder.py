from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest
import soxr

from ser_batch.features.encoders.encoder import Encoder, make_encoder
from ser_batch.features.encoders.mel import levelled, log_mel
from ser_batch.features.encoders.weights import Weights, load
from tests.features.encoders.made_up import N_HEADS, speechlike

pytestmark = pytest.mark.xdist_group("librosa")  # one process compiles its functions


@pytest.fixture
def encoder(made_up: Weights) -> Encoder:
    return make_encoder(load(made_up), n_heads=N_HEADS, after_blocks=(1, 2), int8=False)


def spectra(n_frames: int) -> np.ndarray:
    """A pattern that the reference was computed from."""
    slope = np.linspace(-1, 1, 80)[None] * np.cos(np.arange(n_frames)[:, None] / 5)
    return slope.astype(np.float32)


def test_states_are_those_of_the_published_architecture(encoder: Encoder) -> None:
    # transformers 5 and torch 2.13: WhisperEncoder with these weights, without padding
    _, states = encoder.states(spectra(31))
    assert states.shape == (16, 16)
    expected = [
        [5.837766, 17.775465, 5.013379, 15.44901],
        [20.258286, 8.595537, 0.319597, 21.561285],
        [7.643881, 3.567763, 1.027834, -1.133575],
    ]
    np.testing.assert_allclose(
        states[[0, 7, 15]][:, [0, 5, 10, 15]], expected, rtol=2e-5, atol=2e-5
    )


def test_states_after_an_earlier_block_are_those_of_a_shorter_encoder(made_up: Weights) -> None:
    both = make_encoder(load(made_up), n_heads=N_HEADS, after_blocks=(1, 2), int8=False)
    first = make_encoder(load(made_up), n_heads=N_HEADS, after_blocks=(1,), int8=False)
    np.testing.assert_allclose(both.states(spectra(20))[0], first.states(spectra(20))[0], rtol=1e-6)


def test_eight_bits_stay_near_single_precision(made_up: Weights, encoder: Encoder) -> None:
    small = make_encoder(load(made_up), n_heads=N_HEADS, after_blocks=(1, 2), int8=True)
    exact, near = encoder.states(spectra(31))[1], small.states(spectra(31))[1]
    error = np.linalg.norm(near - exact) / np.linalg.norm(exact)
    assert 0 < error < 0.05


@pytest.mark.parametrize("n_frames", [1, 2, 3, 199, 200])
def test_every_second_frame_has_a_state(encoder: Encoder, n_frames: int) -> None:
    assert encoder.states(spectra(n_frames))[0].shape == ((n_frames + 1) // 2, 16)


def test_spectra_are_whispers_own() -> None:
    # computed with torch.stft and the mel filters of transformers' WhisperFeatureExtractor
    found = log_mel(speechlike(1.234, 16000), 16000)
    assert found.shape == (123, 80)
    expected = [
        [0.950776, 0.301558, 0.145237, -0.212692],
        [-0.044869, 0.582942, 0.347548, -0.908352],
        [0.579613, 0.313558, 0.044836, -0.908352],
    ]
    np.testing.assert_allclose(found[[0, 50, 122]][:, [0, 20, 40, 79]], expected, atol=5e-5)


def test_a_telephone_signal_reads_as_its_copy_at_the_models_rate() -> None:
    rng = np.random.default_rng(0)
    narrow = speechlike(2.0, 8000) + 1e-3 * rng.standard_normal(16000).astype(np.float32)
    native = log_mel(narrow, 8000)
    resampled = log_mel(soxr.resample(narrow, 8000, 16000), 16000)
    below_4k = librosa.mel_frequencies(n_mels=82, fmax=8000.0)[2:] < 3600
    inside = slice(3, -3)  # resampling rings at the ends
    difference = native[inside, below_4k] - resampled[inside, below_4k]
    assert np.abs(difference).max() < 0.02


def test_the_level_of_the_line_does_not_matter() -> None:
    soft, loud = (levelled(log_mel(speechlike(1.0, 8000, gain=g), 8000)) for g in (0.01, 0.2))
    np.testing.assert_allclose(soft, loud, atol=1e-4)


@pytest.mark.parametrize("n_samples", [0, 1, 79, 100, 101, 240])
def test_shorter_than_a_frame_is_still_a_spectrum(n_samples: int) -> None:
    found = log_mel(np.full(n_samples, 0.1, np.float32), 8000)
    assert found.shape == (max(max(n_samples, 101) // 80, 1), 80)
    assert np.isfinite(found).all()


def test_our_code_needs_no_deep_learning_library() -> None:
    for source in (Path(__file__).parents[3] / "ser_batch" / "features" / "encoders").glob("*.py"):
        text = source.read_text(encoding="utf-8")
        assert "import torch" not in text
        assert "import pickle" not in text
