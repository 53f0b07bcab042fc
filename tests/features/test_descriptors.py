"""Each descriptor against librosa's own, or against a signal whose truth is known."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from ser_batch.features import formants, pitch, spectrum
from ser_batch.features.descriptors import Descriptors, describe, measures
from ser_batch.features.frames import delta, take_frames
from ser_batch.features.parameters import Parameters
from ser_batch.features.sets import FEATURE_SETS

pytestmark = pytest.mark.xdist_group("librosa")  # one process compiles its functions

TELEPHONE = FEATURE_SETS["descriptors_v1"]
WIDE = FEATURE_SETS["descriptors_v1_wide"]


def voice(f0_hz: np.ndarray | float, seconds: float, rate: int = 8000, seed: int = 0) -> np.ndarray:
    """Harmonics that fall off with frequency, and a little noise."""
    time = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(f0_hz, time.shape)) / rate
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    noise = np.random.default_rng(seed).normal(size=len(time))
    return (0.1 * tone + 0.001 * noise).astype(np.float32)


def described(signal: np.ndarray, parameters: Parameters = TELEPHONE) -> Descriptors:
    return describe(signal, np.array([[0, len(signal) / parameters.sample_rate]]), parameters)


def row(measured: Descriptors, name: str) -> np.ndarray:
    return measured.values[measured.names.index(name)]


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    rng = np.random.default_rng(1)
    return (0.1 * rng.normal(size=8000) * np.linspace(0.1, 1, 8000)).astype(np.float32)


@pytest.fixture(scope="module")
def magnitude(noise: np.ndarray) -> np.ndarray:
    """librosa's magnitude spectrum of the same frames, only the bins of the band."""
    frames = librosa.util.frame(noise, frame_length=320, hop_length=80).T
    window = librosa.filters.get_window("hann", 320)
    spectra = np.abs(np.fft.rfft(frames * window, 512)) * 2 / window.sum()
    return spectra.T[TELEPHONE.band]


def test_centroid_and_bandwidth_are_librosas(noise, magnitude):
    frequencies = TELEPHONE.band_hz
    measured = described(noise)
    np.testing.assert_allclose(
        row(measured, "centroid"),
        librosa.feature.spectral_centroid(S=magnitude, freq=frequencies)[0],
        rtol=1e-3,
    )
    np.testing.assert_allclose(
        row(measured, "bandwidth"),
        librosa.feature.spectral_bandwidth(S=magnitude, freq=frequencies)[0],
        rtol=2e-3,
    )


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 0.85])
def test_rolloff_is_librosas(noise, magnitude, share):
    theirs = librosa.feature.spectral_rolloff(
        S=magnitude, freq=TELEPHONE.band_hz, roll_percent=share
    )[0]
    ours = row(described(noise), f"rolloff{round(100 * share)}")
    assert np.abs(ours - theirs).max() <= 8000 / 512 + 0.1  # one bin


def test_flatness_is_librosas(noise, magnitude):
    theirs = 10 * np.log10(librosa.feature.spectral_flatness(S=magnitude, power=2)[0])
    np.testing.assert_allclose(row(described(noise), "flatness"), theirs, atol=0.05)


def test_log_mel_mfcc_and_flux_are_librosas(noise):
    frames = librosa.util.frame(noise, frame_length=320, hop_length=80).T
    window = librosa.filters.get_window("hann", 320)
    power = (np.abs(np.fft.rfft(frames * window, 512)) * 2 / window.sum()).T ** 2
    mel = librosa.feature.melspectrogram(
        S=power, sr=8000, n_fft=512, n_mels=24, fmin=250.0, fmax=3500.0
    )
    log_mel = librosa.power_to_db(mel, top_db=None)
    measured = described(noise)
    np.testing.assert_allclose(measured.log_mel, log_mel, atol=0.01)
    mfcc = librosa.feature.mfcc(S=log_mel, n_mfcc=15)
    for number in range(1, 15):
        np.testing.assert_allclose(row(measured, f"mfcc{number}"), mfcc[number], atol=0.02)
    theirs = librosa.onset.onset_strength(S=log_mel, center=False)
    np.testing.assert_allclose(row(measured, "flux")[1:], theirs[1:], atol=0.01)


def test_contrast_is_librosas(noise, magnitude):
    frequencies = TELEPHONE.band_hz
    theirs = librosa.feature.spectral_contrast(
        S=magnitude, freq=frequencies, fmin=500.0, n_bands=2, quantile=0.001
    )
    octave = row(described(noise), "contrast2")
    assert np.corrcoef(octave, theirs[1])[0, 1] > 0.95


def test_chroma_finds_the_pitch_class():
    a4 = voice(440.0, 1.0)
    power = spectrum.power_spectrum(take_frames(a4, np.array([1000]), 320), TELEPHONE)
    shares = spectrum.chroma(np.ascontiguousarray(power[:, TELEPHONE.band]), TELEPHONE)
    assert shares[0].argmax() == 9
    assert shares.sum() == pytest.approx(1, abs=1e-4)


def test_level_and_zero_crossings_of_a_sine():
    time = np.arange(8000) / 8000
    measured = described((0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32))
    np.testing.assert_allclose(row(measured, "level"), 20 * np.log10(0.5) - 3.01, atol=0.05)
    np.testing.assert_allclose(row(measured, "zcr"), 0.25, atol=0.01)


@pytest.mark.parametrize("parameters", [TELEPHONE, WIDE], ids=["telephone", "wide"])
@pytest.mark.parametrize("f0_hz", [80.0, 123.0, 210.0, 390.0])
def test_f0_of_a_steady_voice(f0_hz, parameters):
    measured = described(voice(f0_hz, 1.0, parameters.sample_rate), parameters)
    assert measured.voiced.mean() > 0.95
    semitones = row(measured, "f0")[measured.voiced]
    assert np.abs(semitones - 12 * np.log2(f0_hz / 27.5)).max() < 0.2


def test_f0_survives_the_loss_of_its_own_harmonics():
    from ser_batch.audio.telephone import telephone

    received = telephone(voice(110.0, 1.0, 16000), 16000)
    measured = described(received)
    semitones = row(measured, "f0")[measured.voiced]
    assert measured.voiced.mean() > 0.9
    assert np.median(np.abs(semitones - 24)) < 0.1


def test_f0_agrees_with_librosas_pyin_on_a_gliding_voice():
    glide = voice(np.linspace(100, 260, 16000), 2.0)
    measured = described(glide)
    theirs, voiced, _ = librosa.pyin(
        glide, fmin=65, fmax=500, sr=8000, frame_length=640, hop_length=80, center=False
    )
    # pyin's frame is twice as long: its middle lies two hops later
    ours = measured.values[measured.names.index("f0")][2 : 2 + len(theirs)]
    both = voiced & measured.voiced[2 : 2 + len(theirs)]
    assert both.mean() > 0.9
    gap = np.abs(ours[both] - 12 * np.log2(theirs[both] / 27.5))
    assert np.median(gap) < 0.25


def test_noise_and_silence_are_unvoiced(noise):
    assert described(noise).voiced.mean() < 0.15
    assert not described(np.zeros(8000, np.float32)).voiced.any()


def test_harmonics_to_noise_follows_the_noise():
    rng = np.random.default_rng(2)
    clean = voice(150.0, 1.0)
    levels = []
    for noise_db in (-50, -20, -10):
        noisy = clean + clean.std() * 10 ** (noise_db / 20) * rng.normal(size=len(clean))
        measured = described(noisy.astype(np.float32))
        levels.append(np.median(row(measured, "hnr")[measured.voiced]))
    assert levels[0] > levels[1] + 5
    assert levels[1] > levels[2] + 5
    assert levels[1] == pytest.approx(20, abs=5)


def test_jitter_and_shimmer_grow_with_irregularity():
    rng = np.random.default_rng(3)
    steady = described(voice(150.0, 1.0))
    wander = 150 * (1 + 0.03 * np.repeat(rng.normal(size=100), 80))
    loudness = np.repeat(rng.uniform(0.4, 1, 100), 80).astype(np.float32)
    rough = described(voice(wander, 1.0) * loudness)
    for name in ("jitter", "shimmer"):
        assert np.nanmean(row(rough, name)) > 3 * np.nanmean(row(steady, name))


def test_linear_prediction_is_librosas(noise):
    frames = take_frames(noise, np.arange(0, 4000, 400), 320)
    power = spectrum.power_spectrum(frames, TELEPHONE)
    ours, unexplained = formants.prediction(power, TELEPHONE)
    assert np.all((unexplained > 0) & (unexplained <= 1))
    # the same equations solved directly
    angle = 2 * np.pi * np.arange(257) / 512
    shaped = power * (1 + 0.97**2 - 2 * 0.97 * np.cos(angle))
    lags = (shaped @ np.cos(np.outer(angle, np.arange(11)))).astype(float)
    lags[:, 0] *= 1.001
    for r, a in zip(lags, ours, strict=True):
        matrix = r[np.abs(np.subtract.outer(np.arange(10), np.arange(10)))]
        np.testing.assert_allclose(a[1:], np.linalg.solve(matrix, -r[1:]), rtol=1e-3, atol=1e-3)


def test_formants_are_the_resonances_of_the_filter():
    import scipy.signal

    source = np.zeros(8000)
    source[::60] = 1
    poles = [0.97 * np.exp(2j * np.pi * f / 8000) for f in (600, 1500, 2600)]
    coefficients = np.poly([*poles, *np.conj(poles)]).real
    spoken = scipy.signal.lfilter([0.01], coefficients, source).astype(np.float32)
    measured = described(spoken)
    for number, hz in enumerate((600, 1500, 2600), start=1):
        assert np.median(row(measured, f"formant{number}")) == pytest.approx(hz, abs=60)


def test_cepstral_peak_is_higher_for_a_voice_than_for_noise(noise):
    tonal = described(voice(150.0, 1.0))
    assert np.median(row(tonal, "cpp")) > 2 * np.median(row(described(noise), "cpp"))


def test_delta_is_librosas_inside_a_segment_and_undefined_at_its_ends():
    values = np.random.default_rng(4).normal(size=(3, 40)).astype(np.float32)
    ours = delta(values, np.array([0, 15, 40]))
    theirs = librosa.feature.delta(values, width=5)
    inside = [*range(2, 13), *range(17, 38)]
    np.testing.assert_allclose(ours[:, inside], theirs[:, inside], atol=1e-5)
    assert np.isnan(np.delete(ours, inside, axis=1)).all()


def test_tracking_in_pieces_equals_tracking_at_once():
    rng = np.random.default_rng(5)
    gain = rng.uniform(0, 1, (300, 5)).astype(np.float32)
    octave = np.log2(rng.uniform(80, 300, (300, 4))).astype(np.float32)
    begins = np.zeros(300, bool)
    begins[0] = True
    pieces = pitch._best_path(gain, octave, begins)
    at_once = _viterbi(gain, octave)
    assert np.mean(pieces == at_once) > 0.99


def _viterbi(gain: np.ndarray, octave: np.ndarray) -> np.ndarray:
    """The textbook's loop, one frame at a time."""
    total, back = gain[0].astype(float), []
    for now in range(1, len(gain)):
        cost = np.full((5, 5), pitch.VOICED_UNVOICED_COST)
        cost[4, 4] = 0
        cost[:4, :4] = pitch.OCTAVE_JUMP_COST * np.abs(
            octave[now - 1][:, None] - octave[now][None, :]
        )
        arriving = total[:, None] - cost
        back.append(arriving.argmax(axis=0))
        total = arriving.max(axis=0) + gain[now]
    path = [int(total.argmax())]
    for step in reversed(back):
        path.append(int(step[path[-1]]))
    return np.array(path[::-1])


@pytest.mark.parametrize("parameters", FEATURE_SETS.values(), ids=FEATURE_SETS)
def test_names_are_those_of_the_rows_that_are_measured(parameters):
    silence = np.zeros(parameters.frame_length, np.float32)
    seconds = parameters.frame_length / parameters.sample_rate
    measured = describe(silence, np.array([[0.0, seconds]]), parameters)
    assert tuple(row.name for row in measures(parameters)) == measured.names


TELEPHONE_AND_WIDE = pytest.mark.parametrize("name", ["descriptors_v1", "descriptors_v1_wide"])


@TELEPHONE_AND_WIDE
def test_autocorrelation_is_that_of_the_inverse_transform(noise, name):
    parameters = FEATURE_SETS[name]
    frames = take_frames(noise, np.arange(0, 4000, 80), parameters.frame_length)
    power = spectrum.power_spectrum(frames, parameters).astype(np.float64)
    power[:, parameters.frequencies_hz < parameters.f0_low_hz] = 0
    n_fft = parameters.n_fft * parameters.lag_steps
    theirs = np.fft.irfft(power, n_fft) / np.fft.irfft(power, n_fft)[:, :1]
    window = np.fft.irfft(np.abs(np.fft.rfft(parameters.window, parameters.n_fft)) ** 2, n_fft)
    theirs *= window[0] / window

    first = parameters.lags[0] * parameters.lag_steps - 1
    ours = pitch._autocorrelation(power.astype(np.float32), parameters)
    np.testing.assert_allclose(ours, theirs[:, first : first + ours.shape[1]], atol=5e-6)


@TELEPHONE_AND_WIDE
def test_cepstral_peak_is_that_of_the_inverse_transform(noise, name):
    parameters = FEATURE_SETS[name]
    frames = take_frames(noise, np.arange(0, 4000, 80), parameters.frame_length)
    level = spectrum.decibels(spectrum.power_spectrum(frames, parameters)).astype(np.float64)
    inside = level[:, parameters.band]
    whole = np.repeat(inside.mean(axis=1, keepdims=True), level.shape[1], axis=1)
    whole[:, parameters.band] = inside
    searched = np.abs(np.fft.irfft(whole)[:, parameters.lags])
    theirs = searched.max(axis=1) - searched.mean(axis=1)
    ours = pitch.cepstral_peak_db(inside.astype(np.float32), parameters)
    np.testing.assert_allclose(ours, theirs, atol=2e-5)
