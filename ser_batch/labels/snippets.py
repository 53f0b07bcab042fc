"""Snippets: the sound of the segments that are asked about, one small WAV file each."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from ser_batch.audio.call_audio import CallFile, require_call
from ser_batch.audio.decode import Audio
from ser_batch.config import AudioSettings
from ser_batch.errors import FileError
from ser_batch.labels.segment_name import SegmentKey, segment_name
from ser_batch.store.atomic import write_bytes_atomic

PAD_S = 0.15
"""s; played before and after, so that no word is cut."""


@dataclass(frozen=True)
class Span:
    """Where a segment lies in its recording, seconds."""

    start_s: float
    end_s: float


def write_snippets(
    files: Sequence[CallFile],
    spans: Mapping[SegmentKey, Span],
    folder: Path,
    settings: AudioSettings,
) -> None:
    """Cut a call's segments out of its files; a snippet holds the segment's own channel only.

    Args:
        files: the recordings of the call
        spans: its segments
        folder: where `<segment name>.wav` is written
        settings: what is accepted as a recording

    Raises:
        FileError: if a recording is gone or cannot be read
    """
    audio = require_call(files, settings)
    folder.mkdir(parents=True, exist_ok=True)
    for key, span in spans.items():
        _write(folder / f"{segment_name(key)}.wav", audio, key[1], span)


def _write(target: Path, audio: Audio, channel: int, span: Span) -> None:
    first = max(0, int((span.start_s - PAD_S) * audio.sample_rate))
    last = int((span.end_s + PAD_S) * audio.sample_rate)
    if first >= audio.samples.shape[1]:
        raise FileError(f"the recording has no second {span.start_s:.1f} on channel {channel}")
    sound = io.BytesIO()
    samples = audio.side(channel)[first:last]
    soundfile.write(sound, samples, audio.sample_rate, format="WAV", subtype="PCM_16")
    write_bytes_atomic(target, sound.getvalue())
