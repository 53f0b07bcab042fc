"""Synthetic speakers: the manner can be measured."""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
import pytest

from ser_batch.audio.analysis import analyse_calls
from ser_batch.audio.decode import Audio
from ser_batch.audio.intervals import to_mask
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ as RATE_HZ
from ser_batch.config import Settings
from ser_batch.errors import DependencyError
from ser_batch.lab.synthetic import voices
from ser_batch.lab.synthetic.activity import active_level_db
from ser_batch.lab.synthetic.dialogue import ARCS, CUSTOMER, Mood
from ser_batch.lab.synthetic.prosody import pitch_track, reintone
from ser_batch.lab.synthetic.scenes import NOMINAL_LEVEL_DB, Scene, Utterance
from ser_batch.lab.synthetic.scripts import (
    CUSTOMER_CLOSINGS,
    MOOD_LINES,
    PROBLEMS,
    TOPIC_LINES,
    Deck,
    customer_line,
)
from tests.lab.synthetic.tones import ToneSpeaker, speech_like

TEXT = "I have been waiting for three weeks, and nobody has called me back."
VOICE = voices.Voice("en-GB")


def spoken(emotion: str, intensity: float = 1.0, voice: voices.Voice = VOICE) -> Utterance:
    pytest.importorskip("py_nanotts", reason="the extra `demo` is not installed")
    rng = np.random.default_rng(1)
    return voices.speak(TEXT, voice, emotion=emotion, intensity=intensity, rng=rng)


def level_db(utterance: Utterance) -> float:
    return active_level_db(utterance.samples, rate_hz=utterance.rate_hz)


def pitch_hz(utterance: Utterance) -> np.ndarray:
    track = pitch_track(utterance.samples, rate_hz=utterance.rate_hz)
    return track[track > 0]


def duration_s(utterance: Utterance) -> float:
    return len(utterance.samples) / utterance.rate_hz


def share_above_1_khz(utterance: Utterance) -> float:
    power = np.abs(np.fft.rfft(utterance.samples)) ** 2
    hz = np.fft.rfftfreq(len(utterance.samples), 1 / utterance.rate_hz)
    return float(power[(hz > 1000) & (hz < 3400)].sum() / power[(hz > 300) & (hz < 3400)].sum())


def test_anger_is_louder_higher_livelier_and_brighter_than_neutral_and_sad_the_reverse():
    sad, neutral, angry = (spoken(emotion) for emotion in ("sadness", "neutral", "anger"))
    assert level_db(sad) < level_db(neutral) == pytest.approx(NOMINAL_LEVEL_DB, abs=0.5)
    assert level_db(angry) > level_db(neutral) + 5
    medians = [np.median(pitch_hz(u)) for u in (sad, neutral, angry)]
    assert all(low < high for low, high in pairwise(medians))
    spans = [
        np.subtract(*np.percentile(np.log2(pitch_hz(u)), (75, 25))) for u in (sad, neutral, angry)
    ]
    assert spans[0] < spans[1] < spans[2]
    assert share_above_1_khz(sad) < share_above_1_khz(angry) / 2
    assert duration_s(sad) > duration_s(neutral)


def test_intensity_leads_from_neutral_to_the_manner():
    halfway = level_db(spoken("anger", 0.5))
    assert level_db(spoken("neutral")) + 2 < halfway < level_db(spoken("anger")) - 2
    none, neutral = spoken("anger", 0.0), spoken("neutral")
    assert np.array_equal(none.samples, neutral.samples)


def test_speakers_differ_in_pitch_while_rate_stays():
    small, large = (spoken("neutral", voice=voices.Voice("en-GB", p, t)) for p, t in
                    ((1.0, 1.05), (0.6, 0.86)))  # fmt: skip
    assert np.median(pitch_hz(large)) < 0.7 * np.median(pitch_hz(small))
    assert duration_s(large) == pytest.approx(duration_s(small), rel=0.12)


def test_a_missing_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    voices._engine.cache_clear()
    monkeypatch.setitem(sys.modules, "py_nanotts", None)
    with pytest.raises(DependencyError, match=r"pip install 'ser-batch\[demo\]'"):
        voices.speak(TEXT, VOICE, rng=np.random.default_rng(0))
    voices._engine.cache_clear()


def test_melody_is_widened_or_flattened_around_its_median():
    rate_hz = 16_000
    voice = speech_like(2.0, rate_hz=rate_hz, rng=np.random.default_rng(4), f0_hz=150)
    octaves = {}
    for span in (0.3, 2.0):
        rng = np.random.default_rng(0)
        changed = reintone(voice, rate_hz=rate_hz, span=span, rough=0.0, rng=rng)
        track = pitch_track(changed, rate_hz=rate_hz)
        octaves[span] = np.log2(track[track > 0])
    before = pitch_track(voice, rate_hz=rate_hz)
    before = np.log2(before[before > 0])
    quartiles = {
        key: np.subtract(*np.percentile(value, (75, 25))) for key, value in octaves.items()
    }
    natural = np.subtract(*np.percentile(before, (75, 25)))
    assert quartiles[0.3] < 0.6 * natural
    assert quartiles[2.0] > 1.5 * natural
    for value in octaves.values():
        assert np.median(value) == pytest.approx(np.median(before), abs=0.04)


@pytest.mark.parametrize("f0_hz", [110.0, 160.0, 230.0])
def test_tone_voices_are_detected_as_speech(f0_hz: float):
    rng = np.random.default_rng(2)
    scene, speaker = Scene(rng), ToneSpeaker(f0_hz, rng)
    for _ in range(6):
        scene.say(CUSTOMER, speaker.utter("middle", Mood("neutral")), after_s=1.5)
    call = scene.render()
    audio = Audio(call.samples.T.copy(), RATE_HZ, "WAV", "ULAW")
    (found,) = analyse_calls([audio], Settings())
    detected = to_mask(found.channels[CUSTOMER].turns, len(call.samples), 1 / RATE_HZ)
    spoken_ = np.array([(row.start_s, row.end_s) for row in call.truth])
    true = to_mask(spoken_, len(call.samples), 1 / RATE_HZ)
    assert np.mean(detected[true]) > 0.95
    assert np.mean(detected[~true]) < 0.05


def test_pitch_is_found_within_two_percent_on_a_known_voice():
    rate_hz = 16_000
    for f0_hz in (90.0, 150.0, 260.0, 380.0):
        time_s = np.arange(rate_hz) / rate_hz
        harmonics = [np.sin(2 * np.pi * f0_hz * k * time_s) / k for k in range(1, 6)]
        track = pitch_track(np.sum(harmonics, axis=0).astype(np.float32), rate_hz=rate_hz)
        assert np.median(track[track > 0]) == pytest.approx(f0_hz, rel=0.02)
    assert not pitch_track(np.zeros(rate_hz, np.float32), rate_hz=rate_hz).any()


def test_every_mood_of_every_arc_has_lines_and_a_manner():
    emotions = {mood.emotion for arc in ARCS.values() for mood in arc}
    assert emotions == set(voices.MANNERS) == set(MOOD_LINES) == set(CUSTOMER_CLOSINGS)
    for topic in PROBLEMS:
        assert set(TOPIC_LINES[topic]) == emotions


def test_a_customer_repeats_no_line_while_others_are_left():
    deck = Deck(np.random.default_rng(0))
    said = [customer_line(deck, "middle", Mood("anger"), topic="billing") for _ in range(16)]
    assert len(set(said)) == 16
