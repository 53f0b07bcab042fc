"""Speakers of one channel told apart: error rates on real excerpts and on demo calls mixed down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray
from ser_batch.audio.decode import Audio, at_rate, read_audio
from ser_batch.audio.line import lines
from ser_batch.audio.separation import separate
from ser_batch.audio.speech import call_speech
from ser_batch.audio.stretches import stretches, to_mask
from ser_batch.audio.vad import speech_probability
from ser_batch.config import Settings
from ser_batch.synthetic.demo import speak_call
from ser_batch.synthetic.plan import plan_calls

FRAME_S = 0.01


@dataclass(frozen=True)
class Excerpt:
    """A recording with its truth.

    Attributes:
        name: of the file or call
        kind: real or demo
        audio: one channel
        speakers: speech of each, seconds, shape (n, 2) each
    """

    name: str
    kind: str
    audio: Audio
    speakers: tuple[DoubleArray, ...]


@dataclass(frozen=True)
class Errors:
    """Speaker-seconds that are wrong.

    Attributes:
        missed_s: spoken, not found
        false_s: found, not spoken
        confused_s: given to another speaker
        speech_s: spoken in all
    """

    missed_s: float
    false_s: float
    confused_s: float
    speech_s: float

    @property
    def rate(self) -> float:
        """Diarization error rate."""
        return (self.missed_s + self.false_s + self.confused_s) / max(self.speech_s, 1e-9)


def run(folder: Path | None, settings: Settings, *, n_calls: int = 12) -> dict[str, Any]:
    """Diarize with known speaker counts, overlap counted, without a collar.

    Args:
        folder: FLAC excerpts with `reference.rttm`; None: demo calls only
        settings: of voice activity
        n_calls: demo calls, both sides mixed into one channel

    Returns:
        der (two-speaker telephone calls), der_by_kind (demo, real, real_two_speakers), and rows:
        name, kind, n_speakers, der, missed, false_alarm and confusion as shares of the speech,
        confidence
    """
    excerpts = demo_excerpts(n_calls) + (real_excerpts(folder) if folder else [])
    rate = settings.audio.analysis_rate_hz
    channels = [at_rate(excerpt.audio, rate) for excerpt in excerpts]
    rows, kinds = [], dict[str, list[Errors]]()
    for excerpt, audio in zip(excerpts, channels, strict=True):
        found, confidence = _diarized(audio, len(excerpt.speakers), settings)
        errors = diarization_errors(excerpt.speakers, found, excerpt.audio.duration_s)
        two = excerpt.kind == "real" and len(excerpt.speakers) == 2
        for kind in (excerpt.kind, *(["real_two_speakers"] if two else [])):
            kinds.setdefault(kind, []).append(errors)
        rows.append(
            {
                "name": excerpt.name,
                "kind": excerpt.kind,
                "n_speakers": len(excerpt.speakers),
                "der": errors.rate,
                "missed": errors.missed_s / errors.speech_s,
                "false_alarm": errors.false_s / errors.speech_s,
                "confusion": errors.confused_s / errors.speech_s,
                "confidence": confidence,
            }
        )
    by_kind = {kind: _together(all_errors).rate for kind, all_errors in kinds.items()}
    return {"der": by_kind["demo"], "der_by_kind": by_kind, "rows": rows}


def diarization_errors(
    true: Sequence[DoubleArray], found: Sequence[DoubleArray], duration_s: float
) -> Errors:
    """Errors under the best assignment of found to true speakers.

    Args:
        true: speech of each speaker, seconds, shape (n, 2) each
        found: the same, in any order, of any number
        duration_s: of the recording

    Source: NIST Rich Transcription evaluation, without a collar, overlap counted.
    """
    spoken, heard = (_masks(speakers, duration_s) for speakers in (true, found))
    together = (spoken[:, None] & heard[None]).sum(axis=2)
    pairs = zip(*linear_sum_assignment(-together), strict=True)
    right = np.sum([spoken[a] & heard[b] for a, b in pairs], axis=0, dtype=np.int64)
    n_spoken, n_heard = spoken.sum(axis=0), heard.sum(axis=0)
    return Errors(
        missed_s=float(np.maximum(n_spoken - n_heard, 0).sum() * FRAME_S),
        false_s=float(np.maximum(n_heard - n_spoken, 0).sum() * FRAME_S),
        confused_s=float((np.minimum(n_spoken, n_heard) - right).sum() * FRAME_S),
        speech_s=float(n_spoken.sum() * FRAME_S),
    )


def demo_excerpts(n_calls: int) -> list[Excerpt]:
    """Demo calls with both sides in one channel.

    Raises:
        DependencyError: if the speech engine is not installed
    """
    excerpts = []
    for planned in plan_calls(max(n_calls, 1), seed=2)[:n_calls]:
        call = speak_call(planned, seed=2)
        speakers = tuple(
            stretches(
                (row.start_s, row.end_s)
                for row in call.truth
                if row.kind == "speech" and row.channel == side
            )
            for side in (0, 1)
        )
        mixed: FloatArray = np.clip(call.samples.sum(axis=1), -1, 1)[None]
        excerpts.append(
            Excerpt(planned.call_id, "demo", Audio(mixed, 8000, "WAV", "ULAW"), speakers)
        )
    return excerpts


def real_excerpts(folder: Path) -> list[Excerpt]:
    """Excerpts with a reference in RTTM."""
    turns: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for line in (folder / "reference.rttm").read_text(encoding="utf-8").splitlines():
        _, name, _, start, length, _, _, speaker, *_ = line.split()
        own = turns.setdefault(name, {}).setdefault(speaker, [])
        own.append((float(start), float(start) + float(length)))
    settings = Settings().audio
    return [
        Excerpt(
            name,
            "real",
            read_audio(folder / f"{name}.flac", settings),
            tuple(stretches(sorted(own)) for own in speakers.values()),
        )
        for name, speakers in sorted(turns.items())
    ]


def _diarized(
    audio: Audio, n_speakers: int, settings: Settings
) -> tuple[tuple[DoubleArray, ...], float]:
    """Who speaks when, and the confidence in it."""
    call = lines(audio, settings.audio)[:1]
    probabilities = speech_probability([call[0].signal], audio.sample_rate, settings.vad)
    (speech,) = call_speech(call, probabilities, settings)
    found = separate(call[0].signal, audio.sample_rate, speech.bursts, n_speakers=n_speakers)
    return found.speakers, found.confidence


def _masks(speakers: Sequence[DoubleArray], duration_s: float) -> BoolArray:
    n_frames = round(duration_s / FRAME_S)
    return np.stack([to_mask(own, n_frames, FRAME_S) for own in speakers])


def _together(errors: Sequence[Errors]) -> Errors:
    return Errors(
        missed_s=sum(each.missed_s for each in errors),
        false_s=sum(each.false_s for each in errors),
        confused_s=sum(each.confused_s for each in errors),
        speech_s=sum(each.speech_s for each in errors),
    )
