"""How two sides talk with each other, from turns put down by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_batch.arrays import DoubleArray
from ser_batch.audio.interaction import CallInteraction, interaction, syllable_rate
from ser_batch.audio.intervals import intervals
from ser_batch.audio.telephone import telephone
from ser_batch.config import LineSettings
from tests.audio.signals import silence, voice

NONE = intervals([])


def measured(
    first: list[tuple[float, float]],
    second: list[tuple[float, float]],
    *,
    waiting: DoubleArray = NONE,
    ringing: DoubleArray = NONE,
    duration_s: float = 60,
) -> CallInteraction:
    return interaction(
        [intervals(first), intervals(second)],
        [waiting, NONE],
        [4.0, 4.0],
        ringing=[ringing],
        duration_s=duration_s,
        settings=LineSettings(),
    )


def test_talk_is_shared_by_seconds() -> None:
    found = measured([(0, 10), (20, 30)], [(11, 19)])
    assert [side.talk_s for side in found.sides] == [20, 8]
    assert [side.talk_share for side in found.sides] == pytest.approx([20 / 28, 8 / 28])
    assert [side.n_turns for side in found.sides] == [2, 1]
    assert [side.turn_mean_s for side in found.sides] == [10, 8]


def test_answers_are_timed_from_the_end_of_what_they_answer() -> None:
    first, second = measured([(0, 10), (20, 30), (41, 45)], [(11, 19), (33, 40)]).sides
    assert (second.response_time_median_s, second.response_longest_s) == (2, 3)
    assert (first.response_time_median_s, first.response_longest_s) == (1, 1)


def test_an_answer_after_hold_is_not_slow() -> None:
    _, second = measured([(0, 10)], [(40, 50)], waiting=intervals([(12, 38)])).sides
    assert np.isnan([second.response_time_median_s, second.response_longest_s]).all()


def test_who_starts_while_the_other_speaks_and_gets_the_floor_interrupts() -> None:
    first, second = measured([(0, 10), (20, 30)], [(8, 15), (24, 26)]).sides
    assert (first.n_interruptions, second.n_interruptions) == (0, 1)


def test_a_short_word_inside_the_others_turn_takes_no_floor() -> None:
    first, second = measured([(0, 10)], [(4, 4.5), (12, 15)]).sides
    assert (first.n_turns, second.n_turns) == (1, 1)
    assert second.n_interruptions == 0
    assert second.response_time_median_s == 2


def test_overtalk_is_a_share_of_each_sides_own_talk() -> None:
    found = measured([(0, 10)], [(8, 28)])
    assert found.overtalk_s == pytest.approx(2)
    assert found.overtalk_share == pytest.approx(2 / 28)
    assert [side.overtalk_share for side in found.sides] == pytest.approx([0.2, 0.1])


def test_silence_and_hold_are_distinguished() -> None:
    found = measured([(0, 10), (40, 45)], [(46, 50)], waiting=intervals([(12, 30), (43, 48)]))
    assert (found.hold.count, found.hold.total_s) == (2, 19)  # 45 to 46 too: nobody speaks
    assert found.hold.longest_s == 18
    assert (found.silence.count, found.silence.total_s) == (3, 22)
    assert found.silence.longest_s == 10
    assert found.silence.share == pytest.approx(22 / 60)
    assert found.n_long_silences == 2


def test_rings_before_the_first_word_are_neither_hold_nor_silence_and_later_ones_are_hold() -> None:
    rings = intervals([(0, 11), (30, 42)])
    found = measured([(12, 29)], [(43, 60)], waiting=rings, ringing=rings)
    assert (found.hold.count, found.hold.total_s) == (1, 12)
    assert found.silence.total_s == 0


def test_a_call_in_which_nobody_speaks_is_all_silence() -> None:
    found = measured([], [])
    assert found.silence.total_s == 60
    assert [side.talk_share for side in found.sides] == [0, 0]
    assert np.isnan([side.response_time_median_s for side in found.sides]).all()
    assert found.overtalk_share == 0


def test_a_single_channel_talks_with_nobody() -> None:
    found = interaction(
        [intervals([(1, 5)])], [NONE], [4.0], duration_s=10, settings=LineSettings()
    )
    (side,) = found.sides
    assert (side.talk_share, side.overtalk_share, side.n_interruptions) == (1, 0, 0)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_four_syllables_a_second_are_counted(rate: int) -> None:
    signal = np.concatenate([silence(2, rate=rate), voice(10, rate=rate), silence(2, rate=rate)])
    assert syllable_rate(signal, rate, intervals([(2, 12)])) == pytest.approx(4, abs=0.4)
    assert np.isnan(syllable_rate(signal, rate, NONE))


SYLLABLES = {
    "a01": 9,
    "a02": 9,
    "a04": 11,
    "a05": 18,
    "a07": 10,
    "b01": 15,
    "b02": 20,
    "b03": 24,
    "b09": 17,
    "b10": 14,
}
"""Of EmoDB's sentences, by the code in the file name."""


@pytest.mark.corpus
def test_syllables_of_known_sentences_are_counted(corpus_dir: Path) -> None:
    with (corpus_dir / "emotion" / "labels.csv").open() as file:
        names = [row["path"] for row in csv.DictReader(file) if row["corpus"] == "emodb"][::4]
    true, found = [], []
    for name in names:
        path = next((corpus_dir / "emotion").rglob(Path(name).name))
        samples, rate = soundfile.read(path, dtype="float32")
        signal = telephone(samples, rate)
        duration_s = len(signal) / 8000
        true.append(SYLLABLES[path.stem[2:5]])
        found.append(duration_s * syllable_rate(signal, 8000, intervals([(0, duration_s)])))
    assert np.corrcoef(true, found)[0, 1] > 0.85
    assert np.mean(found) / np.mean(true) == pytest.approx(1, abs=0.1)
