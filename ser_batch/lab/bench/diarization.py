"""Diarization of one channel: error rates on real excerpts and on demo calls mixed down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from ser_batch.arrays import BoolArray, DoubleArray
from ser_batch.audio.channels import lines
from ser_batch.audio.decode import at_rate
from ser_batch.audio.diarization import Separation, separate
from ser_batch.audio.intervals import common, lengths, subtract, to_mask
from ser_batch.audio.speech import call_speech
from ser_batch.audio.vad import speech_probability
from ser_batch.config import Settings
from ser_batch.lab.bench.excerpts import (
    Excerpt,
    check_recordings,
    demo_excerpts,
    mixed_calls,
    real_excerpts,
)

FRAME_S = 0.01


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


def run(
    corpora: Path | None,
    settings: Settings,
    *,
    n_calls: int = 12,
    on_step: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Diarize with known speaker counts, overlap counted, without a collar.

    Args:
        corpora: folder with `diarization/` and `calls/`; None: demo calls only
        settings: of voice activity, and the confidence from which two voices are diarized
        n_calls: demo calls, both sides mixed into one channel
        on_step: called with the step

    Returns:
        der (demo calls, whose truth is exact) and the same as ours beside peers and ratios;
        der_by_kind; agent_in_customer_share: of what would be scored as the customer's in the demo
        calls diarized, how much the agent says; diarized_share of the demo calls; and rows:
        name, kind, n_speakers, der, missed, false_alarm and confusion as shares of the speech,
        confidence
    """
    if corpora is not None:
        check_recordings(corpora)
    kinds: dict[str, list[Excerpt]] = {"demo": demo_excerpts(n_calls)}
    if corpora is not None:
        kinds["mixed_call"] = mixed_calls(corpora / "calls", settings)
        real = real_excerpts(corpora / "diarization")
        kinds["meeting_two_speakers"] = [each for each in real if len(each.speakers) == 2]
        kinds["meeting_other"] = [each for each in real if len(each.speakers) != 2]
    rows: list[dict[str, Any]] = []
    done: dict[str, list[Diarized]] = {}
    for kind, excerpts in kinds.items():
        done[kind] = [_diarized(excerpt, settings) for excerpt in excerpts]
        rows += [_row(kind, each) for each in done[kind]]
        on_step(f"{kind}: {len(excerpts)} recordings")
    by_kind = {kind: _rate(all_of, lambda each: each.found) for kind, all_of in done.items()}
    peers = {name: _rate(done["demo"], guess) for name, guess in PEERS.items()}
    least = settings.line.min_separation_confidence
    clear = [each for each in done["demo"] if each.found.is_clear(least)]
    return {
        "unit": "diarization error rate, demo calls in one channel",
        "ours": {"diarization": by_kind["demo"]},
        "peers": peers,
        "ratios": {name: by_kind["demo"] / value for name, value in peers.items()},
        "der": by_kind["demo"],
        "der_by_kind": by_kind,
        "diarized_share": len(clear) / len(done["demo"]),
        "agent_in_customer_share": _wrong_share(clear),
        "rows": rows,
    }


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
    spoken, detected = (_masks(speakers, duration_s) for speakers in (true, found))
    together = (spoken[:, None] & detected[None]).sum(axis=2)
    pairs = zip(*linear_sum_assignment(-together), strict=True)
    right = np.sum([spoken[a] & detected[b] for a, b in pairs], axis=0, dtype=np.int64)
    n_spoken, n_found = spoken.sum(axis=0), detected.sum(axis=0)
    return Errors(
        missed_s=float(np.maximum(n_spoken - n_found, 0).sum() * FRAME_S),
        false_s=float(np.maximum(n_found - n_spoken, 0).sum() * FRAME_S),
        confused_s=float((np.minimum(n_spoken, n_found) - right).sum() * FRAME_S),
        speech_s=float(n_spoken.sum() * FRAME_S),
    )


@dataclass(frozen=True)
class Diarized:
    """What was made of an excerpt.

    Attributes:
        excerpt: with its truth
        turns: speech with the pauses inside it, whosever, seconds, shape (n, 2)
        bursts: speech without a pause, whosever, seconds, shape (n, 2)
        found: who speaks when
    """

    excerpt: Excerpt
    turns: DoubleArray
    bursts: DoubleArray
    found: Separation

    def errors(self, guess: Separation) -> Errors:
        """What is wrong with a guess at it."""
        duration_s = self.excerpt.audio.duration_s
        return diarization_errors(self.excerpt.speakers, guess.speakers, duration_s)


def _diarized(excerpt: Excerpt, settings: Settings) -> Diarized:
    """Who speaks when, as a night finds it out."""
    audio = at_rate(excerpt.audio, settings.audio.analysis_rate_hz)
    call = lines(audio, settings.audio)[:1]
    probabilities = speech_probability([call[0].signal], audio.sample_rate, settings.vad)
    (speech,) = call_speech(call, probabilities, settings)
    n_speakers = len(excerpt.speakers)
    found = separate(call[0].signal, audio.sample_rate, speech.bursts, n_speakers=n_speakers)
    return Diarized(excerpt, speech.turns, speech.bursts, found)


def _one_speaker(each: Diarized) -> Separation:
    return Separation((each.bursts,), 0.0)


def _alternating(each: Diarized) -> Separation:
    """Whoever speaks after a pause is the other one."""
    sides = tuple(common(each.bursts, each.turns[first::2]) for first in (0, 1))
    return Separation(sides, 0.0)


PEERS: dict[str, Callable[[Diarized], Separation]] = {
    "all_one_speaker": _one_speaker,
    "speakers_take_turns_at_pauses": _alternating,
}
"""What can be said without listening to the voices."""


def _row(kind: str, each: Diarized) -> dict[str, Any]:
    errors = each.errors(each.found)
    return {
        "name": each.excerpt.name,
        "kind": kind,
        "n_speakers": len(each.excerpt.speakers),
        "der": errors.rate,
        "missed": errors.missed_s / errors.speech_s,
        "false_alarm": errors.false_s / errors.speech_s,
        "confusion": errors.confused_s / errors.speech_s,
        "confidence": each.found.confidence,
    }


def _rate(all_of: Sequence[Diarized], guess: Callable[[Diarized], Separation]) -> float:
    """Error rate over all seconds of some recordings together."""
    return _together([each.errors(guess(each)) for each in all_of]).rate


def _wrong_share(clear: Sequence[Diarized]) -> float:
    """Share of the customers' sides that are the agents' speech; it is known who speaks first."""
    wrong_s = all_s = 0.0
    for each in clear:
        agent, customer = each.excerpt.speakers
        taken = each.found.speakers[int(agent[0, 0] < customer[0, 0])]
        wrong_s += float(lengths(subtract(common(taken, agent), customer)).sum())
        all_s += float(lengths(taken).sum())
    return wrong_s / max(all_s, 1e-9)


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
