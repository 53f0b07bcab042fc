"""The audio of a call: one file, or one file a side, aligned by their starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.audio.channels import is_dual_mono
from ser_batch.audio.decode import Audio, at_rate, read_audio
from ser_batch.config import AudioSettings
from ser_batch.errors import FileError, GoneFileError, LongAudioError, TwoChannelSideError
from ser_batch.files.inputs import is_there

STAMP_STEP_S = 1.0
"""s; resolution of start times without fractions."""


@dataclass(frozen=True)
class CallFile:
    """A recording of a call.

    Attributes:
        path: the file
        start_s: its start after the start of the call as stated, seconds; None: nothing states it
    """

    path: Path
    start_s: float | None = None


def call_files(call: Mapping[str, Any]) -> tuple[CallFile, ...]:
    """The recordings of a row of `calls`, in the order of the channels."""
    sides = call["sides"] or [{**call, "start_s": None}]
    return tuple(CallFile(Path(s["audio_root"], s["path"]), s["start_s"]) for s in sides)


def read_call(
    files: Sequence[CallFile], settings: AudioSettings
) -> tuple[Audio | None, dict[int, FileError]]:
    """Decode each file of a call once.

    Args:
        files: the only one, or one a side
        settings: the durations that are taken

    Returns:
        the recording, with a channel a side where each has its file, None if no file can be used;
        and, by side, why a file cannot be used: its channel is silence

    Raises:
        LongAudioError: if the sides together last too long
    """
    found: list[Audio | None] = []
    errors: dict[int, FileError] = {}
    for number, file in enumerate(files):
        try:
            found.append(_side(file.path, settings, is_alone=len(files) == 1))
        except FileError as error:
            found.append(None)
            errors[number] = error
    read = [audio for audio in found if audio is not None]
    if not read:
        return None, errors
    if len(files) == 1:
        return read[0], errors
    return _paired(found, [file.start_s for file in files], settings), errors


def require_call(files: Sequence[CallFile], settings: AudioSettings) -> Audio:
    """The audio of a call of which every file is needed.

    Raises:
        FileError: if a file cannot be used
    """
    audio, errors = read_call(files, settings)
    if audio is None or errors:
        raise next(iter(errors.values()))
    return audio


def _side(path: Path, settings: AudioSettings, *, is_alone: bool) -> Audio:
    if not is_there(path):
        raise GoneFileError
    audio = read_audio(path, settings)
    if is_alone or len(audio.samples) == 1:
        return audio
    if not is_dual_mono(audio.samples, settings.dual_mono_correlation):
        raise TwoChannelSideError
    return Audio(audio.samples[:1], audio.sample_rate, audio.container, audio.codec)


def start_gap_s(starts_s: Sequence[float | None], durations_s: Sequence[float]) -> float:
    """How much later the second of two sides starts than the first; negative: earlier.

    Start times without fractions are exact to a second only. Where they differ, and the sides
    would end together within that second, they do: the recorder closes both with the call.

    Args:
        starts_s: as stated, seconds
        durations_s: of the recordings, seconds
    """
    first, second = starts_s
    if first is None or second is None:
        return 0.0
    stated = second - first
    if stated == 0 or stated != round(stated):
        return stated
    if_ended_together = durations_s[0] - durations_s[1]
    is_within_step = abs(if_ended_together - stated) <= STAMP_STEP_S
    return if_ended_together if is_within_step else stated


def _paired(
    sides: Sequence[Audio | None], starts_s: Sequence[float | None], settings: AudioSettings
) -> Audio:
    """Two recordings as the channels of one; a side that is None is silence."""
    read = [side for side in sides if side is not None]
    rate = max(side.sample_rate for side in read)
    signals = [np.zeros(0, np.float32) if s is None else at_rate(s, rate).samples[0] for s in sides]
    gap = 0
    if len(read) == len(sides):
        gap = round(start_gap_s(starts_s, [side.duration_s for side in read]) * rate)
    offsets = (max(0, -gap), max(0, gap))
    n_samples = max(offset + len(own) for offset, own in zip(offsets, signals, strict=True))
    if n_samples > settings.max_duration_s * rate:
        raise LongAudioError(duration_s=n_samples / rate, most_s=settings.max_duration_s)
    samples: FloatArray = np.zeros((2, n_samples), np.float32)
    for channel, (offset, own) in enumerate(zip(offsets, signals, strict=True)):
        samples[channel, offset : offset + len(own)] = own
    return Audio(samples, rate, read[0].container, read[0].codec)
