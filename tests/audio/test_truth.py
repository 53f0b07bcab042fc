"""Calls whose truth is known to the sample: what is found must be what was put in."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import pytest

from ser_batch.arrays import BoolArray, DoubleArray
from ser_batch.audio.analysis import CallAnalysis, analyse_calls
from ser_batch.audio.decode import Audio
from ser_batch.audio.interaction import interaction
from ser_batch.audio.intervals import intervals, lengths, merge_gaps, to_mask, union
from ser_batch.config import Settings
from ser_batch.lab.synthetic.demo import speak_scene
from ser_batch.lab.synthetic.plan import plan_calls
from ser_batch.lab.synthetic.scenes import Call, Line

pytest.importorskip("py_nanotts", reason="the speech engine of the extra `demo` is not installed")

pytestmark = pytest.mark.xdist_group("truth")  # the calls are spoken once

SETTINGS = Settings()
N_CALLS = 4
FRAME_S = 0.01
NOT_SPEECH = ("ring", "hold", "keys", "beep")

Found = list[tuple[Call, CallAnalysis]]


@pytest.fixture(scope="module")
def calls_at() -> Callable[[Line], Found]:
    """The demo's first calls over a given line, and what is found in them."""
    scenes = [speak_scene(planned, seed=11) for planned in plan_calls(24, seed=11)[:N_CALLS]]
    cache: dict[Line, Found] = {}

    def analysed(line: Line) -> Found:
        if line not in cache:
            # A copy: each line's noise is drawn from where the speech left the generator.
            calls = [deepcopy(scene).render(line) for scene in scenes]
            audios = [Audio(call.samples.T.copy(), 8000, "WAV", "ULAW") for call in calls]
            cache[line] = list(zip(calls, analyse_calls(audios, SETTINGS), strict=True))
        return cache[line]

    return analysed


def at_snr(snr_db: float) -> Line:
    return Line(snr_db=(snr_db, snr_db))


def truth(call: Call, channel: int, *kinds: str) -> DoubleArray:
    return intervals(
        (row.start_s, row.end_s)
        for row in call.truth
        if row.channel == channel and row.kind in kinds
    )


def seconds(call: Call, kind: str) -> float:
    return float(sum(lengths(truth(call, channel, kind)).sum() for channel in (0, 1)))


def frames(call: Call, times: DoubleArray) -> BoolArray:
    return to_mask(times, round(call.duration_s / FRAME_S), FRAME_S)


@pytest.mark.parametrize(
    ("snr_db", "most_missed", "most_false"), [(30, 0.03, 0.05), (20, 0.06, 0.05), (10, 0.15, 0.05)]
)
def test_speech_is_found_frame_by_frame(
    calls_at: Callable[[Line], Found], snr_db: float, most_missed: float, most_false: float
) -> None:
    n_speech = n_missed = n_other = n_false = 0
    for call, analysis in calls_at(at_snr(snr_db)):
        for number, channel in enumerate(analysis.channels):
            # Pauses within a turn are part of it, in the truth as in what is found.
            spoken = merge_gaps(truth(call, number, "speech"), SETTINGS.segments.min_pause_s)
            true, found = frames(call, spoken), frames(call, channel.turns)
            n_speech, n_missed = n_speech + true.sum(), n_missed + (true & ~found).sum()
            n_other, n_false = n_other + (~true).sum(), n_false + (~true & found).sum()
    assert n_missed / n_speech <= most_missed
    assert n_false / n_other <= most_false


@pytest.mark.parametrize(("snr_db", "most_s"), [(30, 0.02), (20, 0.03), (10, 0.05)])
def test_turns_begin_and_end_where_the_voice_does(
    calls_at: Callable[[Line], Found], snr_db: float, most_s: float
) -> None:
    errors = []
    for call, analysis in calls_at(at_snr(snr_db)):
        for number, channel in enumerate(analysis.channels):
            spoken = merge_gaps(truth(call, number, "speech"), SETTINGS.segments.min_pause_s)
            for edge in (0, 1):
                found = channel.turns[:, edge]
                errors += [np.abs(found - moment).min() for moment in spoken[:, edge]]
    assert np.median(errors) <= most_s


@pytest.mark.parametrize("snr_db", [30, 20, 10])
def test_turns_overtalk_and_waiting_are_those_of_the_call(
    calls_at: Callable[[Line], Found], snr_db: float
) -> None:
    for call, analysis in calls_at(at_snr(snr_db)):
        true = interaction(
            [
                merge_gaps(truth(call, side, "speech"), SETTINGS.segments.min_pause_s)
                for side in (0, 1)
            ],
            [truth(call, side, *NOT_SPEECH) for side in (0, 1)],
            [0.0, 0.0],
            duration_s=call.duration_s,
            settings=SETTINGS.line,
        )
        found = analysis.interaction
        for ours, theirs in zip(found.sides, true.sides, strict=True):
            assert abs(ours.n_turns - theirs.n_turns) <= 2
            assert ours.talk_share == pytest.approx(theirs.talk_share, abs=0.05)
            assert ours.response_time_median_s == pytest.approx(
                theirs.response_time_median_s, abs=0.3
            )
        assert found.overtalk_s == pytest.approx(true.overtalk_s, abs=0.8)
        music_s = sum(channel.line.music_s for channel in analysis.channels)
        assert music_s == pytest.approx(seconds(call, "hold"), abs=0.6)


@pytest.mark.parametrize("snr_db", [30, 20])
def test_seconds_of_tones_are_those_of_the_call(
    calls_at: Callable[[Line], Found], snr_db: float
) -> None:
    for call, analysis in calls_at(at_snr(snr_db)):
        lines = [channel.line for channel in analysis.channels]
        assert sum(line.ring_s for line in lines) == pytest.approx(seconds(call, "ring"), abs=0.3)
        assert sum(line.beep_s for line in lines) == pytest.approx(seconds(call, "beep"), abs=0.2)
        assert sum(line.keys_s > 0 for line in lines) == (seconds(call, "keys") > 0)


def test_tones_and_music_are_never_speech(calls_at: Callable[[Line], Found]) -> None:
    n_sounding = n_taken = 0
    for call, analysis in calls_at(at_snr(20)):
        for number, channel in enumerate(analysis.channels):
            sounding = frames(call, truth(call, number, *NOT_SPEECH))
            n_sounding += sounding.sum()
            n_taken += (sounding & frames(call, channel.turns)).sum()
    assert n_sounding > 300
    assert n_taken / n_sounding < 0.01


@pytest.mark.parametrize("cross_talk_db", [-15.0, -22.0])
def test_the_other_sides_voice_is_not_given_to_the_wrong_role(
    calls_at: Callable[[Line], Found], cross_talk_db: float
) -> None:
    line = Line(snr_db=(30.0, 30.0), cross_talk_db=cross_talk_db)
    n_wrong = n_speech = n_missed = 0
    for call, analysis in calls_at(line):
        for number, channel in enumerate(analysis.channels):
            own = frames(call, merge_gaps(truth(call, number, "speech"), 0.5))
            other = frames(call, union(truth(call, 1 - number, "speech")))
            found = frames(call, channel.turns)
            n_wrong += (found & other & ~own).sum()
            n_missed += (own & ~found).sum()
            n_speech += own.sum()
            assert channel.line.crosstalk_db == pytest.approx(cross_talk_db, abs=5)
    assert n_wrong / n_speech < 0.06
    assert n_missed / n_speech < 0.1


def test_without_cross_talk_none_is_claimed(calls_at: Callable[[Line], Found]) -> None:
    for _, analysis in calls_at(at_snr(20)):
        for channel in analysis.channels:
            assert np.isnan(channel.line.crosstalk_db)
            assert channel.line.crosstalk_removed_s == 0


def test_the_agents_channel_is_never_mistaken(calls_at: Callable[[Line], Found]) -> None:
    agents = [analysis.agent_channel for _, analysis in calls_at(at_snr(30))]
    assert set(agents) <= {0, None}


def test_long_silence_is_counted(calls_at: Callable[[Line], Found]) -> None:
    for call, analysis in calls_at(at_snr(30)):
        longest = lengths(truth(call, 0, "silence"))
        if len(longest) and longest.max() > 3:
            assert analysis.interaction.silence.longest_s >= longest.max() - 0.5
