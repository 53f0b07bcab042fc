"""Two speakers in one channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ser_batch.audio.analysis import analyse_calls
from ser_batch.audio.channels import Line
from ser_batch.audio.decode import Audio, read_audio
from ser_batch.audio.diarization import separate
from ser_batch.audio.intervals import intervals, lengths, subtract
from ser_batch.audio.speech import call_speech, sides
from ser_batch.config import Settings
from ser_batch.lab.bench.diarization import diarization_errors, run
from tests.audio.signals import noise, silence, voice


def conversation() -> tuple[np.ndarray, list[np.ndarray]]:
    """A low and a high voice, taking turns of two to three seconds."""
    parts, speakers, now = [silence(1)], [[], []], 1.0
    for number, length in enumerate([2, 3, 2.5, 2, 3, 2.5, 2, 3]):
        side = number % 2
        parts += [voice(length, -20, pitch_hz=(105, 190)[side]), silence(0.6)]
        speakers[side].append((now, now + length))
        now += length + 0.6
    signal = np.concatenate(parts)
    return signal + noise(len(signal) / 8000, -60), [intervals(own) for own in speakers]


def test_two_voices_that_take_turns_are_diarized() -> None:
    signal, truth = conversation()
    bursts = intervals(sorted(pair for own in truth for pair in own.tolist()))
    found = separate(signal, 8000, bursts)
    errors = diarization_errors(truth, found.speakers, len(signal) / 8000)
    assert errors.rate < 0.05
    assert found.confidence > 0.5
    assert found.speakers[0][0, 0] < found.speakers[1][0, 0]


def test_a_sound_before_the_first_word_does_not_turn_the_roles_round() -> None:
    signal, truth = conversation()
    early = signal.copy()
    early[2400:4400] += voice(0.25, -20, pitch_hz=190)
    bursts = intervals([(0.3, 0.55), *sorted(pair for own in truth for pair in own.tolist())])
    found = separate(early, 8000, bursts)
    assert float(lengths(subtract(found.speakers[0], truth[0])).sum()) < 0.5


@pytest.mark.slow
def test_every_second_of_speech_goes_to_one_speaker_and_edges_stay() -> None:
    signal, truth = conversation()
    bursts = intervals(sorted(pair for own in truth for pair in own.tolist()))
    found = separate(signal, 8000, bursts)
    assert sum(lengths(own).sum() for own in found.speakers) == pytest.approx(lengths(bursts).sum())
    assert {start for own in found.speakers for start in own[:, 0]} >= set(bursts[:, 0])


def one_channel(signal: np.ndarray) -> Audio:
    return Audio(signal[None], 8000, "WAV", "PCM_16")


def test_two_voices_in_one_channel_become_two_sides_of_the_call() -> None:
    signal, truth = conversation()
    (analysis,) = analyse_calls([one_channel(signal)], Settings(), two_speakers=[True])
    assert analysis.diarized
    assert analysis.diarization_confidence >= 0.7
    first, second = analysis.channels
    for channel, spoken in zip((first, second), truth, strict=True):
        np.testing.assert_allclose(channel.segments, spoken, atol=0.3)
        assert channel.speech_s == pytest.approx(lengths(spoken).sum(), rel=0.15)
        assert all(len(values) == len(spoken) for values in channel.measures.values())
        assert channel.dropped_speech_s < 0.3
    np.testing.assert_array_equal(first.signal, second.signal)
    assert len(subtract(first.segments, second.segments)) == len(first.segments), "none is shared"
    sides = analysis.interaction.sides
    assert [side.n_turns for side in sides] == [4, 4]
    assert sides[0].response_time_median_s == pytest.approx(0.6, abs=0.15)
    assert analysis.interaction.overtalk_s == 0


def test_voices_are_diarized_only_where_that_is_asked_for() -> None:
    signal, _ = conversation()
    (analysis,) = analyse_calls([one_channel(signal)], Settings())
    assert (analysis.diarized, analysis.diarization_confidence) == (False, None)
    assert len(analysis.channels) == 1
    both = Audio(np.stack([signal, signal[::-1]]), 8000, "WAV", "PCM_16")
    (two,) = analyse_calls([both], Settings(), two_speakers=[True])
    assert (two.diarized, two.diarization_confidence, len(two.channels)) == (False, None, 2)


def test_one_voice_alone_stays_one_channel() -> None:
    parts = [silence(1), voice(6, -20), silence(0.7), voice(6, -20), silence(0.7), voice(6, -20)]
    (analysis,) = analyse_calls(
        [one_channel(np.concatenate(parts) + noise(20.4, -60))], Settings(), two_speakers=[True]
    )
    assert not analysis.diarized
    assert analysis.diarization_confidence < 0.7
    assert len(analysis.channels) == 1


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["staged_agent.flac", "staged_agent1.flac"])
def test_a_real_person_alone_stays_one_channel(corpus_dir: Path, name: str) -> None:
    audio = read_audio(corpus_dir / "calls" / name, Settings().audio)
    (analysis,) = analyse_calls([audio], Settings(), two_speakers=[True])
    assert not analysis.diarized
    assert analysis.diarization_confidence < 0.6


def test_a_side_holds_nothing_of_what_the_other_says_between_its_words() -> None:
    line = Line(
        noise(20, -60), 8000, np.full(2000, 1e-6, np.float32), np.zeros(2000, np.float32),
        0.0, noise(20, -60), 8000,
    )  # fmt: skip
    speakers = [intervals([(1, 3), (3.3, 6), (8, 8.3)]), intervals([(3, 3.3), (8.3, 10)])]
    (speech,) = call_speech([line], [np.zeros(625, np.float32)], Settings())
    found = sides(speech, speakers, np.zeros(625, np.float32), Settings())
    np.testing.assert_allclose(found[0].turns, [[1, 3], [3.3, 6], [8, 8.3]])
    np.testing.assert_allclose(found[0].segments, [[0.98, 3], [3.3, 6.02]])
    np.testing.assert_allclose(found[1].segments, [[8.3, 10.02]])
    assert [side.dropped_s for side in found] == pytest.approx([0.3, 0.3])


@pytest.mark.parametrize("duration_s", [0.3, 1.5])
def test_too_little_speech_is_one_speaker(duration_s: float) -> None:
    bursts = intervals([(1, 1 + duration_s)])
    found = separate(voice(4), 8000, bursts)
    assert len(found.speakers) == 1
    assert found.confidence == 0


def test_no_speech_is_one_speaker_who_is_silent() -> None:
    found = separate(silence(3), 8000, intervals([]))
    assert [len(own) for own in found.speakers] == [0]


@pytest.mark.slow
def test_the_same_call_is_always_separated_the_same_way() -> None:
    signal, truth = conversation()
    bursts = intervals(sorted(pair for own in truth for pair in own.tolist()))
    first, second = (separate(signal, 8000, bursts) for _ in range(2))
    for ours, theirs in zip(first.speakers, second.speakers, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_errors_are_counted_in_speaker_seconds_under_the_best_assignment() -> None:
    true = [intervals([(0, 10)]), intervals([(10, 20)])]
    found = [intervals([(12, 22)]), intervals([(0, 12)])]
    errors = diarization_errors(true, found, 30)
    assert (errors.missed_s, errors.false_s, errors.confused_s) == pytest.approx((0, 2, 2))
    assert errors.rate == pytest.approx(4 / 20)


def test_overlap_that_is_given_to_one_speaker_is_half_missed() -> None:
    true = [intervals([(0, 10)]), intervals([(8, 20)])]
    found = [intervals([(0, 9)]), intervals([(9, 20)])]
    errors = diarization_errors(true, found, 20)
    assert (errors.missed_s, errors.false_s, errors.confused_s) == pytest.approx((2, 0, 0))


@pytest.mark.corpus
@pytest.mark.slow
def test_demo_calls_in_one_channel_are_diarized_as_promised(corpus_dir: Path) -> None:
    pytest.importorskip("py_nanotts", reason="the speech engine of the extra `demo` is missing")
    result = run(corpus_dir, Settings(), n_calls=4)
    assert result["der"] <= 0.2
    assert result["der"] < min(result["peers"].values()) / 2
    assert result["der_by_kind"]["mixed_call"] < 0.08
    assert result["agent_in_customer_share"] < 0.05
    assert {row["name"] for row in result["rows"]} >= {"dev00", "sample", "trn04"}
