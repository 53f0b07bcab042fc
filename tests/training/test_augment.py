from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ser_batch.audio.telephone import telephone
from ser_batch.config import DenoiseSettings
from ser_batch.corpora import get_corpus
from ser_batch.features.sets import get_feature_set
from ser_batch.scoring.histograms import LINE_MEASURES
from ser_batch.training.augment import Augmentation, telephone_copy, with_response
from ser_batch.training.describe import describe_clips, line_of
from ser_batch.training.splits import speaker_folds
from tests.corpora.made import made_corpus


def tone(hz: float = 500.0, seconds: float = 1.0) -> np.ndarray:
    return (0.1 * np.sin(2 * np.pi * hz * np.arange(int(16000 * seconds)) / 16000)).astype(
        np.float32
    )


def test_a_copy_is_as_loud_and_noisy_as_was_asked_for():
    asked = Augmentation(
        speed=0,
        level_db=(-30, -30),
        snr_db=(20, 20),
        lossy=0,
        denoise=DenoiseSettings(mode="off"),
    )
    copy = telephone_copy(tone(), 16000, asked, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(copy[1000:7000])) ** 2
    peak = power.argmax()
    signal = power[peak - 5 : peak + 6].sum()
    assert 10 * np.log10(np.mean(copy[1000:7000] ** 2)) == pytest.approx(-30, abs=0.8)
    assert 10 * np.log10(signal / (power.sum() - signal)) == pytest.approx(20, abs=2)


def test_a_noisy_copy_is_denoised_as_a_night_denoises():
    asked = Augmentation(speed=0, tilt_db=0, bump_db=0, snr_db=(15, 15), lossy=0)
    off = replace(asked, denoise=DenoiseSettings(mode="off"))
    copies = [telephone_copy(tone(), 16000, one, np.random.default_rng(0)) for one in (asked, off)]
    noise = [(np.abs(np.fft.rfft(copy[1000:7000]))[1200:2400] ** 2).sum() for copy in copies]
    assert noise[0] < 0.3 * noise[1]
    quiet = replace(asked, snr_db=(37, 37))
    same = [
        telephone_copy(tone(), 16000, one, np.random.default_rng(0))
        for one in (quiet, replace(quiet, denoise=DenoiseSettings(mode="off")))
    ]
    np.testing.assert_array_equal(*same)


def test_speed_changes_length_and_pitch_together():
    asked = Augmentation(speed=0.1, tilt_db=0, bump_db=0, snr_db=(60, 60))
    copy = telephone_copy(tone(), 16000, asked, np.random.default_rng(3))
    received_hz = np.abs(np.fft.rfft(copy)).argmax() * 8000 / len(copy)
    assert received_hz * len(copy) == pytest.approx(500 * 8000, rel=0.01)
    assert abs(len(copy) - 8000) > 20


def test_a_response_is_smooth_and_of_the_asked_spread():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=16000).astype(np.float32)
    flat = with_response(noise, 16000, Augmentation(tilt_db=0, bump_db=0), rng)
    np.testing.assert_allclose(flat, noise, atol=1e-4)
    spectra = [
        np.abs(np.fft.rfft(with_response(noise, 16000, Augmentation(), rng)))
        / np.abs(np.fft.rfft(noise))
        for _ in range(100)
    ]
    gain_db = 20 * np.log10(np.array(spectra)[:, 1000])  # 1 kHz: no tilt, between two corners
    assert 1.0 < gain_db.std() < 2.2


def test_copies_follow_their_clip_and_stay_with_its_speaker(tmp_path):
    clips = get_corpus("emodb").read(made_corpus(tmp_path / "emodb"))[:6]
    feature_set = get_feature_set("descriptors_v1")
    plain = describe_clips(clips, feature_set)
    copied = describe_clips(clips, feature_set, augmentation=Augmentation(copies=2))
    assert copied.copies.tolist() == [0, 1, 2] * 6
    np.testing.assert_array_equal(copied.features[::3], plain.features)
    assert copied.contents[0] == copied.contents[2] != copied.contents[3]
    assert not np.array_equal(copied.features[0], copied.features[1])
    two_speakers = [replace(clip, speaker=f"made:{i % 2}") for i, clip in enumerate(clips)]
    both = describe_clips(two_speakers, feature_set, augmentation=Augmentation(copies=2))
    for fold in speaker_folds(both.speakers, both.contents):
        tested = both.without_copies(fold.test)
        assert set(both.copies[tested]) == {0}
        assert not {both.contents[i] for i in fold.train} & {both.contents[i] for i in tested}


def test_a_clip_tells_its_level_and_band_and_not_its_noise(tmp_path):
    voice = sum(tone(200.0 * k, 2.0) / k for k in range(1, 36))  # to 7 kHz
    clip = telephone(voice, 16000)
    measured = dict(zip(LINE_MEASURES, line_of(clip, 8000, is_copy=False), strict=True))
    rms_db = 10 * np.log10(np.mean(clip**2))
    assert measured["level_db"] == pytest.approx(rms_db, abs=0.2)
    assert measured["bandwidth_hz"] == pytest.approx(3600, abs=150)
    assert np.isnan([measured["snr_db"], measured["clipping_ratio"]]).all()
    noisy = dict(zip(LINE_MEASURES, line_of(clip, 8000, is_copy=True), strict=True))
    assert noisy["level_db"] == measured["level_db"]
    assert np.isnan(noisy["bandwidth_hz"])
    corpus = get_corpus("emodb").read(made_corpus(tmp_path / "emodb"))[:2]
    described = describe_clips(
        corpus, get_feature_set("descriptors_v1"), augmentation=Augmentation(copies=2)
    )
    assert described.line.shape == (6, len(LINE_MEASURES))
    assert np.isfinite(described.line[:, LINE_MEASURES.index("bandwidth_hz")]).tolist() == [
        *(True, False, False) * 2
    ]


def test_a_clips_copies_do_not_depend_on_its_company(tmp_path):
    clips = get_corpus("emodb").read(made_corpus(tmp_path / "emodb"))[:4]
    feature_set = get_feature_set("descriptors_v1")
    once = Augmentation(copies=1)
    together = describe_clips(clips, feature_set, augmentation=once)
    alone = describe_clips(clips[2:3], feature_set, augmentation=once)
    np.testing.assert_array_equal(together.features[4:6], alone.features)
