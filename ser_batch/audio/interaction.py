"""How the two sides of a call talk with each other, derived from who speaks when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.intervals import intervals, lengths, min_duration, subtract, to_mask, union
from ser_batch.audio.levels import LEVEL_FRAME_S, decibel, frame_power
from ser_batch.config import LineSettings

BACK_CHANNEL_S = 1.0
"""s; a shorter turn inside the other's is a "mhm" and takes no floor."""
INTERRUPTION_S = 0.25
"""s; beginning less than this before the other ends is eager, not an interruption."""
SYLLABLE_BAND_HZ = (300.0, 1000.0)
"""Hz; where vowels of a telephone line have their power."""
SYLLABLE_DIP_DB = 2.0
SYLLABLE_DEPTH_DB = 25.0
SYLLABLE_SMOOTHING_FRAMES = 5


@dataclass(frozen=True)
class Waits:
    """Intervals of the call that are of one kind.

    Attributes:
        total_s: seconds
        count: number
        longest_s: seconds, 0 if there is none
        mean_s: seconds, 0 if there is none
        share: of the call, 0..1
    """

    total_s: float
    count: int
    longest_s: float
    mean_s: float
    share: float


@dataclass(frozen=True)
class SideInteraction:
    """One side of a call.

    Attributes:
        talk_s: seconds of its turns
        talk_share: of both sides' turns, 0..1; 0 if nobody speaks
        n_turns: number of its turns
        turn_mean_s: mean length of its turns in seconds, 0 without any
        overtalk_share: share of its turns during which the other side spoke too, 0..1
        n_interruptions: times that it began while the other spoke, and the other gave way
        response_time_median_s: pause before it answered the other side; NaN if it never did
        response_longest_s: the longest such pause; NaN if it never answered
        syllable_rate: syllable nuclei a second of speech; NaN without speech
    """

    talk_s: float
    talk_share: float
    n_turns: int
    turn_mean_s: float
    overtalk_share: float
    n_interruptions: int
    response_time_median_s: float
    response_longest_s: float
    syllable_rate: float


@dataclass(frozen=True)
class CallInteraction:
    """A call.

    Attributes:
        silence: nobody speaks and nothing plays, each at least `line.min_silence_s`
        hold: music or tones and nobody speaks, the rings before anybody did aside
        n_long_silences: silences of at least `line.long_silence_s`
        overtalk_s: seconds in which both speak
        overtalk_share: of the time in which anybody speaks, 0..1
        sides: one a channel
    """

    silence: Waits
    hold: Waits
    n_long_silences: int
    overtalk_s: float
    overtalk_share: float
    sides: tuple[SideInteraction, ...]


def interaction(
    turns: Sequence[DoubleArray],
    waiting: Sequence[DoubleArray],
    syllable_rates: Sequence[float],
    *,
    ringing: Sequence[DoubleArray] = (),
    duration_s: float,
    settings: LineSettings,
) -> CallInteraction:
    """Measure how a call went.

    Args:
        turns: of each side, seconds, shape (n, 2) each, in order
        waiting: tones and music of each channel, seconds, shape (n, 2) each
        syllable_rates: of each side, a second
        ringing: of the waiting, ring-back: before the first word nobody is kept on hold by it
        duration_s: of the call
        settings: what counts as silence
    """
    talk = union(*turns)
    rings, answered_s = union(*ringing), talk[0, 0] if len(talk) else duration_s
    connecting = rings[rings[:, 0] < answered_s]
    hold = subtract(union(*waiting), union(talk, connecting))
    nothing = subtract(intervals([(0.0, duration_s)]), union(talk, hold, connecting))
    silence = min_duration(nothing, settings.min_silence_s)
    overtalk_s = float(sum(lengths(each).sum() for each in turns) - lengths(talk).sum())
    talk_s = float(lengths(talk).sum())
    floor = _floor(turns)
    return CallInteraction(
        silence=_waits(silence, duration_s),
        hold=_waits(hold, duration_s),
        n_long_silences=len(min_duration(silence, settings.long_silence_s)),
        overtalk_s=overtalk_s,
        overtalk_share=overtalk_s / talk_s if talk_s else 0.0,
        sides=tuple(
            _side(number, turns, floor, hold, rate) for number, rate in enumerate(syllable_rates)
        ),
    )


def syllable_rate(signal: FloatArray, sample_rate: int, bursts: DoubleArray) -> float:
    """Syllable nuclei a second of speech: peaks of the vowels' power with a dip before them.

    On EmoDB's sentences in telephone band the count correlates .88 with the true one and comes to
    .93 of it.

    Args:
        signal: mono samples, shape (n_samples,)
        sample_rate: Hz
        bursts: speech, seconds, shape (n, 2)

    Source: de Jong and Wempe (2009), Behavior Research Methods 41(2), without their voicing test.
    """
    speech_s = float(lengths(bursts).sum())
    if speech_s == 0:
        return float("nan")
    band = scipy.signal.butter(2, SYLLABLE_BAND_HZ, "bandpass", fs=sample_rate, output="sos")
    power = frame_power(scipy.signal.sosfilt(band, signal).astype(np.float32), sample_rate)
    kernel = np.hanning(SYLLABLE_SMOOTHING_FRAMES + 2)[1:-1]
    level_db = decibel(np.convolve(power, kernel / kernel.sum(), mode="same")[: len(power)])
    speech = to_mask(bursts, len(level_db), LEVEL_FRAME_S)
    least_db = float(np.quantile(level_db[speech], 0.98)) - SYLLABLE_DEPTH_DB
    nuclei, _ = scipy.signal.find_peaks(level_db, prominence=SYLLABLE_DIP_DB, height=least_db)
    return float(np.count_nonzero(speech[nuclei]) / speech_s)


def _waits(times: DoubleArray, duration_s: float) -> Waits:
    seconds = lengths(times)
    total_s = float(seconds.sum())
    return Waits(
        total_s=total_s,
        count=len(times),
        longest_s=float(seconds.max(initial=0.0)),
        mean_s=total_s / len(times) if len(times) else 0.0,
        share=total_s / duration_s if duration_s else 0.0,
    )


@dataclass(frozen=True)
class _Floor:
    """One side's hold of the floor: turns in a row, the other's short words within them aside."""

    side: int
    start_s: float
    stop_s: float


def _floor(turns: Sequence[DoubleArray]) -> list[_Floor]:
    """Who had the floor, in order of start."""
    ordered = sorted(
        (start, stop, side) for side, own in enumerate(turns) for start, stop in own.tolist()
    )
    floor: list[_Floor] = []
    for start, stop, side in ordered:
        last = floor[-1] if floor else None
        if last is not None and side == last.side:
            floor[-1] = _Floor(side, last.start_s, max(stop, last.stop_s))
        elif last is None or stop > last.stop_s or stop - start >= BACK_CHANNEL_S:
            floor.append(_Floor(side, start, stop))
    return floor


def _side(
    number: int,
    turns: Sequence[DoubleArray],
    floor: list[_Floor],
    hold: DoubleArray,
    rate: float,
) -> SideInteraction:
    """Measures of one side."""
    own = [piece for piece in floor if piece.side == number]
    changes = [(before, after) for before, after in pairwise(floor) if after.side == number]
    responses = [
        max(after.start_s - before.stop_s, 0.0)
        for before, after in changes
        if not _within(hold, before.stop_s, after.start_s)
    ]
    talk_s = float(lengths(turns[number]).sum())
    all_s = float(sum(lengths(each).sum() for each in turns))
    others = union(*(each for side, each in enumerate(turns) if side != number))
    alone_s = float(lengths(subtract(turns[number], others)).sum())
    return SideInteraction(
        talk_s=talk_s,
        talk_share=talk_s / all_s if all_s else 0.0,
        n_turns=len(own),
        turn_mean_s=float(np.mean([piece.stop_s - piece.start_s for piece in own])) if own else 0.0,
        overtalk_share=1 - alone_s / talk_s if talk_s else 0.0,
        n_interruptions=sum(
            before.stop_s - after.start_s >= INTERRUPTION_S and after.stop_s > before.stop_s
            for before, after in changes
        ),
        response_time_median_s=float(np.median(responses)) if responses else float("nan"),
        response_longest_s=max(responses, default=float("nan")),
        syllable_rate=rate,
    )


def _within(times: DoubleArray, start_s: float, stop_s: float) -> bool:
    """Whether any interval lies between two moments, in part."""
    return bool(np.any((times[:, 0] < stop_s) & (times[:, 1] > start_s)))
