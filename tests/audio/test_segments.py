"""From speech probability to segments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.intervals import merge_gaps
from ser_batch.audio.segments import LAG_S, speech_bursts, to_segments
from ser_batch.audio.vad import FRAME_S
from ser_batch.config import SegmentSettings, VadSettings

SETTINGS = SegmentSettings()
NO_PAD = SegmentSettings(pad_s=0)


def intervals(*pairs: tuple[float, float]) -> DoubleArray:
    return np.array(pairs, np.float64).reshape(-1, 2)


def probability(duration_s: float, *speech: tuple[float, float]) -> FloatArray:
    time = np.arange(round(duration_s / FRAME_S)) * FRAME_S
    inside = [(time >= start) & (time < stop) for start, stop in (*speech, (-1, -1))]
    return np.where(np.any(inside, axis=0), 0.95, 0.02).astype(np.float32)


def power(duration_s: float, *speech: tuple[float, float]) -> FloatArray:
    """10 ms frames: speech at -20 dB, the rest at -60 dB."""
    time = (np.arange(round(duration_s * 100)) + 0.5) / 100
    inside = [(time >= start) & (time < stop) for start, stop in speech]
    return np.where(np.any(inside, axis=0), 1e-2, 1e-6).astype(np.float32)


def bursts(chance: FloatArray, loudness: FloatArray) -> DoubleArray:
    return speech_bursts(chance, loudness, vad=VadSettings(), segments=SETTINGS)


def test_edges_are_those_of_the_sound_to_a_hundredth() -> None:
    truth = (2.03, 4.47)
    found = bursts(probability(8, (2.08, 4.6)), power(8, truth))
    np.testing.assert_allclose(found, [truth], atol=0.011)


def test_without_a_rise_in_level_the_edges_are_the_networks_less_its_lag() -> None:
    flat = np.full(800, 1e-3, np.float32)
    found = bursts(probability(8, (2, 4)), flat)
    np.testing.assert_allclose(found, [[2 - LAG_S[0], 4 - LAG_S[1]]], atol=FRAME_S)


def test_speech_goes_on_between_release_and_threshold_but_does_not_start_there() -> None:
    chance = probability(10, (2, 3))
    chance[(time := np.arange(len(chance)) * FRAME_S) >= 3] = 0.3
    chance[time >= 5] = 0.02
    chance[(time >= 7) & (time < 8)] = 0.3
    found = bursts(chance, np.full(1000, 1e-3, np.float32))
    np.testing.assert_allclose(found, [[2, 5]], atol=0.15)


def test_short_bursts_are_no_speech() -> None:
    truth = ((1, 1.1), (3, 4))
    assert len(bursts(probability(6, *truth), power(6, *truth))) == 1


def test_pauses_shorter_than_a_turns_are_part_of_it() -> None:
    apart = intervals((1, 2), (2.4, 3), (3.6, 5))
    np.testing.assert_array_equal(merge_gaps(apart, 0.5), [[1, 3], [3.6, 5]])
    assert merge_gaps(intervals(), 0.5).shape == (0, 2)


def test_a_long_turn_is_cut_in_its_pause() -> None:
    chance = probability(30, (1, 9.0), (9.2, 20.9))
    segments, dropped_s = to_segments(intervals((1, 20.9)), chance, NO_PAD)
    assert dropped_s == 0
    assert 9 <= segments[0, 1] <= 9.2
    np.testing.assert_allclose(segments[[0, -1], [0, 1]], [1, 20.9])


def test_a_short_word_joins_the_nearer_neighbour() -> None:
    turns = intervals((1, 3), (4.2, 4.7), (5.3, 8))
    segments, dropped_s = to_segments(turns, probability(10), NO_PAD)
    np.testing.assert_allclose(segments, [[1, 3], [4.2, 8]])
    assert dropped_s == 0


def test_a_short_word_far_from_all_others_is_dropped_and_counted() -> None:
    turns = intervals((1, 3), (6, 6.5), (10, 12))
    segments, dropped_s = to_segments(turns, probability(14), NO_PAD)
    np.testing.assert_allclose(segments, [[1, 3], [10, 12]])
    assert dropped_s == pytest.approx(0.5)


def test_padding_ends_half_way_to_the_neighbour_and_at_the_file() -> None:
    settings = SegmentSettings(pad_s=1, merge_gap_s=0)
    segments, _ = to_segments(intervals((0.5, 3), (4, 6)), probability(6.4), settings)
    np.testing.assert_allclose(segments, [[0, 3.5], [3.5, 6.4]])


def test_no_speech_gives_no_segments() -> None:
    segments, dropped_s = to_segments(intervals(), probability(5), SETTINGS)
    assert segments.shape == (0, 2)
    assert dropped_s == 0


@given(
    gaps=st.lists(st.floats(0.5, 6), min_size=1, max_size=30),
    lengths=st.lists(st.floats(0.25, 40), min_size=30, max_size=30),
    seed=st.integers(0, 1000),
)
def test_segments_keep_their_lengths_and_lose_no_speech_uncounted(
    gaps: list[float], lengths: list[float], seed: int
) -> None:
    steps = np.array([value for pair in zip(gaps, lengths, strict=False) for value in pair])
    turns = np.cumsum(steps).reshape(-1, 2)
    n_frames = int(turns[-1, 1] / FRAME_S) + 10
    chance = np.random.default_rng(seed).uniform(0.3, 1, n_frames).astype(np.float32)
    segments, dropped_s = to_segments(turns, chance, NO_PAD)
    duration = np.diff(segments, axis=1)
    assert (duration <= SETTINGS.max_segment_s + 1e-9).all()
    assert (duration >= SETTINGS.min_segment_s - 1e-9).all()
    assert (segments[1:, 0] >= segments[:-1, 1] - 1e-9).all()
    covered = sum(
        max(0.0, min(stop, end) - max(start, begin))
        for start, stop in segments
        for begin, end in turns
    )
    assert covered + dropped_s == pytest.approx(np.diff(turns, axis=1).sum(), abs=1e-6)
