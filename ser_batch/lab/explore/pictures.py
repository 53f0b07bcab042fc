"""Pictures of corpora: balance, examples, distributions of descriptors, and the map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import altair as alt
import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.features.dataset import Dataset
from ser_batch.lab.explore.separation import centred
from ser_batch.report.pictures import data_url, outline, spectrogram_png

Panel: TypeAlias = alt.Chart | alt.VConcatChart | alt.HConcatChart | alt.ConcatChart

PANEL_WIDTH, PANEL_HEIGHT = 300, 110
"""Pixels, before they are doubled."""
MAP_SIZE = 380
MOST_COLOURS = 12
"""Speakers that the map tells apart; the others are grey."""
OTHERS = "others"
SHOWN = {
    "f0.voiced.p50": "pitch, median (semitones)",
    "f0.voiced.range": "pitch, range (semitones)",
    "level.speech.p50": "level, median (dB)",
    "centroid.speech.p50": "spectral centroid, median (Hz)",
    "hnr.voiced.p50": "harmonics-to-noise ratio, median (dB)",
    "rhythm.syllables_per_s": "syllables a second",
}
"""Descriptors whose distributions are drawn, as people name them."""


def save(chart: Panel, title: str, path: Path) -> None:
    """Write a chart; the file's ending says which kind: .svg or .png."""
    drawn = chart.properties(title=alt.TitleParams(title, anchor="start", fontSize=16), padding=16)
    drawn.configure(background="white").save(path, scale_factor=2)


def balance_chart(counts: Mapping[str, Mapping[str, Any]]) -> Panel:
    """Clips by emotion, and clips and speakers of each sex, a bar a corpus.

    Args:
        counts: see `balance.balance`
    """
    emotions = [
        {"corpus": name, "emotion": emotion, "clips": count}
        for name, found in counts.items()
        for emotion, count in found["emotions"].items()
    ]
    speakers = [
        {"corpus": name, "sex": sex, "speakers": found[sex]}
        for name, found in counts.items()
        for sex in ("women", "men")
    ]
    names = list(counts)
    classes = _bars(emotions, "clips", "emotion", names, "Share of the clips by emotion")
    both = alt.hconcat(classes, _bars(speakers, "speakers", "sex", names, "Speakers"))
    chart: Panel = both.resolve_scale(color="independent")
    return chart


def _bars(
    rows: list[dict[str, Any]], value: str, by: str, names: Sequence[str], title: str
) -> alt.Chart:
    stack: Any = "normalize" if value == "clips" else "zero"
    axis = alt.Axis(format="%") if value == "clips" else alt.Axis(tickMinStep=1)
    chart: alt.Chart = (
        alt.Chart(_data(rows), title=title)
        .mark_bar()
        .encode(
            x=alt.X(f"{value}:Q", stack=stack, title=None, axis=axis),
            y=alt.Y("corpus:N", sort=list(names), title=None),
            color=alt.Color(f"{by}:N", title=None),
        )
        .properties(width=PANEL_WIDTH * 1.4, height=alt.Step(24))
    )
    return chart


def examples_chart(examples: Mapping[str, tuple[FloatArray, int]]) -> Panel:
    """Waveform over spectrogram of one clip of each emotion.

    Args:
        examples: mono samples and their rate by emotion
    """
    return alt.concat(
        *(_example(name, *sound) for name, sound in examples.items()), columns=3, spacing=18
    )


def _example(name: str, samples: FloatArray, sample_rate: int) -> Panel:
    duration_s = len(samples) / sample_rate
    bins = outline(samples, PANEL_WIDTH)
    loudest = max(float(np.abs(bins).max()), 0.01)
    step_s = duration_s / len(bins)
    rows = [
        {"s": (at + 0.5) * step_s, "low": low, "high": high}
        for at, (low, high) in enumerate(bins.tolist())
    ]
    x = alt.X("s:Q", title=None, axis=alt.Axis(labels=False, grid=False)).scale(
        domain=[0, duration_s], nice=False
    )
    y = alt.Y("low:Q", title=None, axis=None).scale(domain=[-loudest, loudest])
    wave = alt.Chart(_data(rows), title=name).mark_rule(color="#222222")
    png = spectrogram_png(samples, sample_rate, width=2 * PANEL_WIDTH, height=2 * PANEL_HEIGHT)
    khz = sample_rate / 2000
    box = _data([{"s": 0.0, "end": duration_s, "low": 0.0, "high": khz}])
    frame = (
        alt.Chart(box)
        .mark_rect(opacity=0)
        .encode(
            x=alt.X("s:Q", title="s", axis=alt.Axis(grid=False)).scale(
                domain=[0, duration_s], nice=False
            ),
            x2="end:Q",
            y=alt.Y("low:Q", title="kHz", axis=alt.Axis(tickCount=3, grid=False)).scale(
                domain=[0, khz], nice=False
            ),
            y2="high:Q",
        )
    )
    image = (
        alt.Chart(_data([{"url": data_url("image/png", png)}]))
        .mark_image(width=PANEL_WIDTH, height=PANEL_HEIGHT, aspect=False)
        .encode(x=alt.value(PANEL_WIDTH / 2), y=alt.value(PANEL_HEIGHT / 2), url=alt.Url("url:N"))
    )
    return alt.vconcat(
        wave.encode(x=x, y=y, y2="high:Q").properties(width=PANEL_WIDTH, height=50),
        alt.layer(frame, image).properties(width=PANEL_WIDTH, height=PANEL_HEIGHT),
        spacing=4,
    )


def distributions_chart(dataset: Dataset) -> Panel:
    """Boxes of some descriptors by emotion, of each speaker's clips around the mean speaker.

    Args:
        dataset: described by a set of descriptors
    """
    columns = [dataset.names.index(name) for name in SHOWN]
    values = dataset.features[:, columns].astype(np.float64)
    values = centred(values, dataset.speakers) + values.mean(axis=0)
    panels = []
    for column, title in enumerate(SHOWN.values()):
        rows = [
            {"emotion": emotion, "value": float(value)}
            for emotion, value in zip(dataset.emotions, values[:, column], strict=True)
        ]
        panels.append(
            alt.Chart(_data(rows), title=title)
            .mark_boxplot(extent=1.5, size=12, outliers={"size": 6})
            .encode(
                x=alt.X("value:Q", title=None).scale(zero=False),
                y=alt.Y("emotion:N", title=None),
                color=alt.Color("emotion:N", legend=None),
            )
            .properties(width=PANEL_WIDTH, height=alt.Step(20))
        )
    return alt.concat(*panels, columns=3, spacing=18)


def map_chart(points: Sequence[Mapping[str, Any]]) -> Panel:
    """The clips as points, once each in the colours of their emotion, speaker and corpus.

    Args:
        points: x, y, emotion, speaker and corpus of each clip
    """
    maps = (_map(points, by) for by in ("emotion", "speaker", "corpus"))
    chart: Panel = alt.hconcat(*maps).resolve_scale(color="independent")
    return chart


def _map(points: Sequence[Mapping[str, Any]], by: str) -> alt.Chart:
    counts: dict[str, int] = {}
    for point in points:
        counts[point[by]] = counts.get(point[by], 0) + 1
    named = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_COLOURS]
    rows = [{"x": p["x"], "y": p["y"], by: p[by] if p[by] in named else OTHERS} for p in points]
    has_others = len(counts) > len(named)
    domain = [*sorted(named), *([OTHERS] if has_others else [])]
    scale = alt.Scale(domain=domain, scheme="tableau10" if len(domain) <= 10 else "tableau20")
    if has_others:
        scale = alt.Scale(domain=domain, range=[*_colours(len(named)), "#cccccc"])
    chart: alt.Chart = (
        alt.Chart(_data(rows), title=f"by {by}")
        .mark_circle(size=18, opacity=0.8)
        .encode(
            x=alt.X("x:Q", axis=None).scale(zero=False),
            y=alt.Y("y:Q", axis=None).scale(zero=False),
            color=alt.Color(f"{by}:N", title=None, scale=scale),
        )
        .properties(width=MAP_SIZE, height=MAP_SIZE)
    )
    return chart


def _colours(count: int) -> list[str]:
    """Hues spread over the circle."""
    return [f"hsl({360 * at // count}, 65%, 48%)" for at in range(count)]


def _data(rows: Iterable[Mapping[str, object]]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))
