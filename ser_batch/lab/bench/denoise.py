"""What noise reduction does to emotion recognition: one clean model, noisy calls, several methods.

Each speaker's clips become one telephone channel with pauses, the whole of it under noise. Speech
is found as in a night, the noise learnt from the pauses, and the clips scored by a speaker-disjoint
model that was trained on clean telephone speech.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import soxr
from scipy.ndimage import uniform_filter1d

from ser_batch.arrays import BoolArray, FloatArray, IntArray
from ser_batch.audio.denoise import denoised, pays
from ser_batch.audio.intervals import to_mask
from ser_batch.audio.levels import LEVEL_FRAME_S, channel_level, frame_power
from ser_batch.audio.segments import speech_bursts
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ as RATE_HZ
from ser_batch.audio.vad import speech_probability
from ser_batch.config import Settings
from ser_batch.corpora import read_corpus
from ser_batch.corpora.base import Clip, contents
from ser_batch.features.sets import FeatureSet, get_feature_set
from ser_batch.lab.bench.noisy_channels import (
    Channel,
    Noise,
    check_noise,
    noisy,
    speaker_channels,
)
from ser_batch.scoring.linear import LinearHead, fit_linear
from ser_batch.training.evaluation import confusion_matrix, uar
from ser_batch.training.fit import class_numbers
from ser_batch.training.splits import Fold, check_no_leakage, speaker_folds

Method = Literal["none", "always", "gated", "envelope_gate", "noisereduce"]

CORPORA = ("emodb", "ravdess")
STRENGTH = 0.001
"""Inverse L2 penalty of the model; the shipped one's tuning finds the same."""
ENVELOPE_S, ENVELOPE_DB = 0.1, -20.0
"""s and dB below the speech's level: the envelope gate drops what is softer."""


def run(
    corpora: Path,
    settings: Settings,
    *,
    names: Sequence[str] = CORPORA,
    snrs_db: Sequence[float] = (20, 10, 5, 0),
    n_folds: int = 10,
    every: int = 1,
    on_step: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """UAR of every corpus, noise, signal-to-noise ratio and method.

    Args:
        corpora: folder of the corpora, with `noise/` for the environmental sounds
        settings: feature set and noise reduction
        names: corpora
        snrs_db: signal-to-noise ratios beside clean
        n_folds: of speakers
        every: of how many clips one is taken
        on_step: called with the step

    Returns:
        ours, peers and ratios: mean UAR over all noisy rows of the default (`gated`), of each other
        method, and the default's over each; rows: corpus, noise, snr_db (None: clean), method, uar,
        denoised_share (of channels)
    """
    check_noise(corpora / "noise")
    feature_set = get_feature_set(settings.features.set)
    conditions: list[tuple[Noise | None, float | None]] = [(None, None)]
    conditions += [(noise, snr_db) for noise in get_args(Noise) for snr_db in snrs_db]
    rows = []
    for name in names:
        judge = _judge(read_corpus(corpora, name)[::every], feature_set, n_folds)
        for noise, snr_db in conditions:
            signals = [
                channel.signal
                if noise is None or snr_db is None
                else noisy(channel, judge.channels, noise, snr_db, corpora / "noise")
                for channel in judge.channels
            ]
            for row in _rows(judge, signals, settings):
                rows.append({"corpus": name, "noise": noise, "snr_db": snr_db, **row})
                on_step(
                    f"{name} {noise or 'clean'} {snr_db or ''} {row['method']} {row['uar']:.3f}"
                )
    means = {
        method: float(np.mean([row["uar"] for row in rows if _is(row, method)]))
        for method in _methods()
    }
    ours = means.pop("gated")
    return {
        "unit": "mean UAR under noise",
        "ours": {"gated": ours},
        "peers": means,
        "ratios": {name: ours / value for name, value in means.items()},
        "rows": rows,
    }


def _is(row: dict[str, Any], method: str) -> bool:
    return row["method"] == method and row["snr_db"] is not None


def _methods() -> list[Method]:
    """The methods that are installed."""
    known: list[Method] = list(get_args(Method))
    if importlib.util.find_spec("noisereduce") is None:
        known.remove("noisereduce")
    return known


@dataclass(frozen=True)
class Judge:
    """A corpus as channels, and a speaker-disjoint model of its clean speech.

    Attributes:
        channels: one a speaker
        labels: class of each clip, shape (n_clips,)
        n_classes: emotions
        folds: of whole speakers
        heads: one a fold, trained on its clean training clips
        feature_set: what the heads read
    """

    channels: list[Channel]
    labels: IntArray
    n_classes: int
    folds: list[Fold]
    heads: list[LinearHead]
    feature_set: FeatureSet

    def uar(self, signals: Sequence[FloatArray]) -> float:
        """Mean recall when the channels sound like this."""
        features = _features(self.channels, signals, self.feature_set, len(self.labels))
        predicted = np.empty_like(self.labels)
        for head, fold in zip(self.heads, self.folds, strict=True):
            predicted[fold.test] = head.logits(features[fold.test]).argmax(axis=1)
        return uar(confusion_matrix(self.labels, predicted, self.n_classes))


def _judge(clips: Sequence[Clip], feature_set: FeatureSet, n_folds: int) -> Judge:
    """Train on the clean channels, whole speakers held out."""
    channels = speaker_channels(clips)
    classes = sorted({clip.emotion for clip in clips})
    labels = class_numbers([clip.emotion for clip in clips], classes)
    speakers, digests = [clip.speaker for clip in clips], contents(clips)
    folds = speaker_folds(speakers, digests, n_folds=n_folds)
    check_no_leakage(folds, speakers, digests)
    clean = _features(channels, [channel.signal for channel in channels], feature_set, len(clips))
    targets = np.eye(len(classes))[labels]
    heads = [
        fit_linear(clean[fold.train], targets[fold.train], strength=STRENGTH) for fold in folds
    ]
    return Judge(channels, labels, len(classes), folds, heads, feature_set)


def _rows(
    judge: Judge, signals: Sequence[FloatArray], settings: Settings
) -> Iterator[dict[str, Any]]:
    """What every method makes of some channels."""
    speeches = [_speech(signal, settings) for signal in signals]
    for method in _methods():
        treated = [
            _treated(signal, speech, method, settings)
            for signal, speech in zip(signals, speeches, strict=True)
        ]
        changed = [new is not old for new, old in zip(treated, signals, strict=True)]
        yield {
            "method": method,
            "uar": judge.uar(treated),
            "denoised_share": float(np.mean(changed)),
        }


def _speech(signal: FloatArray, settings: Settings) -> BoolArray:
    """Which 10 ms frames are speech, as a night finds it."""
    (probability,) = speech_probability([signal], RATE_HZ, settings.vad)
    power = frame_power(signal, RATE_HZ)
    bursts = speech_bursts(probability, power, vad=settings.vad, segments=settings.segments)
    return to_mask(bursts, len(power), LEVEL_FRAME_S)


def _treated(
    signal: FloatArray, speech: BoolArray, method: Method, settings: Settings
) -> FloatArray:
    """A channel after a method; itself where the method leaves it alone."""
    if method == "noisereduce":
        reduce_noise = importlib.import_module("noisereduce").reduce_noise
        return np.asarray(reduce_noise(y=signal, sr=RATE_HZ, stationary=True), np.float32)
    if method == "envelope_gate":
        return _envelope_gated(signal, speech)
    if method == "always" or (method == "gated" and _pays(signal, speech, settings)):
        return denoised(signal, RATE_HZ, speech, settings.denoise)
    return signal


def _pays(signal: FloatArray, speech: BoolArray, settings: Settings) -> bool:
    level = channel_level(frame_power(signal, RATE_HZ), speech, ~speech)
    return pays(level.snr_db, settings.denoise.model_copy(update={"mode": "gated"}))


def _envelope_gated(signal: FloatArray, speech: BoolArray) -> FloatArray:
    """Silence wherever the moving average of the magnitude is low."""
    envelope = uniform_filter1d(np.abs(signal), round(ENVELOPE_S * RATE_HZ))
    of_speech = np.repeat(speech, round(LEVEL_FRAME_S * RATE_HZ))[: len(signal)]
    if not of_speech.any():
        return signal
    least = np.mean(envelope[: len(of_speech)][of_speech]) * 10 ** (ENVELOPE_DB / 20)
    return np.asarray(np.where(envelope >= least, signal, 0), np.float32)


def _features(
    channels: Sequence[Channel],
    signals: Sequence[FloatArray],
    feature_set: FeatureSet,
    n_clips: int,
) -> FloatArray:
    """Features of all clips, in the corpus's order."""
    features = np.empty((n_clips, len(feature_set.names)), np.float32)
    for channel, signal in zip(channels, signals, strict=True):
        at_rate = soxr.resample(signal, RATE_HZ, feature_set.sample_rate)
        features[channel.clips] = feature_set.extract(at_rate, channel.spans)
    return features
