"""From decoded recordings to clean signals, segments and their measures: one pass in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray
from ser_batch.audio.decode import Audio, at_rate
from ser_batch.audio.denoise import denoised, pays
from ser_batch.audio.levels import (
    LEAST_DB,
    LEVEL_FRAME_S,
    channel_level,
    clipped_samples,
    decibel,
    frame_mask,
    frame_power,
    per_frame,
    snr_db,
    sums,
)
from ser_batch.audio.segments import joined, speech_bursts, to_segments
from ser_batch.audio.vad import speech_probability
from ser_batch.config import Settings

DUAL_MONO_WITHIN_DB = 6.0
"""dB; channels of one signal whose levels lie further apart are one side and its echo."""


@dataclass(frozen=True)
class ChannelAnalysis:
    """One channel of a call.

    Attributes:
        signal: at the analysis rate, without DC, denoised where it pays, shape (n_samples,)
        segments: start and end in seconds, shape (n, 2), in order
        measures: of each segment, shape (n,) each, float32:
            speech_ratio: share of its duration that is speech, 0..1
            level_db: mean power of its speech, dB re full scale
            snr_db: its speech over the channel's noise floor, dB
            clipping_ratio: share of its samples cut off at a ceiling, 0..1
            overlap_ratio: share of its speech during which the other side speaks, 0..1
        speech_s: seconds of speech
        level_db: mean power of the speech, dB re full scale; NaN without speech
        noise_db: median power of what is not speech, dB re full scale
        snr_db: speech over noise, dB; NaN without speech
        clipping_ratio: share of samples cut off at a ceiling, 0..1
        dc_offset: mean of the samples before it was taken off, -1..1
        dropped_speech_s: seconds of speech in stretches too short and lonely for a segment
        denoised: whether the noise was lowered
    """

    signal: FloatArray
    segments: DoubleArray
    measures: dict[str, FloatArray]
    speech_s: float
    level_db: float
    noise_db: float
    snr_db: float
    clipping_ratio: float
    dc_offset: float
    dropped_speech_s: float
    denoised: bool


@dataclass(frozen=True)
class CallAnalysis:
    """A call.

    Attributes:
        duration_s: seconds
        dual_mono: whether both channels carried the same signal; then one is kept
        channels: in the order of the recording
    """

    duration_s: float
    dual_mono: bool
    channels: tuple[ChannelAnalysis, ...]


@dataclass(frozen=True)
class _Line:
    """What a channel is before voice activity is known.

    Attributes:
        signal: at the analysis rate, without DC, shape (n_samples,)
        power: one a 10 ms frame, shape (n_frames,)
        clipped: clipped samples a 10 ms frame as a share of it, shape (n_frames,)
        dc_offset: -1..1
    """

    signal: FloatArray
    power: FloatArray
    clipped: FloatArray
    dc_offset: float


@dataclass(frozen=True)
class _Speech:
    """Where a channel speaks.

    Attributes:
        own: which 10 ms frames are its speech, shape (n_frames,)
        overlapped: which of them the other side speaks in too, shape (n_frames,)
        segments: seconds, shape (n, 2)
        dropped_s: seconds of speech in no segment
    """

    own: BoolArray
    overlapped: BoolArray
    segments: DoubleArray
    dropped_s: float


def analyse_calls(
    audios: Sequence[Audio],
    settings: Settings,
    denoise_channels: Sequence[Collection[int]] | None = None,
) -> list[CallAnalysis]:
    """Find, measure and clean the speech of some calls.

    Args:
        audios: recordings of any rate and length; voice activity runs over all their channels
            side by side
        settings: of all steps
        denoise_channels: for each call, the channels worth the work because they will be scored;
            None: all

    Returns:
        one a recording, in order
    """
    calls = [_lines(audio, settings) for audio in audios]
    worth = denoise_channels or [range(len(lines)) for lines in calls]
    signals = [line.signal for lines in calls for line in lines]
    rate = settings.audio.analysis_rate_hz
    probabilities = iter(speech_probability(signals, rate, settings.vad))
    analyses = []
    for audio, lines, to_denoise in zip(audios, calls, worth, strict=True):
        speech = _speech(lines, [next(probabilities) for _ in lines], settings)
        channels = tuple(
            _channel(line, spoken, settings, may_denoise=number in to_denoise)
            for number, (line, spoken) in enumerate(zip(lines, speech, strict=True))
        )
        dual_mono = len(lines) < len(audio.samples)
        analyses.append(CallAnalysis(audio.duration_s, dual_mono, channels))
    return analyses


def is_dual_mono(samples: FloatArray, least_correlation: float) -> bool:
    """Whether two channels carry one signal at about one level.

    Args:
        samples: shape (n_channels, n_samples)
        least_correlation: 0..1
    """
    if len(samples) != 2:
        return False
    first, second = samples - samples.mean(axis=1, keepdims=True)
    powers = np.array([np.dot(first, first), np.dot(second, second)], np.float64)
    levels_db = decibel(powers / samples.shape[1])
    if levels_db.min() <= LEAST_DB or abs(levels_db[0] - levels_db[1]) > DUAL_MONO_WITHIN_DB:
        return False
    return bool(np.dot(first, second) >= least_correlation * np.sqrt(powers.prod()))


def _lines(audio: Audio, settings: Settings) -> list[_Line]:
    """The channels of a recording at the analysis rate; one if both carry the same signal."""
    resampled = at_rate(audio, settings.audio.analysis_rate_hz)
    dual_mono = is_dual_mono(resampled.samples, settings.audio.dual_mono_correlation)
    lines = []
    for number in range(1 if dual_mono else len(audio.samples)):
        raw = resampled.samples[number]
        offset = float(raw.mean(dtype=np.float64))
        signal = raw - np.float32(offset)
        power = frame_power(signal, resampled.sample_rate)
        clipped = per_frame(clipped_samples(audio.samples[number]), audio.sample_rate, len(power))
        lines.append(_Line(signal, power, clipped / (audio.sample_rate * LEVEL_FRAME_S), offset))
    return lines


def _speech(
    lines: list[_Line], probabilities: list[FloatArray], settings: Settings
) -> list[_Speech]:
    """Where each channel of a call speaks, alone and at once."""
    bursts = [
        speech_bursts(probability, line.power, vad=settings.vad, segments=settings.segments)
        for line, probability in zip(lines, probabilities, strict=True)
    ]
    masks = [
        frame_mask(stretches, len(line.power))
        for stretches, line in zip(bursts, lines, strict=True)
    ]
    overlap = np.logical_and.reduce(masks) if len(masks) > 1 else np.zeros_like(masks[0])
    speech = []
    for stretches, mask, probability in zip(bursts, masks, probabilities, strict=True):
        turns = joined(stretches, settings.segments.min_pause_s)
        segments, dropped_s = to_segments(turns, probability, settings.segments)
        speech.append(_Speech(mask, overlap, segments, dropped_s))
    return speech


def _channel(
    line: _Line, speech: _Speech, settings: Settings, *, may_denoise: bool
) -> ChannelAnalysis:
    """Measure one channel, and lower its noise where that pays."""
    level = channel_level(line.power, speech.own)
    signal, clean = line.signal, may_denoise and pays(level.snr_db, settings.denoise)
    if clean:
        rate = settings.audio.analysis_rate_hz
        signal = denoised(signal, rate, speech.own, settings.denoise)
    return ChannelAnalysis(
        signal=signal,
        segments=speech.segments,
        measures=_measures(line, speech, level.noise_db),
        speech_s=float(np.count_nonzero(speech.own) * LEVEL_FRAME_S),
        level_db=level.level_db,
        noise_db=level.noise_db,
        snr_db=level.snr_db,
        clipping_ratio=float(line.clipped.mean()),
        dc_offset=line.dc_offset,
        dropped_speech_s=speech.dropped_s,
        denoised=clean,
    )


def _measures(line: _Line, speech: _Speech, noise_db: float) -> dict[str, FloatArray]:
    """Measures of each segment, see `ChannelAnalysis`."""
    n_frames = np.maximum(sums(np.ones_like(line.power), speech.segments), 1)
    n_speech = np.maximum(sums(speech.own, speech.segments), 1)
    power = sums(np.where(speech.own, line.power, 0), speech.segments) / n_speech
    return {
        "speech_ratio": (sums(speech.own, speech.segments) / n_frames).astype(np.float32),
        "level_db": decibel(power),
        "snr_db": snr_db(power, noise_db),
        "clipping_ratio": (sums(line.clipped, speech.segments) / n_frames).astype(np.float32),
        "overlap_ratio": (sums(speech.overlapped, speech.segments) / n_speech).astype(np.float32),
    }
