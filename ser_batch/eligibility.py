"""Which channels of the calls at hand may be scored, and why the others may not.

The rule itself is `ser_batch.policy`; here it meets the tables.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from ser_batch.config import PolicySettings
from ser_batch.policy import channel_roles, why_not_scored
from ser_batch.tables import column

_OF_CALL = ["roles", "single_role", "first_speaker", "notice_given", "objected"]
_OF_RECORDING = ["n_channels", "dual_mono", "diarized"]
_WHAT_DECIDES = [*_OF_CALL, *_OF_RECORDING]
CHANNEL_SCORING = pa.schema(
    [
        column("recording_id", pa.string(), "digest of the audio bytes"),
        column("channel", pa.int8(), "channel in the file, or voice in the only one, from 0"),
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


def channel_scoring(calls: pa.Table, recordings: pa.Table, settings: PolicySettings) -> pa.Table:
    """Role of each channel, and the code of the reason why it carries no emotion.

    A two-channel recording has two rows. A one-channel recording, or one whose two channels carry
    the same signal, has one row: channel 0 in the call's `single_role`; or two if two voices were
    diarized in it. Recordings without a call have none.

    Args:
        calls: rows of the table `calls`
        recordings: rows of the table `recordings`
        settings: whether silence about notice counts as no

    Returns:
        the columns of `CHANNEL_SCORING`, sorted by recording_id and channel
    """
    joined = _frame(calls.select(["recording_id", *_OF_CALL])).join(
        _frame(recordings.select(["recording_id", *_OF_RECORDING])), on="recording_id"
    )
    keyed = joined.with_columns(pl.col("roles").list.join("|").alias("roles"))
    scored = keyed.join(_answers(keyed, settings), on=_WHAT_DECIDES, nulls_equal=True)
    return (
        scored.select(CHANNEL_SCORING.names)
        .sort("recording_id", "channel")
        .to_arrow()
        .cast(CHANNEL_SCORING)
    )


def _answers(keyed: pl.DataFrame, settings: PolicySettings) -> pl.DataFrame:
    """The rule, asked once for each combination that occurs: a row a combination and channel."""
    combinations = keyed.select(_WHAT_DECIDES).unique()
    rows = []
    for combination in combinations.iter_rows(named=True):
        roles = channel_roles(
            combination["roles"].split("|"),
            combination["single_role"],
            combination["first_speaker"],
            n_channels=combination["n_channels"],
            dual_mono=combination["dual_mono"],
            diarized=combination["diarized"],
        )
        for channel, role in enumerate(roles):
            reason = why_not_scored(
                role,
                notice_given=combination["notice_given"],
                objected=combination["objected"],
                settings=settings,
            )
            answer = {"channel": channel, "role": role, "not_scored_reason": reason}
            rows.append({**combination, **answer})
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        **combinations.schema,
        "channel": pl.Int8,
        "role": pl.String,
        "not_scored_reason": pl.String,
    }
    return pl.DataFrame(rows, schema=schema)


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))
