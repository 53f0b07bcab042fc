from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_batch.errors import MissingWeightsError, UnknownFeatureSetError
from ser_batch.features.encoders.encoder import make_encoder
from ser_batch.features.encoders.mel import levelled, log_mel
from ser_batch.features.encoders.sets import EMBEDDING_SETS, EmbeddingSet, embedding_set
from ser_batch.features.encoders.weights import load
from ser_batch.features.sets import get_feature_set
from tests.features.encoders.made_up import speechlike


def test_statistics_are_those_of_the_segments_own_frames(small_set: EmbeddingSet) -> None:
    signal = speechlike(1.5, 8000)
    row = small_set.extract(signal, np.array([[0.25, 1.0]]))[0]
    weights = small_set.weights
    encoder = make_encoder(load(weights), n_heads=weights.n_heads, after_blocks=(2,), int8=False)
    (states,) = encoder.states(levelled(log_mel(signal[2000:8000], 8000)))
    assert len(states) == 38, "0.75 s are 75 frames, and every second one has a state"
    np.testing.assert_allclose(row[:16], states.mean(axis=0), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(row[16:], states.std(axis=0), rtol=1e-4, atol=1e-4)


def test_what_lies_around_a_segment_does_not_matter(small_set: EmbeddingSet) -> None:
    signal = speechlike(4.0, 8000)
    edges = np.array([[0.0, 1.0], [1.3, 1.5], [1.6, 3.9], [2.0, 2.05]])
    together = small_set.extract(signal, edges)
    for (start_s, end_s), row in zip(edges, together, strict=True):
        inside = slice(round(start_s * 8000), round(end_s * 8000))
        silenced = np.zeros_like(signal)
        silenced[inside] = signal[inside]
        alone = small_set.extract(silenced, np.array([[start_s, end_s]]))[0]
        np.testing.assert_array_equal(row, alone)


def test_a_segment_longer_than_the_positions_counts_whole(small_set: EmbeddingSet) -> None:
    most_s = 2.0  # the made-up encoder has 100 positions
    signal = speechlike(2 * most_s, 8000)
    signal[len(signal) // 2 :] = signal[: len(signal) // 2]  # equally loud, so levelled alike
    whole = small_set.extract(signal, np.array([[0.0, 2 * most_s]]))[0]
    halves = small_set.extract(signal, np.array([[0.0, most_s], [most_s, 2 * most_s]]))
    np.testing.assert_allclose(whole[:16], halves[:, :16].mean(axis=0), rtol=1e-4, atol=1e-4)


def test_no_segment_gives_no_row_and_silence_gives_numbers(small_set: EmbeddingSet) -> None:
    assert small_set.extract(np.zeros(8000, np.float32), np.zeros((0, 2))).shape == (0, 32)
    rows = small_set.extract(np.zeros(8000, np.float32), np.array([[0.0, 0.5], [0.999, 3.0]]))
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()


def test_other_weights_blocks_and_bands_are_other_definitions(small_set: EmbeddingSet) -> None:
    digests = [entry.digest for entry in EMBEDDING_SETS.values()]
    assert len(set(digests)) == len(digests)
    changed = replace(small_set.weights, sha256="0" * 64)
    assert embedding_set(changed, (2,)).digest != small_set.digest


def test_sets_are_found_by_name_and_a_misspelt_one_names_the_nearest() -> None:
    found = get_feature_set("whisper_base_l2")
    assert found.sample_rate == 8000
    assert len(found.names) == 1024
    assert found.names[0], found.names[-1] == ("mean_0000", "std_0511")
    with pytest.raises(UnknownFeatureSetError, match="'whisper_base_l2'"):
        get_feature_set("whisper_base_2")


def test_without_weights_the_set_is_known_and_the_error_says_what_to_do(cache: Path) -> None:
    found = get_feature_set("whisper_tiny_en_l1")
    for attempt in (found.require, lambda: found.extract(np.zeros(80), np.zeros((1, 2)))):
        with pytest.raises(MissingWeightsError) as caught:
            attempt()
        assert "ser-batch weights get whisper_tiny_en" in caught.value.one_line()
        assert "descriptors_v1" in caught.value.one_line()
        assert "\n" not in caught.value.one_line()


def test_naming_a_set_loads_nothing_heavy() -> None:
    program = (
        "import sys; from ser_batch.features.sets import get_feature_set as get\n"
        "get('whisper_base_l2').digest; get('descriptors_v1')\n"
        "print({'onnxruntime', 'torch', 'transformers', 'onnx'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
