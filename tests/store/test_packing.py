"""Features lie in a part as one column of descriptors and one of states, and are read as before."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ser_batch.errors import ContractError
from ser_batch.store import part_file
from ser_batch.store.drop import drop_rows
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import features_contract

DESCRIPTORS = tuple(f"level.{name}" for name in ("mean", "sd", "range"))
STATES = tuple(f"l3_mean_{number:04}" for number in range(64))
FEATURES = features_contract("a_set", (*DESCRIPTORS, *STATES))
PART = Part(dt.date(2026, 11, 3), "shard")
N_ROWS = 50


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


@pytest.fixture
def rows() -> pa.Table:
    rng = np.random.default_rng(1)
    keys = {
        "recording_id": [f"r{number // 5}" for number in range(N_ROWS)],
        "channel": pa.array([1] * N_ROWS, pa.int8()),
        "segment_no": pa.array([number % 5 for number in range(N_ROWS)], pa.int32()),
    }
    values = {name: (1e5 * rng.normal(size=N_ROWS)).astype("f4") for name in DESCRIPTORS}
    values |= {name: rng.normal(size=N_ROWS).astype("f4") for name in STATES}
    return FEATURES.conform(pa.table({**keys, **values}))


def test_descriptors_are_read_to_twelve_bits_and_states_to_eight(lake, rows):
    lake.write(FEATURES, PART, rows)
    read = lake.read(FEATURES, [PART])
    assert read.schema == FEATURES.arrow
    assert read.select(list(FEATURES.key)).equals(rows.select(list(FEATURES.key)))
    for names, n_bits in ((DESCRIPTORS, 12), (STATES, 8)):
        for name in names:
            written = rows[name].to_numpy()
            np.testing.assert_allclose(read[name].to_numpy(), written, rtol=2.0**-n_bits)
    lake.write(FEATURES, PART, read)
    assert lake.read(FEATURES, [PART]).equals(read)
    assert lake.read(FEATURES, [PART], ["segment_no", STATES[3]]).column_names[1] == STATES[3]


def test_a_part_without_rows_is_read(lake):
    lake.write(FEATURES, PART, FEATURES.empty())
    assert lake.read(FEATURES, [PART]).equals(FEATURES.empty())


def test_a_part_with_a_column_a_feature_is_read(lake, rows):
    path = lake.path(FEATURES, PART)
    path.parent.mkdir(parents=True)
    path.write_bytes(part_file.encode(rows, version=1, tags={}))
    assert lake.read(FEATURES, [PART]).equals(rows)


def test_columns_of_another_definition_are_refused(lake, rows):
    lake.write(FEATURES, PART, rows)
    renamed = features_contract("a_set", (*reversed(DESCRIPTORS), *STATES))
    with pytest.raises(ContractError, match="other columns"):
        lake.read(replace(renamed, name=FEATURES.name), [PART])


def test_rows_of_an_erased_call_are_dropped_and_the_others_stay(lake, rows):
    lake.write(FEATURES, PART, rows, {"content": "c"})
    before = lake.read(FEATURES, [PART])
    drop_rows(lake, ["recording_id"], lambda table: pc.equal(table["recording_id"], "r3"))
    kept = before.filter(pc.not_equal(before["recording_id"], "r3"))
    assert lake.read(FEATURES, [PART]).equals(kept)
    assert lake.tags(FEATURES, PART) == {"content": "c"}


def test_numbers_are_read_as_a_matrix_without_a_column_each(lake, rows):
    lake.write(FEATURES, PART, rows)
    keys, matrix = lake.read_matrix(FEATURES, PART)
    read = lake.read(FEATURES, [PART])
    assert keys.equals(read.select(list(FEATURES.key)).replace_schema_metadata(None))
    columns = np.stack([read[name].to_numpy() for name in (*DESCRIPTORS, *STATES)], axis=1)
    assert np.array_equal(matrix, columns)
    unpacked = replace(FEATURES, packed=())
    lake.write(unpacked, PART, rows)
    assert np.array_equal(
        lake.read_matrix(FEATURES, PART)[1],
        np.stack([rows[name].to_numpy() for name in (*DESCRIPTORS, *STATES)], axis=1),
    )
    assert lake.read_matrix(FEATURES, Part(PART.date, "other"))[1].shape == (0, 67)
