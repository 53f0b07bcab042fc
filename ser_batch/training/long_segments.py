"""Long segments joined from short clips: a call's segments last up to 12 s and hold pauses.

Without them, long segments of calls would be out of distribution: their statistics are unlike those
of any clip. Emotions are not trained on them: that improves no figure on unseen corpora.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import soxr

from ser_batch.arrays import FloatArray
from ser_batch.corpora.base import Clip
from ser_batch.features.dataset import LONG_SEGMENT, Dataset
from ser_batch.features.sets import FeatureSet
from ser_batch.scoring.histograms import LINE_MEASURES
from ser_batch.training.augment import Augmentation, telephone_copy
from ser_batch.training.describe import Band, decoded, in_band, labelled_rows, line_of

CLIPS_A_SEGMENT = 12
"""A long segment for each so many clips of a speaker's emotion that are begun."""
LENGTH_S = (5.0, 12.0)
PAUSE_S = (0.15, 0.5)
COPIED = 0.5
"""Share of the segments that are sent over a simulated channel, where copies are."""
PAUSE_DB = -80.0
"""Noise of the pauses, dB re full scale."""


def long_segments(
    clips: Sequence[Clip],
    feature_set: FeatureSet,
    *,
    band: Band,
    augmentation: Augmentation,
) -> Dataset | None:
    """Clips of one speaker and emotion, joined with pauses.

    Args:
        clips: labelled recordings
        feature_set: what to measure
        band: what each segment is sent through
        augmentation: how far the simulated channels may differ

    Returns:
        their features, labelled as the first of their clips; None: no speaker has two clips of an
        emotion

    Raises:
        CorpusError: if a clip cannot be decoded
    """
    groups: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        groups.setdefault((clip.speaker, clip.emotion), []).append(clip)
    firsts, contents, rows, lines = [], [], [], []
    for key, own in groups.items():
        rng = np.random.default_rng(list(hashlib.blake2b(repr(key).encode()).digest()))
        for _ in range(-(-len(own) // CLIPS_A_SEGMENT) if len(own) > 1 else 0):
            first, samples, rate_hz = _joined(own, rng)
            if augmentation.copies and rng.random() < COPIED:
                signal = telephone_copy(samples, rate_hz, augmentation, rng)
            else:
                signal = in_band(samples, rate_hz, feature_set.sample_rate, band)
            span = np.array([[0.0, len(signal) / feature_set.sample_rate]])
            rows.append(feature_set.extract(signal, span))
            lines.append(line_of(signal, feature_set.sample_rate, is_copy=True))
            firsts.append(replace(first, sentence=None))
            contents.append(_content(first))
    if not rows:
        return None
    described = labelled_rows(firsts, contents, np.concatenate(rows), feature_set)
    return replace(
        described,
        copies=np.full(len(rows), LONG_SEGMENT),
        line=np.array(lines, np.float32).reshape(-1, len(LINE_MEASURES)),
    )


def _joined(clips: Sequence[Clip], rng: np.random.Generator) -> tuple[Clip, FloatArray, int]:
    """Clips in a random order until it is long enough: the first one, samples and their rate."""
    length_s = rng.uniform(*LENGTH_S)
    order = rng.permutation(len(clips))
    parts: list[FloatArray] = []
    rate_hz = 0
    for number in order:
        samples, clip_hz = decoded(clips[number], clips[number].path.read_bytes())
        rate_hz = rate_hz or clip_hz
        pause = rng.standard_normal(round(rng.uniform(*PAUSE_S) * rate_hz)) * 10 ** (PAUSE_DB / 20)
        parts += [soxr.resample(samples, clip_hz, rate_hz), pause.astype(np.float32)]
        if sum(map(len, parts)) >= length_s * rate_hz:
            break
    return clips[order[0]], np.concatenate(parts[:-1])[: round(LENGTH_S[1] * rate_hz)], rate_hz


def _content(clip: Clip) -> str:
    return hashlib.blake2b(clip.path.read_bytes(), digest_size=16).hexdigest()
