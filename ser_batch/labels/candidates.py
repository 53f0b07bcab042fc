"""Which segments of the lake annotators may be asked about, and which of them they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.config import LabelSettings, Settings
from ser_batch.eligibility import channel_scoring
from ser_batch.emotions import EMOTIONS, call_dissatisfaction
from ser_batch.features.sets import get_feature_set
from ser_batch.labels.callers import caller_of, is_held_out
from ser_batch.labels.history import blind
from ser_batch.labels.selection import RANDOM, Pool, worth_asking
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import (
    CALLS,
    LABEL_QUEUE,
    LABELS,
    PREDICTIONS,
    RECORDINGS,
    SEGMENTS,
    TableContract,
    features_contract,
    predictions_contract,
)

KEY = list(PREDICTIONS.key)
MOST_WEIGHED = 20_000
"""Segments among which the ones worth asking about are sought; of more, so many are drawn."""

_P = [f"p_{name}" for name in EMOTIONS]
_PICKED = [
    *KEY, "start_s", "end_s", "path", "audio_root", "sides", "caller", "queue", "day", "emotion",
    "reason",
]  # fmt: skip
_CALL_COLUMNS = ["recording_id", "customer", "queue", "started_at", "path", "audio_root", "sides"]


@dataclass(frozen=True)
class _Window:
    """The lake's calls of some days, as one model scores them."""

    lake: Lake
    parts: Sequence[Part]
    settings: Settings
    model_id: str

    def read(self, contract: TableContract, columns: Sequence[str] | None = None) -> pl.DataFrame:
        return _frame(self.lake.read(contract, self.parts, columns))

    def scores(self, model_id: str) -> pl.DataFrame:
        """Probabilities by a model, 0 of what it does not know."""
        names = [*KEY, "emotion", "dissatisfaction", *_P]
        scored = self.read(predictions_contract(model_id), names)
        return scored.with_columns(pl.col(_P).fill_null(0.0))


def pick_segments(
    lake: Lake, settings: Settings, model_id: str, count: int, *, seed: int
) -> pl.DataFrame:
    """Segments to ask about, in the order in which to ask.

    A share is drawn by chance from callers that models are measured by, short segments too, as
    production scores them; the others are worth asking about and come from the callers that models
    learn from.

    Args:
        lake: the lake; the model has scored it
        settings: labels, law and dissatisfaction
        model_id: the model in use
        count: how many are wanted; fewer are given where there are no more
        seed: of what is drawn

    Returns:
        the key, start_s, end_s, path, audio_root, sides, caller, queue, day, emotion, reason
    """
    rng = np.random.default_rng(seed)
    parts = recent_parts(lake, settings.labels.days)
    window = _Window(lake, parts, settings, model_id)
    found = _not_asked_yet(window)
    measured = found.filter("held_out")
    reviewed = _frame(lake.read(LABELS, columns=KEY)).drop_nulls()
    learnt_from = found.join(reviewed, on=KEY, how="anti").filter(
        ~pl.col("held_out"), pl.col("end_s") - pl.col("start_s") >= settings.labels.min_segment_s
    )
    n_random = round(count * settings.labels.random_share)
    drawn = _drawn(measured, n_random, rng).with_columns(pl.lit(RANDOM).alias("reason"))
    weighed = _drawn(learnt_from, MOST_WEIGHED, rng).sort(KEY)
    asked = _worth_asking(window, weighed, count - n_random)
    both = pl.concat([drawn.select(_PICKED), asked.select(_PICKED)])
    return _drawn(both, len(both), rng)


def recent_parts(lake: Lake, days: int) -> list[Part]:
    """Parts with calls of so many days up to the newest."""
    parts = [part for part in lake.parts(CALLS) if part.date is not None]
    if not parts:
        return []
    first = max(part.date for part in parts if part.date) - dt.timedelta(days=days - 1)
    return [part for part in parts if part.date and part.date >= first]


def channel_reasons(lake: Lake, settings: Settings, recordings: Sequence[str]) -> pl.DataFrame:
    """Why the channels of some recordings are not scored: null for those that are."""
    ids = pa.array(sorted(set(recordings)), pa.string())
    calls, files = (_only(lake.read(contract), ids) for contract in (CALLS, RECORDINGS))
    return _frame(channel_scoring(calls, files, settings.policy))


def _not_asked_yet(window: _Window) -> pl.DataFrame:
    segments = _at_hand(window)
    # what was reviewed may still be drawn: those who review choose the worst calls
    labelled = blind(window.lake.read(LABELS)).select(KEY)
    for asked in (window.lake.read(LABEL_QUEUE, columns=KEY), labelled):
        segments = segments.join(_frame(asked), on=KEY, how="anti")
    return segments.sort(KEY)


def _at_hand(window: _Window) -> pl.DataFrame:
    """Scored segments, with their call."""
    settings = window.settings
    calls = window.lake.read(CALLS, window.parts)
    recordings = window.lake.read(RECORDINGS, window.parts)
    scoring = _frame(channel_scoring(calls, recordings, settings.policy))
    allowed = scoring.filter(pl.col("not_scored_reason").is_null()).select(KEY[:2])
    segments = window.read(SEGMENTS, [*KEY, "start_s", "end_s"])
    return (
        segments.join(window.scores(window.model_id), on=KEY)
        .join(allowed, on=KEY[:2])
        .join(_with_callers(calls, settings.labels), on="recording_id")
    )


def _with_callers(calls: pa.Table, settings: LabelSettings) -> pl.DataFrame:
    """The calls with their day, their caller, and whether models are measured by the caller."""
    frame = _frame(calls.select(_CALL_COLUMNS))
    callers = [
        caller_of(customer, recording_id)
        for customer, recording_id in frame.select("customer", "recording_id").iter_rows()
    ]
    return frame.with_columns(
        pl.Series("caller", callers, pl.String),
        pl.Series(
            "held_out",
            [is_held_out(caller, settings.held_out_share) for caller in callers],
            pl.Boolean,
        ),
        pl.col("started_at").dt.date().cast(pl.String).alias("day"),
    )


def _drawn(segments: pl.DataFrame, count: int, rng: np.random.Generator) -> pl.DataFrame:
    return segments[rng.permutation(len(segments))[:count]]


def _worth_asking(window: _Window, segments: pl.DataFrame, count: int) -> pl.DataFrame:
    """The segments worth asking about, with the reason."""
    segments, features = _with_features(window, segments)
    known = segments.select(_P).to_numpy().astype(np.float64)
    pool = Pool(
        probabilities=known[:, known.any(axis=0)],
        features=features,
        disagreement=_disagreement(window, segments, known),
        impact=_impact(window, segments),
        groups=[segments[name].fill_null("").to_list() for name in ("caller", "day", "queue")],
    )
    picks = worth_asking(pool, count)
    reasons = pl.Series("reason", [pick.reason for pick in picks], pl.String)
    return segments[[pick.row for pick in picks]].with_columns(reasons)


def _with_features(window: _Window, segments: pl.DataFrame) -> tuple[pl.DataFrame, FloatArray]:
    """The segments that have features, and their features; read part by part, for the memory."""
    feature_set = get_feature_set(window.settings.features.set)
    contract = features_contract(feature_set.name, feature_set.names)
    found = [
        segments.join(_frame(window.lake.read(contract, [part])), on=KEY) for part in window.parts
    ]
    if not found:
        return segments, np.zeros((0, len(feature_set.names)), np.float32)
    described = pl.concat(found)
    return described.drop(feature_set.names), described.select(feature_set.names).to_numpy()


def _disagreement(
    window: _Window, segments: pl.DataFrame, probabilities: DoubleArray
) -> DoubleArray:
    """Largest total variation distance to another model that scored the segment, 0..1."""
    worst = np.zeros(len(segments))
    for folder in sorted((window.lake.folder / PREDICTIONS.name).glob("*/")):
        if folder.name == window.model_id:
            continue
        theirs = segments.select(KEY).join(
            window.scores(folder.name), on=KEY, how="left", maintain_order="left"
        )
        apart = np.abs(theirs.select(_P).to_numpy() - probabilities).sum(axis=1) / 2
        worst = np.fmax(worst, apart)  # NaN, where the other did not score it, says nothing
    return worst


def _impact(window: _Window, segments: pl.DataFrame) -> DoubleArray:
    """Dissatisfaction of each segment's call."""
    scored = (
        window.scores(window.model_id)
        .join(window.read(SEGMENTS, [*KEY, "start_s", "end_s"]), on=KEY)
        .join(segments.select("recording_id").unique(), on="recording_id", how="semi")
    )
    felt = scored["dissatisfaction"].to_numpy()
    lasted_s = (scored["end_s"] - scored["start_s"]).to_numpy()
    rows_of = scored.select("recording_id").with_row_index().group_by("recording_id").agg("index")
    by_call = {
        recording_id: call_dissatisfaction(felt[rows], lasted_s[rows])
        for recording_id, rows in rows_of.iter_rows()
    }
    return np.array([by_call[recording_id] for recording_id in segments["recording_id"]])


def _only(table: pa.Table, recordings: pa.Array[Any]) -> pa.Table:
    return table.filter(pc.is_in(table["recording_id"], recordings))


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))
