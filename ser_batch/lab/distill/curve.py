"""The picture of a training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

CURVE_FILE = "curve.svg"


def draw_curve(manifest: Mapping[str, Any], path: Path) -> None:
    """Loss and held-out error by step, as SVG or PNG by the file's ending.

    Args:
        manifest: of an encoder
        path: of the picture
    """
    history, held_out = manifest["history"], manifest["held_out"]
    points = pl.DataFrame(
        {
            "step": history["steps"],
            "loss": history["trained"],
            "error": history["held_out"],
        }
    )
    start = pl.DataFrame({"step": [0], "loss": [None], "error": [held_out["error_before"]]})
    points = pl.concat([start, points], how="vertical_relaxed")
    panels = [
        alt.Chart(points, width=300, height=220)
        .mark_line(point=True)
        .encode(
            x=alt.X("step", title="step"),
            y=alt.Y(column, scale=alt.Scale(zero=False), title=title),
        )
        for column, title in (
            ("loss", "loss, mean since the point before"),
            ("error", "error of unseen voices, standard deviations"),
        )
    ]
    alt.hconcat(*panels).save(path)
