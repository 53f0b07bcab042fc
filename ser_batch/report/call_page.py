"""A page of one call: both sides' sound, turns, emotions and the moments worth hearing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
from markupsafe import Markup

from ser_batch.arrays import DoubleArray
from ser_batch.audio.channels import lines
from ser_batch.audio.decode import Audio
from ser_batch.audio.intervals import common, intervals, subtract, union
from ser_batch.audio.sounds import find_sounds
from ser_batch.config import Settings
from ser_batch.emotions import EMOTIONS
from ser_batch.report.content import Row, ask
from ser_batch.report.page import asset, environment
from ser_batch.report.pictures import data_url, excerpt_wav, outline, spectrogram_png
from ser_batch.report.words import percent
from ser_batch.warehouse import quoted

WIDTH = 1000
"""Steps into which a call's length is divided in the pictures."""

_SPECTROGRAM_HEIGHT = 96
_SPECTROGRAM_STEP_S = 0.1
"""A coarser picture cannot be turned back into words."""

_MOST_EXCERPTS = 3


@dataclass(frozen=True)
class Side:
    """What the page shows of a channel.

    Attributes:
        channel: from 0
        role: who speaks
        segments: its rows, in order of time
        outline: path of its waveform in a box of WIDTH by 2, empty without the recording
        spectrogram: data URL, empty without the recording
    """

    channel: int
    role: str
    segments: tuple[Row, ...]
    outline: str
    spectrogram: str


@dataclass(frozen=True)
class Excerpt:
    """A piece of the customer's speech to play."""

    start_s: float
    end_s: float
    sound: str


def render_call(
    con: duckdb.DuckDBPyConnection,
    call: Row,
    audio: Audio | None,
    settings: Settings,
    *,
    back: str,
) -> str:
    """The HTML of a call's page.

    Args:
        con: of the published warehouse
        call: a row of the calls to listen to
        audio: its recording, None if it is not at hand
        settings: the threshold, what counts as hold, and whether excerpts are played
        back: name of the report's file, one folder up
    """
    values = {"recording_id": quoted(call["recording_id"])}
    segments = ask(con, "call_segments", values)
    sides = [_side(row, segments, audio) for row in ask(con, "call_channels", values)]
    return (
        environment()
        .from_string(asset("call.html"))
        .render(
            call=call,
            sides=sides,
            scored=[row for row in segments if row["emotion"] is not None],
            arc=_arc(ask(con, "call_tenths", values), call["duration_s"]),
            lanes=_lanes(sides, audio, settings),
            highest_khz=audio.sample_rate / 2000 if audio else None,
            excerpts=_excerpts(segments, audio) if settings.report.excerpts else [],
            heard=audio is not None,
            likeliest=likeliest,
            width=WIDTH,
            ticks=_ticks(call["duration_s"]),
            rules=settings.dissatisfaction,
            css=Markup(asset("page.css")),
            back=back,
        )
    )


def likeliest(segment: Row) -> str:
    """The three likeliest emotions of a segment with their probabilities."""
    known = [(segment[f"p_{name}"] or 0.0, name) for name in EMOTIONS]
    first = sorted(known, key=lambda pair: -pair[0])[:3]
    return ", ".join(f"{name} {percent(probability)}" for probability, name in first)


def _side(channel: Row, segments: Sequence[Row], audio: Audio | None) -> Side:
    number = channel["channel"]
    own = tuple(row for row in segments if row["channel"] == number)
    if audio is None:
        return Side(number, channel["role"], own, "", "")
    signal, rate = audio.side(number), audio.sample_rate
    width = max(1, min(WIDTH, int(audio.duration_s / _SPECTROGRAM_STEP_S)))
    picture = spectrogram_png(signal, rate, width=width, height=_SPECTROGRAM_HEIGHT)
    path = _path(outline(signal, WIDTH).tolist())
    return Side(number, channel["role"], own, path, data_url("image/png", picture))


def _arc(tenths: Sequence[Row], duration_s: float) -> str:
    """Path through the middles of the call's tenths in a box of WIDTH by 1."""
    step, path, is_joined = WIDTH / max(duration_s, 0.1), "", False
    for row in tenths:
        value = row["dissatisfaction"]
        if value is not None:
            x = (row["start_s"] + row["end_s"]) / 2 * step
            path += f"{'L' if is_joined else 'M'}{x:.1f},{1 - value:.3f}"
        is_joined = value is not None
    return path


def _lanes(
    sides: Sequence[Side], audio: Audio | None, settings: Settings
) -> dict[str, list[list[float]]]:
    """Stretches in which both sides speak, and in which a side waits with music or tones."""
    turns = [intervals((row["start_s"], row["end_s"]) for row in side.segments) for side in sides]
    both = common(*turns) if len(turns) == 2 else intervals([])
    hold = subtract(_waiting(audio, settings), union(*turns)) if audio else intervals([])
    found = {"overlap": both, "hold": hold}
    return {name: times.tolist() for name, times in found.items() if len(times)}


def _waiting(audio: Audio, settings: Settings) -> DoubleArray:
    """Music and tones of every channel: the lake keeps how long they last, not when."""
    heard = (
        find_sounds(line.signal, line.sample_rate, settings.line).waiting
        for line in lines(audio, settings.audio)
    )
    return union(*heard)


def _path(bins: Sequence[Sequence[float]]) -> str:
    step = WIDTH / len(bins)
    loudest = max(max(-low, high) for low, high in bins) or 1.0
    return "".join(
        f"M{(number + 0.5) * step:.1f},{1 - high / loudest:.3f}V{1 - low / loudest:.3f}"
        for number, (low, high) in enumerate(bins)
    )


def _excerpts(segments: Sequence[Row], audio: Audio | None) -> list[Excerpt]:
    """The customer's most dissatisfied segments, in order of time."""
    if audio is None:
        return []
    heard = [row for row in segments if row["is_dissatisfied"]]
    worst = sorted(heard, key=lambda row: -row["dissatisfaction"])[:_MOST_EXCERPTS]
    in_time = sorted(worst, key=lambda row: row["start_s"])
    return [Excerpt(row["start_s"], row["end_s"], _sound(row, audio)) for row in in_time]


def _sound(segment: Row, audio: Audio) -> str:
    first, last = (int(segment[name] * audio.sample_rate) for name in ("start_s", "end_s"))
    piece = audio.side(segment["channel"])[first:last]
    return data_url("audio/wav", excerpt_wav(piece, audio.sample_rate))


def _ticks(duration_s: float) -> list[float]:
    """Whole times in seconds for an axis of at most ten marks."""
    steps = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
    step = next((step for step in steps if duration_s / step <= 10), 3600)
    # the last mark would stand out of the picture
    return [float(at) for at in range(0, int(duration_s * 0.92) + 1, step)]
