"""Which channel of a company's recordings may be learnt from: the one that may be scored."""

from __future__ import annotations

from ser_batch.config import Settings
from ser_batch.eligibility import channel_scoring
from ser_batch.labels.gather import held_out_recordings
from ser_batch.store.lake import Lake
from ser_batch.tables import CALLS, RECORDINGS


def usable_channels(lake: Lake, settings: Settings) -> dict[str, int | None]:
    """The customer's channel of each recording that the lake knows, None where none may be scored.

    Whoever objected, or was given no notice, is not learnt from either; nor are callers that models
    are measured by.

    Args:
        lake: of the root
        settings: what the law asks of the metadata, and the share of callers that measure
    """
    measuring = set(held_out_recordings(lake, settings.labels.held_out_share).to_pylist())
    scoring = channel_scoring(lake.read(CALLS), lake.read(RECORDINGS), settings.policy)
    channels: dict[str, int | None] = {}
    for row in scoring.to_pylist():
        allowed = row["not_scored_reason"] is None and row["recording_id"] not in measuring
        before = channels.get(row["recording_id"])
        channels[row["recording_id"]] = row["channel"] if allowed and before is None else before
    return channels
