"""Recordings of which it is known who speaks when: demo calls, mixed calls, meetings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.analysis import analyse_calls
from ser_batch.audio.decode import Audio, read_audio
from ser_batch.audio.intervals import intervals
from ser_batch.config import Settings
from ser_batch.errors import CorpusError
from ser_batch.lab.synthetic.demo import speak_call
from ser_batch.lab.synthetic.plan import plan_calls

REFERENCE = "reference.rttm"


@dataclass(frozen=True)
class Excerpt:
    """A recording with its truth.

    Attributes:
        name: of the file or call
        audio: one channel
        speakers: speech of each, seconds, shape (n, 2) each
    """

    name: str
    audio: Audio
    speakers: tuple[DoubleArray, ...]


def demo_excerpts(n_calls: int) -> list[Excerpt]:
    """Demo calls with both sides in one channel.

    Raises:
        DependencyError: if the speech engine is not installed
    """
    excerpts = []
    for planned in plan_calls(max(n_calls, 1), seed=2)[:n_calls]:
        call = speak_call(planned, seed=2)
        speakers = tuple(
            intervals(
                (row.start_s, row.end_s)
                for row in call.truth
                if row.kind == "speech" and row.channel == side
            )
            for side in (0, 1)
        )
        mixed: FloatArray = np.clip(call.samples.sum(axis=1), -1, 1)[None]
        excerpts.append(Excerpt(planned.call_id, Audio(mixed, 8000, "WAV", "ULAW"), speakers))
    return excerpts


def check_recordings(corpora: Path) -> None:
    """Make sure that there are real recordings with a reference, before any work.

    Raises:
        CorpusError: naming what is missing
    """
    reference = corpora / "diarization" / REFERENCE
    if not reference.is_file():
        raise CorpusError(f"there is no {reference}, which says who speaks when")
    if not any((corpora / "calls").glob("*.wav")):
        raise CorpusError(f"there is no recording in {corpora / 'calls'}")


def mixed_calls(folder: Path, settings: Settings) -> list[Excerpt]:
    """Real two-channel calls with both sides in one channel.

    Their truth is what is found on each channel by itself, so it measures how well the voices are
    distinguished, and nothing of speech that is missed on both.
    """
    excerpts = []
    for path in sorted(folder.glob("*.wav")):
        audio = read_audio(path, settings.audio)
        if len(audio.samples) == 1:
            continue
        (analysis,) = analyse_calls([audio], settings)
        if not analysis.dual_mono:
            mixed: FloatArray = np.clip(audio.samples.sum(axis=0), -1, 1)[None]
            truth = tuple(channel.turns for channel in analysis.channels)
            excerpts.append(Excerpt(path.stem, replace(audio, samples=mixed), truth))
    return excerpts


def real_excerpts(folder: Path) -> list[Excerpt]:
    """Excerpts of meetings with a reference in RTTM."""
    turns: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for line in (folder / REFERENCE).read_text(encoding="utf-8").splitlines():
        _, name, _, start, length, _, _, speaker, *_ = line.split()
        own = turns.setdefault(name, {}).setdefault(speaker, [])
        own.append((float(start), float(start) + float(length)))
    settings = Settings().audio
    return [
        Excerpt(
            name,
            read_audio(folder / f"{name}.flac", settings),
            tuple(intervals(sorted(own)) for own in speakers.values()),
        )
        for name, speakers in sorted(turns.items())
    ]
