"""A call as a picture: waveforms, spectrograms, who speaks when, and how good the line is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import altair as alt
import vl_convert as vlc

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.analysis import CallAnalysis
from ser_batch.audio.decode import Audio
from ser_batch.report.pictures import COLOURS, RANGE_DB, data_url, outline, spectrogram_png
from ser_batch.report.timeline import Lane, course, diagnosis, lanes, ticks

Panel: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart

WIDTH, WAVE_HEIGHT, SPECTRUM_HEIGHT, LANE_HEIGHT, LINE_HEIGHT = 1100, 90, 120, 22, 17
"""Pixels, before they are doubled."""
SCALE = 2
INK = "#222222"
READING = "Shaded in the waveforms: turns. In the rows below them: pale a turn, full a segment."
KIND_COLOURS = {
    "agent": "#0072B2",
    "customer": "#E69F00",
    "unknown": "#56B4E9",
    "both at once": "#D55E00",
    "hold music": "#009E73",
    "tones": "#CC79A7",
}
"""Colours that colour-blind readers distinguish. Source: Okabe and Ito (2008)."""


def picture(
    name: str,
    audio: Audio,
    analysis: CallAnalysis,
    roles: Sequence[str],
    warnings: Sequence[str],
) -> bytes:
    """A PNG of one call.

    Args:
        name: of the call, for the title
        audio: the recording
        analysis: of it
        roles: who speaks on each channel
        warnings: what a person should look at, in words
    """
    rows = lanes(analysis, roles)
    sides = rows[: len(roles)]
    panels: list[Panel] = []
    n_signals = 1 if analysis.diarized else len(sides)
    for number in range(n_signals):
        shown = sides if analysis.diarized else [sides[number]]
        panels += _signal(number, shown, audio, analysis.duration_s)
    panels += [_lanes(rows, analysis.duration_s), _table(analysis, [row.name for row in sides])]
    chart = alt.vconcat(*panels, spacing=14).resolve_scale(color="independent", y="independent")
    title = alt.TitleParams(
        name,
        subtitle=[course(analysis), *(f"Look: {warning}" for warning in warnings), READING],
        anchor="start",
        fontSize=16,
        subtitleColor=INK,
    )
    drawn = chart.properties(title=title, padding=16, background="white").configure_axis(
        labelColor=INK, titleColor=INK, titleFontWeight="normal"
    )
    png: bytes = vlc.vegalite_to_png(drawn.to_dict(), scale=SCALE)
    return png


def _time(duration_s: float, *, labelled: bool) -> alt.X:
    """Seconds of the call, written as minutes and seconds."""
    axis = alt.Axis(
        values=ticks(duration_s, 14),
        labelExpr="floor(datum.value / 60) + ':' + format(datum.value % 60, '02')",
        title="time in the call (min:s)" if labelled else None,
        labels=labelled,
        grid=False,
    )
    return alt.X("start:Q", axis=axis).scale(domain=[0, duration_s], nice=False)


def _signal(number: int, shown: Sequence[Lane], audio: Audio, duration_s: float) -> list[Panel]:
    """Waveform over spectrogram of one channel."""
    samples = audio.side(number)
    name = " and ".join(lane.name for lane in shown)
    bins = outline(samples, WIDTH)
    step_s = duration_s / len(bins)
    wave = _data(
        {"start": (at + 0.5) * step_s, "low": low, "high": high}
        for at, (low, high) in enumerate(bins.tolist())
    )
    loudest = max(abs(float(bins.min())), float(bins.max()), 0.01)
    x = _time(duration_s, labelled=False)
    y = alt.Y("low:Q", title="amplitude (of 1)").scale(domain=[-loudest, loudest], nice=False)
    turns = [
        alt.Chart(_data(_spans(lane.times)))
        .mark_rect(color=KIND_COLOURS[lane.kind], opacity=0.3)
        .encode(x=x, x2="end:Q")
        for lane in shown
    ]
    line = alt.Chart(wave).mark_rule(color=INK, strokeWidth=1).encode(x=x, y=y, y2="high:Q")
    waveform = alt.layer(*turns, line).properties(
        width=WIDTH,
        height=WAVE_HEIGHT,
        title=alt.TitleParams(name, anchor="start", frame="group", fontSize=13),
    )
    return [waveform, _spectrogram(samples, audio.sample_rate, duration_s)]


def _spectrogram(samples: FloatArray, sample_rate: int, duration_s: float) -> Panel:
    """The picture in its axes, and what its colours mean."""
    png = spectrogram_png(samples, sample_rate, width=SCALE * WIDTH, height=SCALE * SPECTRUM_HEIGHT)
    khz = sample_rate / 2000
    box = _data([{"start": 0.0, "end": duration_s, "low": 0.0, "high": khz, "db": -RANGE_DB}])
    x = _time(duration_s, labelled=False)
    y = alt.Y("low:Q", title="frequency (kHz)", axis=alt.Axis(tickCount=4, grid=False)).scale(
        domain=[0, khz], nice=False
    )
    colour = alt.Color("db:Q").scale(
        domain=[-RANGE_DB, 0], range=[f"#{colour}" for colour in COLOURS], interpolate="rgb"
    ).legend(
        title="dB of the loudest", gradientLength=SPECTRUM_HEIGHT - 30, gradientOpacity=1,
        values=[-60, -40, -20, 0],
    )  # fmt: skip
    frame = (
        alt.Chart(box).mark_rect(opacity=0).encode(x=x, x2="end:Q", y=y, y2="high:Q", color=colour)
    )
    image = (
        alt.Chart(_data([{"url": data_url("image/png", png)}]))
        .mark_image(width=WIDTH, height=SPECTRUM_HEIGHT, aspect=False)
        .encode(x=alt.value(WIDTH / 2), y=alt.value(SPECTRUM_HEIGHT / 2), url="url:N")
    )
    return alt.layer(frame, image).properties(width=WIDTH, height=SPECTRUM_HEIGHT)


def _lanes(rows: Sequence[Lane], duration_s: float) -> Panel:
    """Speech of each side, overtalk, music and tones over time, a row each."""
    names = [row.name for row in rows]
    colours = alt.Scale(domain=names, range=[KIND_COLOURS[row.kind] for row in rows])
    y = alt.Y("lane:N", title=None, axis=alt.Axis(labelLimit=200, ticks=False)).scale(
        domain=names, paddingInner=0.3
    )
    x = _time(duration_s, labelled=True)

    def bars(spans: Iterable[tuple[Lane, DoubleArray]], **mark: Any) -> alt.Chart:
        rows = ({"lane": lane.name, **span} for lane, times in spans for span in _spans(times))
        base = alt.Chart(_data(rows)).mark_bar(**mark)
        # Drawn with an outline, what lasts less than a pixel is seen too.
        drawn: alt.Chart = base.encode(
            x=x,
            x2="end:Q",
            y=y,
            color=alt.Color("lane:N", legend=None, scale=colours),
            stroke=alt.Stroke("lane:N", legend=None, scale=colours),
        )
        return drawn

    layers = alt.layer(
        bars(((row, row.times) for row in rows if row.fine is None), strokeWidth=1),
        bars(((row, row.times) for row in rows if row.fine is not None), opacity=0.35),
        bars(((row, row.fine) for row in rows if row.fine is not None), height=LANE_HEIGHT * 0.35),
    )
    return layers.properties(width=WIDTH, height=LANE_HEIGHT * len(rows))


def _table(analysis: CallAnalysis, names: Sequence[str]) -> Panel:
    """What was measured, a line each, in two columns of lines."""
    lines = [("", tuple(names)), *diagnosis(analysis)]
    half = -(-len(lines) // 2)
    columns = [lines[:half], [lines[0], *lines[half:]]]
    cells = [
        {"x": left + offset, "y": (row + 0.5) * LINE_HEIGHT, "text": text, "bold": row == 0}
        for left, column in zip((0, WIDTH // 2), columns, strict=True)
        for row, (label, values) in enumerate(column)
        for offset, text in zip((0, 220, 370), (label, *values), strict=False)
    ]
    height = (half + 1) * LINE_HEIGHT
    base = alt.Chart(_data(cells)).encode(
        x=alt.X("x:Q", axis=None).scale(domain=[0, WIDTH], nice=False),
        y=alt.Y("y:Q", axis=None).scale(domain=[height, 0], nice=False),
        text="text:N",
    )
    return alt.layer(
        base.transform_filter("!datum.bold").mark_text(align="left", fontSize=12, color=INK),
        base.transform_filter("datum.bold").mark_text(
            align="left", fontSize=12, color=INK, fontWeight="bold"
        ),
    ).properties(width=WIDTH, height=height, view=alt.ViewConfig(stroke=None))


def _spans(times: DoubleArray) -> list[dict[str, float]]:
    return [{"start": start, "end": end} for start, end in times.tolist()]


def _data(rows: Iterable[Mapping[str, object]]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))
