"""Profile: one day's calls as histograms, in bins that never change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.arrays import IntArray
from ser_batch.config import Settings
from ser_batch.eligibility import channel_scoring
from ser_batch.features.sets import get_feature_set
from ser_batch.monitoring.reference import Reference
from ser_batch.policy import NOT_SCORED
from ser_batch.scoring.histograms import (
    LINE_EDGES,
    binned,
    categories,
    score_counts,
    uncertain_counts,
)
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    PROFILES,
    RECORDINGS,
    TableContract,
    features_contract,
    predictions_contract,
)

CODECS = ("ULAW", "ALAW", "PCM_16", "PCM_U8", "MPEG_LAYER_III", "OPUS", "VORBIS")
FEATURES = "features"
SCORED = "scored"
UNSURE = "uncertain segments"

Counts = dict[tuple[str, str], IntArray]


@dataclass(frozen=True)
class DayProfile:
    """A day's counts.

    Attributes:
        counts: by subject and name, shape (n_bins,) each
        n_calls: calls that each subject's counts come from
    """

    counts: Counts
    n_calls: dict[str, int]

    def rows(self) -> pa.Table:
        """Rows of `profiles`."""
        return PROFILES.from_rows(
            {
                "subject": subject,
                "name": name,
                "counts": counts.tolist(),
                "count_calls": self.n_calls[subject],
            }
            for (subject, name), counts in self.counts.items()
        )


def read_profile(lake: Lake, part: Part) -> DayProfile:
    """A day's counts from the lake."""
    rows = lake.read(PROFILES, [part]).to_pylist()
    counts = {(row["subject"], row["name"]): np.array(row["counts"], np.int64) for row in rows}
    return DayProfile(counts, {row["subject"]: row["count_calls"] for row in rows})


def summed(profiles: Iterable[DayProfile]) -> DayProfile:
    """The counts of some days together."""
    counts: Counts = {}
    n_calls: dict[str, int] = defaultdict(int)
    for profile in profiles:
        for key, more in profile.counts.items():
            counts[key] = counts[key] + more if key in counts else more
        for subject, count in profile.n_calls.items():
            n_calls[subject] += count
    return DayProfile(counts, dict(n_calls))


def sources(model_id: str, settings: Settings) -> tuple[TableContract, ...]:
    """Tables that a profile is made from."""
    feature_set = get_feature_set(settings.features.set)
    features = features_contract(feature_set.name, feature_set.names)
    return CALLS, RECORDINGS, CHANNELS, features, predictions_contract(model_id)


def profile_day(
    lake: Lake,
    shards: Sequence[Part],
    model_id: str,
    reference: Reference | None,
    settings: Settings,
    *,
    known: DayProfile | None = None,
) -> DayProfile:
    """Count one day's calls, a shard at a time.

    Args:
        lake: the lake
        shards: of the day
        model_id: whose scores are counted
        reference: bins of the features; None: they are not counted
        settings: whose voice is scored, and what counts as dissatisfied
        known: an earlier profile of the same features, which are then not read
    """
    if known is None:
        return summed(
            _profile_shard(lake, shard, model_id, reference, settings) for shard in shards
        )
    rest = summed(_profile_shard(lake, shard, model_id, None, settings) for shard in shards)
    counts = {key: row for key, row in known.counts.items() if key[0] == FEATURES}
    n_calls = {subject: n for subject, n in known.n_calls.items() if subject == FEATURES}
    return DayProfile(rest.counts | counts, rest.n_calls | n_calls)


def _profile_shard(
    lake: Lake, shard: Part, model_id: str, reference: Reference | None, settings: Settings
) -> DayProfile:
    calls, recordings = lake.read(CALLS, [shard]), lake.read(RECORDINGS, [shard])
    scoring = _frame(channel_scoring(calls, recordings, settings.policy))
    predictions = _frame(lake.read(predictions_contract(model_id), [shard]))
    counts: Counts = {("coverage", name): row for name, row in _coverage(_frame(calls), scoring)}
    counts["coverage", UNSURE] = uncertain_counts(predictions["is_uncertain"])
    by_voice = predictions["dissatisfaction_voice"]  # as the training data's; words come and go
    scores = score_counts(predictions["emotion"].to_list(), predictions["confidence"], by_voice)
    counts |= {("scores", name): row for name, row in scores.items()}
    counts |= {("line", name): row for name, row in _line(lake, shard, scoring, _frame(recordings))}
    n_scored = predictions["recording_id"].n_unique()
    n_calls = {"coverage": len(calls), "scores": n_scored, "line": n_scored}
    if reference is not None:
        feature_set = get_feature_set(settings.features.set)
        contract = features_contract(feature_set.name, feature_set.names)
        keys, matrix = lake.read_matrix(contract, shard)
        binned = reference.counts(matrix, feature_set.names)
        counts |= {(FEATURES, name): row for name, row in zip(reference.names, binned, strict=True)}
        n_calls[FEATURES] = pc.count_distinct(keys["recording_id"]).as_py()
    return DayProfile(counts, n_calls)


def _coverage(calls: pl.DataFrame, scoring: pl.DataFrame) -> Iterator[tuple[str, IntArray]]:
    """Calls by what becomes of them."""
    reasons = scoring.filter(pl.col("role") != "agent").select(
        "recording_id", pl.col("not_scored_reason").fill_null(SCORED).alias("reason")
    )
    outcome = calls.select("recording_id").join(reasons, on="recording_id", how="left")
    yield "why not scored", categories(outcome["reason"].to_list(), (SCORED, *NOT_SCORED))
    found = calls["metadata_found"].cast(pl.String).to_list()
    yield "metadata", categories(found, ("true", "false"))


def _line(
    lake: Lake, shard: Part, scoring: pl.DataFrame, recordings: pl.DataFrame
) -> Iterator[tuple[str, IntArray]]:
    """Customers' channels by how the line is."""
    allowed = scoring.filter(pl.col("not_scored_reason").is_null())
    channels = _frame(lake.read(CHANNELS, [shard])).join(
        allowed.select("recording_id", "channel"), on=["recording_id", "channel"]
    )
    for name, edges in LINE_EDGES.items():
        yield name, binned(channels[name].to_numpy(), edges)
    codecs = channels.select("recording_id").join(recordings, on="recording_id")["codec"]
    yield "codec", categories(codecs.to_list(), CODECS)


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))
