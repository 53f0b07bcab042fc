"""Calls from any voice: placement, levels, truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_batch.audio.intervals import runs
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ as RATE_HZ
from ser_batch.lab.synthetic.activity import active_level_db, speech_activity
from ser_batch.lab.synthetic.dialogue import AGENT, ARCS, CUSTOMER, Course, converse, moods
from ser_batch.lab.synthetic.scenes import Line, Scene, Utterance, write_call
from tests.lab.synthetic.tones import ToneSpeaker, speech_like

QUIET = Line(snr_db=(None, None))


def utterance(duration_s: float = 1.0, *, emotion: str = "neutral", seed: int = 0) -> Utterance:
    samples = speech_like(duration_s, rate_hz=16_000, rng=np.random.default_rng(seed))
    return Utterance(samples, 16_000, emotion)


def scene(seed: int = 0) -> Scene:
    return Scene(np.random.default_rng(seed))


def spans(call, kind: str, channel: int) -> list[tuple[float, float]]:
    return [(r.start_s, r.end_s) for r in call.truth if (r.kind, r.channel) == (kind, channel)]


def test_a_turn_begins_after_its_pause_to_the_sample():
    drawn = scene()
    drawn.say(AGENT, utterance(), after_s=0.5)
    drawn.say(CUSTOMER, utterance(), after_s=0.25)
    call = drawn.render(QUIET)
    (agent,), (customer,) = spans(call, "speech", AGENT), spans(call, "speech", CUSTOMER)
    assert agent[0] == 0.5
    assert customer[0] == agent[1] + 0.25
    loud = np.flatnonzero(call.samples[:, AGENT])
    assert (loud[0], loud[-1] + 1) == pytest.approx((agent[0] * RATE_HZ, agent[1] * RATE_HZ), abs=1)


def test_silence_around_and_inside_an_utterance_is_no_speech():
    words = utterance(0.8).samples
    gap = np.zeros(8000, dtype=np.float32)
    drawn = scene()
    drawn.say(CUSTOMER, Utterance(np.r_[gap, words, gap, words, gap], 16_000, "calm"), after_s=0)
    rows = [row for row in drawn.render(QUIET).truth if row.kind == "speech"]
    assert len(rows) == 2
    assert rows[0].turn_no == rows[1].turn_no
    assert rows[0].start_s == 0
    assert rows[1].start_s - rows[0].end_s == pytest.approx(0.5, abs=0.02)


def test_an_interruption_overlaps_both_channels_and_never_its_own():
    drawn = scene()
    drawn.say(AGENT, utterance(2.0), after_s=0.0)
    drawn.say(CUSTOMER, utterance(0.6), after_s=-1.5)
    drawn.say(CUSTOMER, utterance(0.6), after_s=-1.5)
    call = drawn.render(QUIET)
    (agent,) = spans(call, "speech", AGENT)
    first, second = spans(call, "speech", CUSTOMER)
    assert first[0] == pytest.approx(agent[1] - 1.5)
    assert second[0] == first[1]
    # the two turns touch, so they are one interval of overlap
    assert spans(call, "overlap", AGENT) == [(first[0], second[1])]
    assert spans(call, "overlap", CUSTOMER) == spans(call, "overlap", AGENT)


def test_noise_lies_as_far_below_the_speech_as_asked():
    drawn = scene()
    drawn.say(CUSTOMER, utterance(4.0), after_s=2.0)
    call = drawn.render(Line(gain_db=(0.0, 5.0), snr_db=(None, 20.0)))
    ((start_s, end_s),) = spans(call, "speech", CUSTOMER)
    speech = call.samples[round(start_s * RATE_HZ) : round(end_s * RATE_HZ), CUSTOMER]
    noise = call.samples[: round(start_s * RATE_HZ), CUSTOMER]
    assert 10 * np.log10(np.mean(speech**2) / np.mean(noise**2)) == pytest.approx(20, abs=0.5)
    assert not call.samples[:, AGENT].any()


def test_crosstalk_is_audible_but_is_no_speech_of_that_channel():
    drawn = scene()
    drawn.say(AGENT, utterance(2.0), after_s=0.0)
    call = drawn.render(Line(snr_db=(None, None), cross_talk_db=-40.0))
    ratio = np.mean(call.samples[:, CUSTOMER] ** 2) / np.mean(call.samples[:, AGENT] ** 2)
    assert 10 * np.log10(ratio) == pytest.approx(-40, abs=0.1)
    assert spans(call, "speech", CUSTOMER) == []


def test_tones_and_silences_stand_in_the_truth_with_their_length():
    drawn = scene()
    drawn.ring(CUSTOMER, n_rings=2, style="us", level_db=-26)
    drawn.press(CUSTOMER, "42#", after_s=1.0, level_db=-20)
    drawn.beep(AGENT, after_s=0.5, level_db=-26)
    drawn.hold(AGENT, 5.0, after_s=0.5, level_db=-24)
    drawn.silence(3.0)
    call = drawn.render(QUIET)
    assert spans(call, "ring", CUSTOMER) == [(0.0, 2.0), (6.0, 8.0)]
    ((keys_start, keys_end),) = spans(call, "keys", CUSTOMER)
    assert (keys_start, keys_end) == (13.0, pytest.approx(13.52))
    ((hold_start, hold_end),) = spans(call, "hold", AGENT)
    assert hold_end - hold_start == pytest.approx(5.0)
    music = call.samples[round(hold_start * RATE_HZ) : round(hold_end * RATE_HZ), AGENT]
    assert 10 * np.log10(np.mean(music**2)) == pytest.approx(-24, abs=0.1)
    assert spans(call, "silence", AGENT) == spans(call, "silence", CUSTOMER)
    assert call.duration_s == pytest.approx(hold_end + 3.0 + 0.5)


def test_ring_back_tone_has_the_frequencies_of_its_country():
    for style, expected in (("eu", {425}), ("us", {440, 480})):
        drawn = scene()
        drawn.ring(CUSTOMER, n_rings=1, style=style, level_db=-26)
        tone = drawn.render(QUIET).samples[:8000, CUSTOMER]
        strength = np.abs(np.fft.rfft(tone * np.hanning(len(tone))))
        peaks = {int(hz) for hz in np.argsort(strength)[-len(expected) :]}
        assert peaks == expected


def test_written_calls_are_mu_law_and_keep_their_samples(tmp_path: Path):
    drawn = scene()
    drawn.say(AGENT, utterance(1.0), after_s=0.2)
    call = drawn.render()
    path = tmp_path / "deep" / "call.wav"
    write_call(path, call)
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.subtype) == (8000, 2, "ULAW")
    read, _ = soundfile.read(path)
    error = np.abs(read - call.samples)
    assert np.all(error <= 0.04 * np.abs(call.samples) + 2e-4)
    assert [p.name for p in path.parent.iterdir()] == ["call.wav"]


@pytest.mark.parametrize("arc", sorted(ARCS))
def test_conversations_alternate_and_the_customer_follows_the_arc(arc: str):
    rng = np.random.default_rng(5)
    drawn = Scene(rng)
    plan = moods(arc, 8)
    converse(
        drawn,
        agent=ToneSpeaker(110.0, rng),
        customer=ToneSpeaker(200.0, rng),
        moods=plan,
        course=Course(ring_channel=CUSTOMER, hold_turn=2, hold_s=4.0, silence_turn=4, beep=True),
    )
    call = drawn.render()
    turns = {r.turn_no: r for r in call.truth if r.kind == "speech"}
    customers = [turns[n] for n in sorted(turns) if turns[n].role == "customer"]
    assert [row.emotion for row in customers] == [mood.emotion for mood in plan]
    kinds = {row.kind for row in call.truth}
    assert {"speech", "ring", "hold", "silence", "beep"} <= kinds
    assert len(turns) == 2 * 8 + 3  # greeting, hold and return besides


def test_the_same_generator_gives_the_same_call():
    def made() -> np.ndarray:
        rng = np.random.default_rng(9)
        drawn = Scene(rng)
        speakers = ToneSpeaker(110.0, rng), ToneSpeaker(200.0, rng)
        converse(
            drawn,
            agent=speakers[0],
            customer=speakers[1],
            moods=moods("sad", 3),
            course=Course(hold_turn=1, hold_s=3.0),
        )
        return drawn.render().samples

    assert np.array_equal(made(), made())


def test_activity_bridges_short_silences_only():
    rng = np.random.default_rng(3)
    word = speech_like(0.5, rate_hz=8000, rng=rng)
    short, long = np.zeros(800, np.float32), np.zeros(4000, np.float32)
    active = speech_activity(np.r_[word, short, word, long, word], rate_hz=8000)
    assert len(list(runs(active))) == 2
    assert active_level_db(np.zeros(8000, np.float32), rate_hz=8000) == -120
