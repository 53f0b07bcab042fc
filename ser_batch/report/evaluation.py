"""Pictures of an evaluation: confusion, reliability of probabilities, risk over coverage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl


def save_pictures(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write `confusion.png` and `reliability.png`, and `risk_coverage.png` where decisions are.

    Of a matrix, `matrix.png`.

    Args:
        result: as `run_protocol`, `run_loco` or `run_matrix` gives it
        folder: created if missing
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, alt.TopLevelMixin] = {}
    if "confusion" in result:
        pictures = {"confusion.png": _confusion(result), "reliability.png": _reliability(result)}
    if "cells" in result:
        pictures["matrix.png"] = _matrix(result)
    if result.get("decisions"):
        pictures["risk_coverage.png"] = _risk_coverage(result["decisions"])
    for name, chart in pictures.items():
        chart.save(folder / name, scale_factor=2)
    return [folder / name for name in pictures]


def _risk_coverage(decisions: Mapping[str, Mapping[str, Any]]) -> alt.FacetChart:
    """Wrong answers over the share that is answered, by corpus; a flat line says nothing."""
    points = pl.DataFrame(
        [
            {"corpus": corpus, "output": output, "coverage": coverage, "risk": risk}
            for corpus, figures in decisions.items()
            for output, found in figures["risk_coverage"].items()
            for coverage, risk in found["curve"]
        ]
    )
    lines = alt.Chart(points).mark_line(point=True)
    chart: alt.FacetChart = (
        lines.encode(
            x=alt.X("coverage:Q", title="share that is answered, surest first"),
            y=alt.Y("risk:Q", title="share of wrong answers"),
            color=alt.Color("corpus:N"),
        )
        .properties(width=300, height=300)
        .facet("output:N")
    )
    return chart


def _confusion(result: Mapping[str, Any]) -> alt.LayerChart:
    """Clips by true and predicted emotion, shaded by their share of the true emotion."""
    classes = result["classes"]
    cells = pl.DataFrame(
        [
            {
                "true": true,
                "predicted": predicted,
                "clips": count,
                "share": count / max(sum(row), 1),
            }
            for true, row in zip(classes, result["confusion"], strict=True)
            for predicted, count in zip(classes, row, strict=True)
        ]
    )
    base = alt.Chart(cells).encode(
        x=alt.X("predicted:N", sort=classes), y=alt.Y("true:N", sort=classes)
    )
    shade = alt.Color("share:Q", scale=alt.Scale(scheme="blues", domain=[0, 1]), legend=None)
    colour = alt.condition("datum.share > 0.5", alt.value("white"), alt.value("black"))
    title = f"UAR {result['uar']:.3f} on {result['n_clips']} clips"
    layers: alt.LayerChart = base.mark_rect().encode(color=shade) + base.mark_text().encode(
        text="clips:Q", color=colour
    )
    chart: alt.LayerChart = layers.properties(width=340, height=340, title=title)
    return chart


def _matrix(result: Mapping[str, Any]) -> alt.LayerChart:
    """UAR by the corpus that is trained on and the one that is tested."""
    cells = pl.DataFrame(
        [{**cell, "text": matrix_cell(cell)} for cell in result["cells"]], infer_schema_length=None
    )
    base = alt.Chart(cells).encode(
        x=alt.X("tested_on:N", title="tested on"), y=alt.Y("trained_on:N", title="trained on")
    )
    shade = alt.Color("uar:Q", title="UAR", scale=alt.Scale(scheme="blues", domain=[0, 1]))
    colour = alt.condition("datum.uar > 0.6", alt.value("white"), alt.value("black"))
    layers: alt.LayerChart = base.mark_rect().encode(color=shade) + base.mark_text().encode(
        text="text:N", color=colour
    )
    chart: alt.LayerChart = layers.properties(
        width=alt.Step(100), height=alt.Step(60), title="UAR; on itself: unseen speakers"
    )
    return chart


def matrix_cell(cell: Mapping[str, Any]) -> str:
    """UAR with its interval; a dash where the corpora have too little in common."""
    if cell["uar"] is None:
        return "\N{EN DASH}"
    return f"{cell['uar']:.2f} ({cell['uar_low']:.2f}\N{EN DASH}{cell['uar_high']:.2f})"


def _reliability(result: Mapping[str, Any]) -> alt.LayerChart:
    """Accuracy over confidence; on the dashed line a probability means what it says."""
    bins = pl.DataFrame(result["reliability"])
    x = alt.X("confidence:Q", title="probability of the likeliest emotion").scale(domain=[0, 1])
    y = alt.Y("accuracy:Q", title="share of clips that have it").scale(domain=[0, 1])
    ideal = alt.Chart(pl.DataFrame({"confidence": [0, 1], "accuracy": [0, 1]}))
    measured = alt.Chart(bins).encode(x=x, y=y)
    layers = (
        ideal.mark_line(strokeDash=[4, 4], color="gray").encode(x=x, y=y)
        + measured.mark_line()
        + measured.mark_circle().encode(size=alt.Size("n_clips:Q", title="clips"))
    )
    chart: alt.LayerChart = layers.properties(
        width=340, height=340, title=f"ECE {result['ece']:.3f}"
    )
    return chart
