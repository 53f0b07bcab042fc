"""Who speaks when in a call: voice activity, less tones, music and the other side's voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray
from ser_batch.audio.channels import Line
from ser_batch.audio.crosstalk import Crosstalk, crosstalk_intervals, find_crosstalk
from ser_batch.audio.intervals import lengths, merge_gaps, min_duration, subtract, to_mask, union
from ser_batch.audio.levels import LEVEL_FRAME_S
from ser_batch.audio.segments import speech_bursts, to_segments, with_company
from ser_batch.audio.sounds import Sounds, find_sounds
from ser_batch.config import Settings


@dataclass(frozen=True)
class ChannelSpeech:
    """What one channel of a call holds. Intervals are in seconds, shape (n, 2), in order.

    Attributes:
        bursts: speech without a pause
        turns: speech with the pauses inside it
        segments: turns fit to be described
        dropped_s: seconds of speech in no segment
        sounds: tones and music
        crosstalk: of the other side into this channel, None if there is none
        crosstalk_removed_s: seconds of the other side's voice that were taken out
        own: which 10 ms frames are speech, shape (n_frames,)
        overlapped: which of them are speech of the other side too
        quiet: which are neither speech nor tone nor music
    """

    bursts: DoubleArray
    turns: DoubleArray
    segments: DoubleArray
    dropped_s: float
    sounds: Sounds
    crosstalk: Crosstalk | None
    crosstalk_removed_s: float
    own: BoolArray
    overlapped: BoolArray
    quiet: BoolArray


def call_speech(
    lines: Sequence[Line], probabilities: Sequence[FloatArray], settings: Settings
) -> list[ChannelSpeech]:
    """Find the speech on each channel of a call.

    Args:
        lines: the channels
        probabilities: of speech, one a 32 ms frame, one array a channel
        settings: thresholds and lengths
    """
    sounds = [find_sounds(line.signal, line.sample_rate, settings.line) for line in lines]
    detected = [
        _detected(line, probability, sound, settings)
        for line, probability, sound in zip(lines, probabilities, sounds, strict=True)
    ]
    crosstalks = [_crosstalk(lines, detected, number, settings) for number in range(len(lines))]
    bursts = [
        _own(lines, number, detected[number], crosstalk, settings)
        for number, crosstalk in enumerate(crosstalks)
    ]
    masks = [_mask(own, lines[number]) for number, own in enumerate(bursts)]
    overlap = np.logical_and.reduce(masks) if len(masks) > 1 else np.zeros_like(masks[0])
    speech = []
    for number, line in enumerate(lines):
        turns = merge_gaps(bursts[number], settings.segments.min_pause_s)
        segments, dropped_s = to_segments(turns, probabilities[number], settings.segments)
        sounding = _mask(sounds[number].all, line) | _mask(detected[number], line)
        speech.append(
            ChannelSpeech(
                bursts=bursts[number],
                turns=turns,
                segments=segments,
                dropped_s=dropped_s,
                sounds=sounds[number],
                crosstalk=crosstalks[number],
                crosstalk_removed_s=float(
                    lengths(detected[number]).sum() - lengths(bursts[number]).sum()
                ),
                own=masks[number],
                overlapped=overlap,
                quiet=~sounding,
            )
        )
    return speech


def sides(
    speech: ChannelSpeech,
    speakers: Sequence[DoubleArray],
    probability: FloatArray,
    settings: Settings,
) -> list[ChannelSpeech]:
    """One channel as the sides of a call, once its speakers were diarized.

    No turn or segment of a side overlaps another's; tones and noise belong to every side.

    Args:
        speech: of the channel
        speakers: speech of each speaker, seconds, shape (n, 2) each, none of two at once
        probability: of speech, one a 32 ms frame
        settings: lengths
    """
    found = []
    for number, bursts in enumerate(speakers):
        others = union(*speakers[:number], *speakers[number + 1 :])
        turns = subtract(merge_gaps(bursts, settings.segments.min_pause_s), others)
        pieces, _ = to_segments(turns, probability, settings.segments)
        segments = min_duration(subtract(pieces, others), settings.segments.min_segment_s)
        found.append(
            replace(
                speech,
                bursts=bursts,
                turns=turns,
                segments=segments,
                dropped_s=float(lengths(subtract(bursts, segments)).sum()),
                own=to_mask(bursts, len(speech.own), LEVEL_FRAME_S),
            )
        )
    return found


def _detected(
    line: Line, probability: FloatArray, sounds: Sounds, settings: Settings
) -> DoubleArray:
    """Speech on a channel, whosever it is."""
    bursts = speech_bursts(probability, line.power, vad=settings.vad, segments=settings.segments)
    return with_company(subtract(bursts, sounds.all), settings.segments)


def _crosstalk(
    lines: Sequence[Line], detected: list[DoubleArray], side: int, settings: Settings
) -> Crosstalk | None:
    """Crosstalk of the other channel into one."""
    if len(lines) < 2:
        return None
    voice, here = lines[1 - side], lines[side]
    return find_crosstalk(
        voice.signal,
        here.signal,
        powers=(voice.power, here.power),
        speech=_mask(detected[1 - side], voice),
        sample_rate=here.sample_rate,
        settings=settings.line,
    )


def _own(
    lines: Sequence[Line],
    side: int,
    detected: DoubleArray,
    crosstalk: Crosstalk | None,
    settings: Settings,
) -> DoubleArray:
    """The speech of one channel without the other's voice."""
    if crosstalk is None:
        return detected
    leaked = crosstalk_intervals(crosstalk, (lines[1 - side].power, lines[side].power))
    # What is left between two intervals of crosstalk is no word.
    return min_duration(subtract(detected, leaked), settings.segments.min_speech_s)


def _mask(times: DoubleArray, line: Line) -> BoolArray:
    return to_mask(times, len(line.power), LEVEL_FRAME_S)
