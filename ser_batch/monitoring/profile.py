"""Profile: one day's calls as histograms, in bins that never change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

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
SHARDS_AT_ONCE = 32
"""Read together: memory does not grow with the calls of a day."""
PREDICTED = ("recording_id", "is_uncertain", "dissatisfaction_voice", "emotion", "confidence")

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

    @cached_property
    def bins(self) -> tuple[tuple[tuple[str, str], int], ...]:
        """Subject, name and number of bins of each row of counts."""
        return tuple((key, len(row)) for key, row in self.counts.items())

    @cached_property
    def flat(self) -> IntArray:
        """All counts in a row."""
        return np.concatenate([np.zeros(0, np.int64), *self.counts.values()])

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
    rows = lake.read(PROFILES, [part]).combine_chunks()
    subjects, names = (rows[name].to_pylist() for name in ("subject", "name"))
    keys = [(str(subject), str(name)) for subject, name in zip(subjects, names, strict=True)]
    lengths = pc.list_value_length(rows["counts"]).to_pylist()
    flat = pc.list_flatten(rows["counts"]).to_numpy()
    counts = rows["count_calls"].to_pylist()
    n_calls = {subject: int(n or 0) for (subject, _), n in zip(keys, counts, strict=True)}
    return DayProfile(_cut(flat, zip(keys, lengths, strict=True)), n_calls)


def summed(profiles: Iterable[DayProfile]) -> DayProfile:
    """The counts of some days together."""
    alike: dict[tuple[tuple[tuple[str, str], int], ...], IntArray] = {}
    n_calls: dict[str, int] = defaultdict(int)
    for profile in profiles:
        before = alike.get(profile.bins)
        alike[profile.bins] = profile.flat if before is None else before + profile.flat
        for subject, count in profile.n_calls.items():
            n_calls[subject] += count
    counts: Counts = {}
    for bins, flat in alike.items():
        for key, more in _cut(flat, bins).items():
            counts[key] = counts[key] + more if key in counts else more
    return DayProfile(counts, dict(n_calls))


def _cut(flat: IntArray, bins: Iterable[tuple[tuple[str, str], int]]) -> Counts:
    """Counts in a row as rows of bins."""
    counts, start = {}, 0
    for key, n_bins in bins:
        counts[key] = flat[start : start + n_bins]
        start += n_bins
    return counts


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
    """Count one day's calls.

    Args:
        lake: the lake
        shards: of the day
        model_id: whose scores are counted
        reference: bins of the features; None: they are not counted
        settings: whose voice is scored, and what counts as dissatisfied
        known: an earlier profile of the same features, which are then not read
    """
    starts = range(0, max(len(shards), 1), SHARDS_AT_ONCE)
    profile = summed(
        _profile_calls(lake, shards[start : start + SHARDS_AT_ONCE], model_id, settings)
        for start in starts
    )
    if known is not None:
        counts = {key: row for key, row in known.counts.items() if key[0] == FEATURES}
        n_calls = {subject: n for subject, n in known.n_calls.items() if subject == FEATURES}
        return DayProfile(profile.counts | counts, profile.n_calls | n_calls)
    if reference is None:
        return profile
    features = summed(_profile_features(lake, shard, reference, settings) for shard in shards)
    return DayProfile(profile.counts | features.counts, profile.n_calls | features.n_calls)


def _profile_calls(
    lake: Lake, shards: Sequence[Part], model_id: str, settings: Settings
) -> DayProfile:
    """All but the features of some shards."""
    calls, recordings = lake.read(CALLS, shards), lake.read(RECORDINGS, shards)
    scoring = _frame(channel_scoring(calls, recordings, settings.policy))
    predictions = _frame(lake.read(predictions_contract(model_id), shards, PREDICTED))
    counts: Counts = {("coverage", name): row for name, row in _coverage(_frame(calls), scoring)}
    counts["coverage", UNSURE] = uncertain_counts(predictions["is_uncertain"])
    by_voice = predictions["dissatisfaction_voice"]  # as the training data's; words come and go
    scores = score_counts(predictions["emotion"].to_list(), predictions["confidence"], by_voice)
    counts |= {("scores", name): row for name, row in scores.items()}
    channels = _frame(lake.read(CHANNELS, shards))
    counts |= {("line", name): row for name, row in _line(channels, scoring, _frame(recordings))}
    n_scored = predictions["recording_id"].n_unique()
    return DayProfile(counts, {"coverage": len(calls), "scores": n_scored, "line": n_scored})


def _profile_features(
    lake: Lake, shard: Part, reference: Reference, settings: Settings
) -> DayProfile:
    """The features of a shard: thousands of numbers a segment, so a day's are not held at once."""
    feature_set = get_feature_set(settings.features.set)
    contract = features_contract(feature_set.name, feature_set.names)
    keys, matrix = lake.read_matrix(contract, shard)
    binned = reference.counts(matrix, feature_set.names)
    counts = {(FEATURES, name): row for name, row in zip(reference.names, binned, strict=True)}
    return DayProfile(counts, {FEATURES: pc.count_distinct(keys["recording_id"]).as_py()})


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
    all_channels: pl.DataFrame, scoring: pl.DataFrame, recordings: pl.DataFrame
) -> Iterator[tuple[str, IntArray]]:
    """Customers' channels by how the line is."""
    allowed = scoring.filter(pl.col("not_scored_reason").is_null())
    channels = all_channels.join(
        allowed.select("recording_id", "channel"), on=["recording_id", "channel"]
    )
    for name, edges in LINE_EDGES.items():
        yield name, binned(channels[name].to_numpy(), edges)
    codecs = channels.select("recording_id").join(recordings, on="recording_id")["codec"]
    yield "codec", categories(codecs.to_list(), CODECS)


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))
