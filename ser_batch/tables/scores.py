"""Contracts of what the model says, and of its distribution by day: predictions, drift."""

from __future__ import annotations

import pyarrow as pa

from ser_batch.dimensions import DIMENSIONS
from ser_batch.emotions import EMOTIONS
from ser_batch.tables.contract import (
    CHANNEL,
    RECORDING_ID,
    SEGMENT_KEY,
    SEGMENT_NO,
    TableContract,
    column,
)

PREDICTIONS = TableContract(
    name="predictions",
    version=3,
    grain="one row a segment and model, customers that may be scored only",
    key=SEGMENT_KEY,
    arrow=pa.schema(
        [
            RECORDING_ID,
            CHANNEL,
            SEGMENT_NO,
            column(
                "dissatisfaction",
                pa.float32(),
                "calibrated probability that listeners perceive anger or frustration, 0..1",
            ),
            column("dissatisfaction_voice", pa.float32(), "the same, by the voice alone, 0..1"),
            column(
                "dissatisfaction_words",
                pa.float32(),
                "the same, by the words alone, 0..1; null: there are none that are known",
                nullable=True,
            ),
            column("is_uncertain", pa.bool_(), "the model abstains about dissatisfaction"),
            column("emotion", pa.string(), "likeliest emotion, or uncertain"),
            column("confidence", pa.float32(), "probability of the likeliest emotion"),
            column("ood_score", pa.float32(), "unlike the training speech; above 1: uncertain"),
            *(
                column(
                    name,
                    pa.float32(),
                    f"{meaning}; null: the model was not trained for it",
                    nullable=True,
                )
                for name, meaning in DIMENSIONS.items()
            ),
            column("reasons", pa.list_(pa.string()), "what raised the likeliest emotion most"),
            *(
                column(
                    f"p_{name}",
                    pa.float32(),
                    f"calibrated probability of {name}; null where the model does not know it",
                    nullable=True,
                )
                for name in EMOTIONS
            ),
        ]
    ),
)


PROFILES = TableContract(
    name="profiles",
    version=1,
    grain="one row a call date, model and measure: histogram of the day's calls",
    key=("subject", "name"),
    arrow=pa.schema(
        [
            column("subject", pa.string(), "features, scores, coverage or line"),
            column("name", pa.string(), "what is counted"),
            column("counts", pa.list_(pa.int64()), "in each bin; the bins never change"),
            column("count_calls", pa.int32(), "calls that the counts come from"),
        ]
    ),
)


DRIFT = TableContract(
    name="drift",
    version=1,
    grain="one row a call date, model, measure and reference",
    key=("call_date", "model_id", "subject", "name", "reference"),
    arrow=pa.schema(
        [
            column("call_date", pa.date32(), "the day"),
            column("model_id", pa.string(), "whose training data and scores are meant"),
            column("subject", pa.string(), "features, scores, coverage or line"),
            column("name", pa.string(), "group of features, or what is counted"),
            column("reference", pa.string(), "training, days before, or first days of the model"),
            column(
                "psi",
                pa.float32(),
                "population stability index, 0 alike; null: not comparable",
                nullable=True,
            ),
            column(
                "psi_expected",
                pa.float32(),
                "what it is on average where nothing changed; null: not comparable",
                nullable=True,
            ),
            column(
                "count_calls",
                pa.int32(),
                "calls of the day; against the first days, of the window up to it",
            ),
            column(
                "count_calls_before",
                pa.int32(),
                "calls of the days before; null: training",
                nullable=True,
            ),
            column("status", pa.string(), "ok, warning, drift, too few or not comparable"),
            column(
                "advice",
                pa.string(),
                "what to do, or why there is no comparison; null: nothing",
                nullable=True,
            ),
        ]
    ),
)


def predictions_contract(model_id: str) -> TableContract:
    """The contract of one model's predictions."""
    return TableContract(
        name=f"predictions/{model_id}",
        version=PREDICTIONS.version,
        grain=PREDICTIONS.grain,
        key=PREDICTIONS.key,
        arrow=PREDICTIONS.arrow,
    )
