"""Clips, lines and licences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_batch.config import Settings
from ser_batch.errors import CorpusError
from ser_batch.lab.distill.adopt import _verdict
from ser_batch.lab.distill.batches import Batches
from ser_batch.lab.distill.material import (
    RATE_HZ,
    SPEEDS,
    held_out_groups,
    n_samples,
    read_material,
)
from ser_batch.lab.distill.sources import OWN, parse_source
from ser_batch.lab.distill.targets import teach
from tests.lab.distill.made import made_up_teacher, speech_material


def test_clips_have_one_of_a_few_lengths_at_every_speed(speech):
    material = speech_material(speech)
    for number, cut in enumerate(material.cuts):
        assert len(material.clip(number)) == n_samples(cut.length)
    assert {cut.speed for cut in material.cuts} == set(range(len(SPEEDS)))


def test_a_clip_said_faster_is_higher(tmp_path):
    seconds = np.arange(3 * RATE_HZ) / RATE_HZ
    soundfile.write(tmp_path / "tone.wav", 0.3 * np.sin(2 * np.pi * 400 * seconds), RATE_HZ)
    material = read_material([tmp_path], Settings(), seed=1)
    peaks = {}
    for number, cut in enumerate(material.cuts):
        power = np.abs(np.fft.rfft(material.clip(number)))
        peaks[cut.speed] = np.argmax(power) * RATE_HZ / n_samples(cut.length)
    for speed, factor in enumerate(SPEEDS):
        assert peaks[speed] == pytest.approx(400 * factor, rel=0.01)


def test_the_same_recordings_give_the_same_clips(speech):
    one, again = speech_material(speech), speech_material(speech)
    assert (one.cuts, one.digest) == (again.cuts, again.digest)


def test_silence_between_bursts_is_in_no_clip(tmp_path):
    rng = np.random.default_rng(0)
    burst = 0.2 * rng.standard_normal(RATE_HZ)
    gap = np.zeros(RATE_HZ)
    soundfile.write(tmp_path / "two.wav", np.concatenate([burst, gap, burst]), RATE_HZ)
    material = read_material([tmp_path], Settings(), seed=1)
    clips = [material.clip(number) for number in range(len(material.cuts))]
    assert len(clips) == 2 * len(SPEEDS)
    assert all(np.mean(np.abs(clip) > 0.001) > 0.9 for clip in clips)


def test_only_the_customer_of_a_call_is_used(demo_calls, tmp_path):
    call = sorted(demo_calls.audio_dir.rglob("*.wav"))[0]
    samples, rate_hz = soundfile.read(call)
    samples[:, 0] = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(len(samples)) / rate_hz)
    soundfile.write(tmp_path / "call.wav", samples, rate_hz, "PCM_16")
    material = read_material([tmp_path], Settings(), seed=1)
    assert material.cuts
    for number in range(len(material.cuts)):
        power = np.abs(np.fft.rfft(material.clip(number))) ** 2
        hz = np.fft.rfftfreq(n_samples(material.cuts[number].length), 1 / RATE_HZ)
        assert power[np.abs(hz - 1000) < 3].sum() < 0.3 * power.sum()


def test_where_nobody_is_the_customer_no_speech_is_used(demo_calls):
    settings = Settings()
    roles = settings.roles.model_copy(update={"channels": ("agent", "unknown")})
    with pytest.raises(CorpusError, match="no speech"):
        read_material([demo_calls.audio_dir], settings.model_copy(update={"roles": roles}), seed=1)


def test_what_is_held_out_is_never_drawn(speech, tmp_path):
    material = speech_material(speech)
    held_out = {number for number, cut in enumerate(material.cuts) if cut.held_out}
    assert held_out
    shown: set[int] = set()
    targets = teach(material, made_up_teacher().states, tmp_path)

    class Recorded(type(targets)):
        def of(self, number):
            shown.add(number)
            return super().of(number)

    recorded = Recorded(targets.parts, targets.firsts, targets.mean, targets.std)
    batches = Batches(material, recorded, [], n_mels=63, seconds=8, seed=1)
    for number in range(25):
        batches.batch(number)
    assert shown
    assert not shown & held_out


def test_a_batch_follows_from_its_number(speech, tmp_path):
    material = speech_material(speech)
    targets = teach(material, made_up_teacher().states, tmp_path)
    batches = Batches(material, targets, [], n_mels=63, seconds=8, seed=1)
    one, again = batches.batch(5), next(batches.since(5))
    assert np.array_equal(one.spectra, again.spectra)
    assert not np.array_equal(one.states, batches.batch(6).states)


def test_speakers_are_held_out_whole():
    groups = [f"emodb:{number:02d}" for number in range(10)] * 30
    assert len(held_out_groups(groups)) == 1
    assert held_out_groups(["one"]) == set()
    assert len(held_out_groups(["one", "two"])) == 1


def test_a_source_has_the_licence_given_or_its_corpus_s_or_is_ones_own(tmp_path: Path):
    for name in ("03a01Fa.wav", "03a01Nc.wav"):
        soundfile.write(_made(tmp_path / "emodb") / name, np.zeros(800), 16000)
    soundfile.write(_made(tmp_path / "calls") / "call.wav", np.zeros(800), 16000)
    assert parse_source(str(tmp_path / "emodb")).licence == "CC0-1.0"
    assert parse_source(str(tmp_path / "calls")).licence == OWN
    assert parse_source(f"{tmp_path / 'calls'}=Apache-2.0").licence == "Apache-2.0"
    with pytest.raises(CorpusError, match=r"Apache-2\.0"):
        parse_source(f"{tmp_path / 'calls'}=Apache-2")
    with pytest.raises(CorpusError, match="no audio"):
        parse_source(str(tmp_path / "elsewhere"))


@pytest.mark.parametrize(
    ("figures", "adopted"),
    [
        ((0.40, 0.50, None, None), True),
        ((0.499, 0.50, None, None), False),
        ((0.60, 0.50, None, None), False),
        ((0.40, 0.50, 0.70, 0.69), True),
        ((0.40, 0.50, 0.66, 0.69), False),
    ],
)
def test_an_adaptation_must_hear_better_and_tell_no_worse(figures, adopted):
    why, found = _verdict(*figures)
    assert found is adopted
    assert f"{figures[1]:.3f} → {figures[0]:.3f}" in why[0]


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
