"""Clips of a corpus as labelled features, in telephone or wide band."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import soundfile
import soxr

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.bandwidth import bandwidth_hz, mean_spectrum
from ser_batch.audio.levels import channel_level, frame_power
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ, telephone
from ser_batch.config import FeatureSettings
from ser_batch.corpora.base import Clip
from ser_batch.emotions import EMOTIONS
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import Dataset
from ser_batch.features.sets import FeatureSet
from ser_batch.scoring.histograms import LINE_MEASURES
from ser_batch.training.augment import Augmentation, telephone_copy

Band = Literal["telephone", "wide"]
FEATURE_SETS: dict[Band, str] = {
    "telephone": FeatureSettings().set,
    "wide": "descriptors_v1_wide",
}
"""The feature set that measures each band: the night's own, and one to compare with others."""

TRIM_DB = 35.0
TRIM_FRAME_S = 0.02
TRIM_PAD_S = 0.06


def describe_clips(
    clips: Sequence[Clip],
    feature_set: FeatureSet,
    *,
    band: Band = "telephone",
    augmentation: Augmentation | None = None,
    on_clip: Callable[[], None] = lambda: None,
) -> Dataset:
    """Features of the speech in each clip, and of its augmented copies after it.

    Args:
        clips: labelled recordings
        feature_set: what to measure
        band: `telephone` sends each clip through a telephone line first
        augmentation: copies over other lines, for the telephone band; None: none
        on_clip: called after each clip, for a progress bar

    Raises:
        CorpusError: if a clip cannot be decoded
    """
    augmentation = augmentation or Augmentation()
    rows, contents, lines = [], [], []
    for clip in clips:
        raw = clip.path.read_bytes()
        content = hashlib.blake2b(raw, digest_size=16)
        samples, rate_hz = decoded(clip, raw)
        signals = [in_band(samples, rate_hz, feature_set.sample_rate, band)]
        # drawn from the content: a clip's copies do not depend on what else is described
        rng = np.random.default_rng(list(content.digest()))
        for _ in range(augmentation.copies):
            signals.append(telephone_copy(samples, rate_hz, augmentation, rng))
        for signal in signals:
            span = speech_span(signal, feature_set.sample_rate)
            rows.append(feature_set.extract(signal, span))
            lines.append(line_of(signal, feature_set.sample_rate, is_copy=signal is not signals[0]))
        contents.append(content.hexdigest())
        on_clip()
    described = labelled_rows(clips, contents, np.concatenate(rows), feature_set)
    return replace(described, line=np.array(lines, np.float32).reshape(-1, len(LINE_MEASURES)))


def labelled_rows(
    clips: Sequence[Clip], contents: Sequence[str], features: FloatArray, feature_set: FeatureSet
) -> Dataset:
    """Features of clips with their labels.

    Args:
        clips: labelled recordings
        contents: digest of each
        features: of each clip, its augmented copies after it, shape (n_clips * n, n_features)
        feature_set: that describes them
    """
    each = len(features) // max(len(clips), 1)
    return Dataset(
        features=features,
        names=feature_set.names,
        kinds=feature_set.kinds,
        emotions=_repeated([clip.emotion for clip in clips], each),
        speakers=_repeated([clip.speaker for clip in clips], each),
        contents=_repeated(contents, each),
        corpora=_repeated([clip.corpus for clip in clips], each),
        sexes=_repeated([clip.sex for clip in clips], each),
        copies=np.tile(np.arange(each), len(clips)),
        shares=np.repeat(_shares(clips), each, axis=0) if any(c.votes for c in clips) else None,
        sentences=_repeated(
            [f"{c.corpus}:{c.sentence}" if c.sentence else "" for c in clips], each
        ),
        dimensions=np.repeat(_dimensions(clips), each, axis=0)
        if any(clip.dimensions for clip in clips)
        else None,
    )


def _dimensions(clips: Sequence[Clip]) -> DoubleArray:
    """Arousal and valence of each clip, NaN where they are not known, shape (n_clips, 2)."""
    return np.array([clip.dimensions or (np.nan, np.nan) for clip in clips], np.float64)


def _shares(clips: Sequence[Clip]) -> FloatArray:
    """Share of each clip's listeners by emotion, shape (n_clips, len(EMOTIONS))."""
    shares = [clip.shares for clip in clips]
    return np.array([[each.get(name, 0.0) for name in EMOTIONS] for each in shares], np.float32)


def line_of(signal: FloatArray, sample_rate: int, *, is_copy: bool) -> list[float]:
    """What a clip says of its line, in the order of `LINE_MEASURES`; NaN where nothing honest.

    It is cut to its speech, so it holds no noise by itself; it is too short to separate clipping
    from a peak. A copy's line noise hides how far its speech reaches.

    Args:
        signal: as it is described, shape (n_samples,)
        sample_rate: Hz
        is_copy: whether noise was added to it
    """
    power = frame_power(signal, sample_rate)
    sounding = power > power.max(initial=0) * 10 ** (-TRIM_DB / 10)
    known = {"level_db": channel_level(power, sounding, ~sounding).level_db}
    if not is_copy:
        spectrum = mean_spectrum(signal, sample_rate, speech_span(signal, sample_rate))
        known["bandwidth_hz"] = float(bandwidth_hz(spectrum, np.zeros_like(spectrum)))
    return [known.get(name, np.nan) for name in LINE_MEASURES]


def decoded(clip: Clip, raw: bytes) -> tuple[FloatArray, int]:
    """Mono samples of a clip without the silence around them, and their rate.

    Raises:
        CorpusError: if the bytes cannot be decoded
    """
    try:
        samples, rate_hz = soundfile.read(io.BytesIO(raw), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise CorpusError(f"{clip.path} cannot be decoded: {error}") from error
    mono = samples.mean(axis=1)
    start_s, end_s = speech_span(mono, rate_hz)[0]
    return mono[int(start_s * rate_hz) : int(end_s * rate_hz)], int(rate_hz)


def telephone_signal(clip: Clip, wanted_hz: int) -> FloatArray:
    """A clip over the telephone, at a rate, without the silence around its speech.

    Raises:
        CorpusError: if the bytes cannot be decoded
    """
    samples, rate_hz = decoded(clip, clip.path.read_bytes())
    return in_band(samples, rate_hz, wanted_hz, "telephone")


def in_band(signal: FloatArray, rate_hz: int, wanted_hz: int, band: Band) -> FloatArray:
    """A signal in a band and at a rate."""
    if band == "telephone":
        signal, rate_hz = telephone(signal, rate_hz), TELEPHONE_RATE_HZ
    return np.asarray(soxr.resample(signal, rate_hz, wanted_hz), np.float32)


def _repeated(values: Sequence[str], each: int) -> tuple[str, ...]:
    return tuple(value for value in values for _ in range(each))


def speech_span(signal: FloatArray, sample_rate: int) -> DoubleArray:
    """From the first to the last sound of a clip, seconds, shape (1, 2).

    A call's segments begin and end with speech, so the silence around a clip is no part of it.
    """
    size = int(TRIM_FRAME_S * sample_rate)
    n_frames = len(signal) // size
    power = np.square(signal[: n_frames * size].reshape(n_frames, size)).mean(axis=1)
    loud = np.flatnonzero(power > power.max(initial=0) * 10 ** (-TRIM_DB / 10))
    if not len(loud):
        return np.array([[0.0, len(signal) / sample_rate]])
    start_s = max(loud[0] * TRIM_FRAME_S - TRIM_PAD_S, 0.0)
    end_s = min((loud[-1] + 1) * TRIM_FRAME_S + TRIM_PAD_S, len(signal) / sample_rate)
    return np.array([[start_s, end_s]])
