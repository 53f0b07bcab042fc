"""Clips of a corpus as labelled features, in telephone or wide band."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import soundfile
import soxr

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ, telephone
from ser_batch.corpora.base import Clip
from ser_batch.errors import CorpusError
from ser_batch.features.sets import FeatureSet
from ser_batch.model.dataset import Dataset

Band = Literal["telephone", "wide"]

TRIM_DB = 35.0
TRIM_FRAME_S = 0.02
TRIM_PAD_S = 0.06


def describe_clips(
    clips: Sequence[Clip],
    feature_set: FeatureSet,
    *,
    band: Band = "telephone",
    on_clip: Callable[[], None] = lambda: None,
) -> Dataset:
    """Features of the speech in each clip.

    Args:
        clips: labelled recordings
        feature_set: what to measure
        band: `telephone` sends each clip through a telephone line first
        on_clip: called after each clip, for a progress bar

    Raises:
        CorpusError: if a clip cannot be decoded
    """
    rows, contents = [], []
    for clip in clips:
        raw = clip.path.read_bytes()
        signal = clip_signal(clip, raw, feature_set.sample_rate, band)
        rows.append(feature_set.extract(signal, speech_span(signal, feature_set.sample_rate)))
        contents.append(hashlib.blake2b(raw, digest_size=16).hexdigest())
        on_clip()
    return Dataset(
        features=np.concatenate(rows),
        names=feature_set.names,
        emotions=tuple(clip.emotion for clip in clips),
        speakers=tuple(clip.speaker for clip in clips),
        contents=tuple(contents),
        corpora=tuple(clip.corpus for clip in clips),
        sexes=tuple(clip.sex for clip in clips),
    )


def clip_signal(clip: Clip, raw: bytes, sample_rate: int, band: Band) -> FloatArray:
    """Mono samples of a clip at a rate, in a band.

    Raises:
        CorpusError: if the bytes cannot be decoded
    """
    try:
        samples, own_rate = soundfile.read(io.BytesIO(raw), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise CorpusError(f"{clip.path} cannot be decoded: {error}") from error
    mono = samples.mean(axis=1)
    if band == "telephone":
        mono, own_rate = telephone(mono, own_rate), TELEPHONE_RATE_HZ
    signal: FloatArray = soxr.resample(mono, own_rate, sample_rate)
    return signal


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
