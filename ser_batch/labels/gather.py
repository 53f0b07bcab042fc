"""Labels that may be used, each with its caller and what it is used for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.arrays import FloatArray
from ser_batch.config import Settings
from ser_batch.features.sets import FeatureSet
from ser_batch.labels.callers import caller_of, is_held_out
from ser_batch.labels.candidates import KEY, channel_reasons
from ser_batch.labels.history import SoftLabel, blind, soft_labels
from ser_batch.labels.segment_name import SegmentKey, segment_key
from ser_batch.labels.selection import RANDOM
from ser_batch.scoring.histograms import LINE_MEASURES
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    LABEL_QUEUE,
    LABELS,
    RECORDINGS,
    SEGMENTS,
    TRANSCRIPTS,
    features_contract,
)

Use = Literal["learn", "measure", "neither"]
SEX_ATTRIBUTES = ("sex", "gender", "customer_sex", "customer_gender")
LEAST_OVERLAP = 0.8
"""Least overlap of a labelled span with a segment cut later, for the label to hold for it."""

SNR_BANDS = ((15.0, "below 15 dB"), (25.0, "15 to 25 dB"), (float("inf"), "25 dB and above"))


@dataclass(frozen=True)
class UsableLabel:
    """A segment that annotators named an emotion of, and the call that it belongs to.

    Attributes:
        soft: what the annotators say
        caller: who speaks
        use: models learn from it; they are measured by it (drawn by chance, the caller held out);
            or neither (the caller held out, but not drawn by chance)
        slices: what figures are split by: queue, sex, codec, language, SNR
        line: of its channel, in the order of `LINE_MEASURES`, NaN where it is not known
    """

    soft: SoftLabel
    caller: str
    use: Use
    slices: dict[str, str]
    line: tuple[float, ...]

    @property
    def key(self) -> SegmentKey:
        """The segment."""
        return self.soft.key

    @property
    def majority(self) -> str | None:
        """The emotion that most annotators name."""
        return self.soft.majority


def usable_labels(lake: Lake, settings: Settings) -> list[UsableLabel]:
    """The labels of customers that may be scored as the law stands now, in order of the key.

    What a model is measured by is what was said without knowing what it says: a review of a call
    counts where models learn, and changes neither which segments measure them nor their labels.
    """
    rows = lake.read(LABELS)
    labels, unprompted = soft_labels(rows), soft_labels(blind(rows))
    if not labels:
        return []
    recordings = sorted({key[0] for key in labels})
    reasons = channel_reasons(lake, settings, recordings)
    allowed = set(
        reasons.filter(pl.col("not_scored_reason").is_null()).select(*KEY[:2]).iter_rows()
    )
    calls = _calls(lake, recordings)
    queue = lake.read(LABEL_QUEUE, columns=[*KEY, "reason"]).to_pylist()
    by_chance = {tuple(row[name] for name in KEY) for row in queue if row["reason"] == RANDOM}
    share = settings.labels.held_out_share
    usable = []
    for key, soft in labels.items():
        if key[:2] not in allowed:
            continue
        call = calls[key[0]]
        caller = caller_of(call["customer"], key[0])
        use = _use(
            held_out=is_held_out(caller, share), by_chance=key in by_chance and key in unprompted
        )
        line = call["lines"].get(key[1], {})
        said = unprompted[key] if use == "measure" else soft
        usable.append(
            UsableLabel(said, caller, use, _slices(call, line.get("snr_db")), _line(line))
        )
    return usable


def held_out_recordings(lake: Lake, share: float) -> pa.Array[Any]:
    """Recordings of callers that models are measured by and never learn from."""
    calls = lake.read(CALLS, columns=["recording_id", "customer"]).to_pylist()
    return pa.array(
        [
            call["recording_id"]
            for call in calls
            if is_held_out(caller_of(call["customer"], call["recording_id"]), share)
        ],
        pa.string(),
    )


def labelled_shards(lake: Lake, labels: Sequence[UsableLabel]) -> list[Part]:
    """The shards that hold the calls of some labels."""
    wanted = pa.array(sorted({label.key[0] for label in labels}), pa.string())
    return [
        part
        for part in lake.parts(CALLS)
        if pc.any(
            pc.is_in(lake.read(CALLS, [part], ["recording_id"])["recording_id"], wanted)
        ).as_py()
    ]


def features_of(
    lake: Lake, labels: Sequence[UsableLabel], feature_set: FeatureSet
) -> dict[SegmentKey, FloatArray]:
    """Features of what annotators labelled, of the labels for which there are any.

    Where segments were cut otherwise since, a label holds for the segment of the same channel
    that covers nearly the same span.
    """
    contract = features_contract(feature_set.name, feature_set.names)
    by_channel = _by_channel(labels)
    found: dict[SegmentKey, FloatArray] = {}
    for part in labelled_shards(lake, labels):
        if (lake.tags(contract, part) or {}).get("feature_set") != feature_set.digest:
            continue
        matched = _matched(lake, part, by_channel)
        table = lake.read(contract, [part])
        keys = zip(*(table[name].to_pylist() for name in KEY), strict=True)
        rows = [(i, matched[key]) for i, key in enumerate(keys) if key in matched]
        taken = pl.DataFrame(pl.from_arrow(table.take([i for i, _ in rows])))
        matrix = taken.select(feature_set.names).to_numpy()
        found |= {key: matrix[i] for i, (_, key) in enumerate(rows)}
    return found


def texts_of(lake: Lake, labels: Sequence[UsableLabel]) -> dict[SegmentKey, str]:
    """What is said in what annotators labelled, of the labels whose segments have words."""
    by_channel = _by_channel(labels)
    found: dict[SegmentKey, str] = {}
    for part in labelled_shards(lake, labels):
        matched = _matched(lake, part, by_channel)
        for row in lake.read(TRANSCRIPTS, [part], [*KEY, "text"]).to_pylist():
            key = matched.get(segment_key(row))
            if key is not None and row["text"]:
                found[key] = row["text"]
    return found


def _by_channel(labels: Sequence[UsableLabel]) -> dict[tuple[str, int], list[SoftLabel]]:
    by_channel: dict[tuple[str, int], list[SoftLabel]] = defaultdict(list)
    for label in labels:
        by_channel[label.key[:2]].append(label.soft)
    return by_channel


def _matched(
    lake: Lake, part: Part, by_channel: Mapping[tuple[str, int], Sequence[SoftLabel]]
) -> dict[SegmentKey, SegmentKey]:
    """Segments of now → the labels that hold for them."""
    return {
        segment_key(row): soft.key
        for row in lake.read(SEGMENTS, [part], [*KEY, "start_s", "end_s"]).to_pylist()
        for soft in by_channel.get((row["recording_id"], row["channel"]), ())
        if _overlap(soft, row["start_s"], row["end_s"]) >= LEAST_OVERLAP
    }


def _overlap(soft: SoftLabel, start_s: float, end_s: float) -> float:
    """Seconds that two spans share, over those that either covers."""
    shared = min(soft.end_s, end_s) - max(soft.start_s, start_s)
    return max(0.0, shared) / (max(soft.end_s, end_s) - min(soft.start_s, start_s))


def _use(*, held_out: bool, by_chance: bool) -> Use:
    if not held_out:
        return "learn"
    return "measure" if by_chance else "neither"


def _calls(lake: Lake, recordings: list[str]) -> dict[str, dict[str, Any]]:
    """What is known of some calls, by recording."""
    ids = pa.array(recordings, pa.string())
    wanted = {
        CALLS: ["recording_id", "customer", "queue", "language", "attributes"],
        RECORDINGS: ["recording_id", "codec"],
        CHANNELS: ["recording_id", "channel", *LINE_MEASURES],
    }
    calls, files, channels = (
        _only(lake.read(contract, columns=columns), ids) for contract, columns in wanted.items()
    )
    known: dict[str, dict[str, Any]] = {row["recording_id"]: {**row, "lines": {}} for row in calls}
    for row in files:
        known[row["recording_id"]]["codec"] = row["codec"]
    for row in channels:
        known[row["recording_id"]]["lines"][row["channel"]] = row
    return known


def _slices(call: dict[str, Any], snr_db: float | None) -> dict[str, str]:
    """What figures are split by, as far as it is known."""
    attributes = {name.lower(): value for name, value in call["attributes"]}
    sex = next((attributes[name] for name in SEX_ATTRIBUTES if attributes.get(name)), None)
    line = None
    if snr_db is not None:
        line = next(name for limit, name in SNR_BANDS if snr_db < limit)
    slices = {
        "queue": call["queue"],
        "sex": sex,
        "codec": call["codec"],
        "language": call["language"],
        "SNR": line,
    }
    return {name: value for name, value in slices.items() if value}


def _line(channel: Mapping[str, float | None]) -> tuple[float, ...]:
    measured = (channel.get(name) for name in LINE_MEASURES)
    return tuple(float("nan") if value is None else value for value in measured)


def _only(table: pa.Table, recordings: pa.Array[Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.filter(
        pc.is_in(table["recording_id"], recordings)
    ).to_pylist()
    return rows
