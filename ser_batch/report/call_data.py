"""What a page of one call shows: segments, waveforms, spectrograms, overlap, hold, excerpts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import duckdb
import numpy as np

from ser_batch.arrays import DoubleArray
from ser_batch.audio.channels import lines
from ser_batch.audio.decode import Audio, at_rate
from ser_batch.audio.intervals import common, intervals, subtract, union
from ser_batch.audio.sounds import find_sounds
from ser_batch.config import Settings
from ser_batch.report.data import CallData, Excerpt, Rules, Side
from ser_batch.report.pictures import data_url, excerpt_mp3, outline, spectrogram_png
from ser_batch.report.queries import Row, ask
from ser_batch.warehouse import quoted

WIDTH = 1000
"""Steps into which a call's length is divided in the pictures."""

_SPECTROGRAM_HEIGHT = 96
_SPECTROGRAM_STEP_S = 0.1
"""A coarser picture cannot be turned back into words."""

CONTEXT_S = 5.0
"""Sound before and after the segment of an excerpt."""

_MOST_EXCERPTS = 3
_PLAYED_RATES_HZ = (8000, 16000)


def read_call(
    con: duckdb.DuckDBPyConnection,
    call: Row,
    audio: Audio | None,
    settings: Settings,
    *,
    report: str,
) -> CallData:
    """The data of a call's page.

    Args:
        con: of the published warehouse
        call: a row of the priority calls
        audio: its recording, None if it cannot be read
        settings: rules that the page names, what counts as hold, and whether excerpts are played
        report: name of the report that lists it
    """
    values = {"recording_id": quoted(call["recording_id"])}
    segments = ask(con, "call_segments", values)
    return CallData(
        report=report,
        call=call,
        segments=tuple(segments),
        tenths=tuple(ask(con, "call_tenths", values)),
        sides=tuple(_side(row, audio) for row in ask(con, "call_channels", values)),
        lanes=_lanes(segments, audio, settings),
        highest_khz=audio.sample_rate / 2000 if audio else None,
        excerpts=tuple(_excerpts(segments, audio)) if settings.report.excerpts else (),
        rules=Rules.of(settings),
    )


def _side(row: Row, audio: Audio | None) -> Side:
    channel, role = row["channel"], row["role"]
    if audio is None:
        return Side(channel, role, "", "")
    signal, rate = audio.side(channel), audio.sample_rate
    width = max(1, min(WIDTH, int(audio.duration_s / _SPECTROGRAM_STEP_S)))
    picture = spectrogram_png(signal, rate, width=width, height=_SPECTROGRAM_HEIGHT)
    path = _path(outline(signal, WIDTH).tolist())
    return Side(channel, role, path, data_url("image/png", picture))


def _lanes(
    segments: Sequence[Row], audio: Audio | None, settings: Settings
) -> dict[str, list[list[float]]]:
    """Where both channels hold speech, and where music or tones play while nobody speaks."""
    channels = sorted({row["channel"] for row in segments})
    turns = [
        intervals((row["start_s"], row["end_s"]) for row in segments if row["channel"] == channel)
        for channel in channels
    ]
    both = common(*turns) if len(turns) == 2 else intervals([])
    hold = subtract(_waiting(audio, settings), union(*turns)) if audio else intervals([])
    found = {"overlap": both, "hold": hold}
    return {name: times.tolist() for name, times in found.items() if len(times)}


def _waiting(audio: Audio, settings: Settings) -> DoubleArray:
    """Music and tones of every channel: the lake keeps how long they last, not when."""
    found = (
        find_sounds(line.signal, line.sample_rate, settings.line).waiting
        for line in lines(audio, settings.audio)
    )
    return union(*found)


def _path(bins: Sequence[Sequence[float]]) -> str:
    step = WIDTH / len(bins)
    loudest = max(max(-low, high) for low, high in bins) or 1.0
    return "".join(
        f"M{(number + 0.5) * step:.1f},{1 - high / loudest:.3f}V{1 - low / loudest:.3f}"
        for number, (low, high) in enumerate(bins)
    )


def _excerpts(segments: Sequence[Row], audio: Audio | None) -> list[Excerpt]:
    """The customer's worst segment, and others that are dissatisfied, in order of time."""
    if audio is None:
        return []
    scored = [row for row in segments if row["dissatisfaction"] is not None]
    in_order = sorted(scored, key=lambda row: -row["dissatisfaction"])
    others = [row for row in in_order[1:_MOST_EXCERPTS] if row["is_dissatisfied"]]
    worst = [*in_order[:1], *others]
    mixed = _for_playing(audio)
    return [_excerpt(row, mixed) for row in sorted(worst, key=lambda row: row["start_s"])]


def _for_playing(audio: Audio) -> Audio:
    """All sides in one channel, at a rate that MP3 has."""
    mixed = np.clip(audio.samples.sum(axis=0, keepdims=True), -1, 1)
    rate = audio.sample_rate if audio.sample_rate in _PLAYED_RATES_HZ else max(_PLAYED_RATES_HZ)
    return at_rate(dataclasses.replace(audio, samples=mixed), rate)


def _excerpt(segment: Row, mixed: Audio) -> Excerpt:
    start_s = max(0.0, segment["start_s"] - CONTEXT_S)
    end_s = min(mixed.duration_s, segment["end_s"] + CONTEXT_S)
    first, last = (int(at * mixed.sample_rate) for at in (start_s, end_s))
    sound = excerpt_mp3(mixed.samples[0, first:last], mixed.sample_rate)
    return Excerpt(
        start_s=segment["start_s"],
        end_s=segment["end_s"],
        sound_start_s=start_s,
        sound_end_s=end_s,
        sound=data_url("audio/mpeg", sound),
    )
