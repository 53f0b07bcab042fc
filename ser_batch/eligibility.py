"""Which channels of the calls at hand may be scored, and why the others may not.

The rule itself is `ser_batch.law`; here it meets the tables.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from ser_batch.config import LawSettings
from ser_batch.law import why_not_scored
from ser_batch.tables import column

_WHAT_DECIDES = ["role", "notice_given", "objected"]
_CALL_COLUMNS = ["recording_id", "roles", "single_role", "notice_given", "objected"]
_RECORDING_COLUMNS = ["recording_id", "n_channels", "dual_mono"]
CHANNEL_SCORING = pa.schema(
    [
        column("recording_id", pa.string(), "digest of the audio bytes"),
        column("channel", pa.int8(), "channel in the file, from 0"),
        column("role", pa.string(), "who speaks: agent, customer or unknown"),
        column(
            "not_scored_reason",
            pa.string(),
            "code of the reason why it carries no emotion; null: it may be scored",
            nullable=True,
        ),
    ]
)
"""Columns of what `channel_scoring` returns."""


def channel_scoring(calls: pa.Table, recordings: pa.Table, settings: LawSettings) -> pa.Table:
    """Role of each channel, and the code of the reason why it carries no emotion.

    A two-channel recording has two rows. A one-channel recording, or one whose two channels carry
    the same signal, has one row: channel 0 in the call's `single_role`. Recordings without a call
    have none.

    Args:
        calls: rows of the table `calls`
        recordings: rows of the table `recordings`
        settings: whether silence about notice counts as no

    Returns:
        the columns of `CHANNEL_SCORING`, sorted by recording_id and channel
    """
    joined = _frame(calls.select(_CALL_COLUMNS)).join(
        _frame(recordings.select(_RECORDING_COLUMNS)), on="recording_id"
    )
    two_sided = (pl.col("n_channels") == 2) & ~pl.col("dual_mono")
    first, second = (pl.col("roles").list.get(side, null_on_oob=True) for side in (0, 1))
    sides = pl.concat(
        [
            joined.with_columns(
                channel=pl.lit(0),
                role=pl.when(two_sided).then(first).otherwise(pl.col("single_role")),
            ),
            joined.filter(two_sided).with_columns(channel=pl.lit(1), role=second),
        ]
    ).with_columns(pl.col("role").fill_null("unknown"))
    scored = sides.join(
        _reasons(sides, settings), on=_WHAT_DECIDES, how="left", nulls_equal=True
    ).sort("recording_id", "channel")
    return scored.select(CHANNEL_SCORING.names).to_arrow().cast(CHANNEL_SCORING)


def _reasons(sides: pl.DataFrame, settings: LawSettings) -> pl.DataFrame:
    """The rule, asked once for each combination that occurs."""
    combinations = sides.select(_WHAT_DECIDES).unique()
    reasons = [
        why_not_scored(role, notice_given=notice_given, objected=objected, settings=settings)
        for role, notice_given, objected in combinations.iter_rows()
    ]
    return combinations.with_columns(not_scored_reason=pl.Series(reasons, dtype=pl.String))


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))
