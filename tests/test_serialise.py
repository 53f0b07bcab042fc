"""Rows as plain values, JSON and CSV: exact, and nothing that a program would run."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ser_batch.serialise import csv_text, plain, plain_rows, read_cell, visible

TEXTS = st.text(alphabet=st.sampled_from("=+-@'a1 ,;\"\t\n\uff1d"), max_size=8)


def cells(*values: object) -> list[str]:
    text = csv_text(["x"] * len(values), [values])
    return list(csv.reader(io.StringIO(text, newline="")))[1]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "\n=1", "\uff1d1", "'=1", "''-1"]
)
def test_a_text_that_begins_like_a_formula_has_an_apostrophe_before_it(text):
    assert cells(text) == [f"'{text}"]
    assert csv_text([text], []).lstrip('"').startswith("'")


def test_numbers_and_other_texts_stay_as_they_are():
    values = [-1, -0.5, 0.25, True, "billing", "a=b", "'t", "2026-11-03", ""]
    assert cells(*values) == [str(value) for value in values]
    assert cells(None) == [""]


@given(st.lists(TEXTS, min_size=1, max_size=4))
@example(["'=", "=", "''"])
def test_what_was_written_is_read_back(texts):
    assert [read_cell(cell) for cell in cells(*texts)] == texts


def test_control_characters_are_symbols():
    assert visible("\x1b[2J\x07\x7f\x9b1m") == "␛[2J␇␡�1m"
    assert visible("one\ttwo\nthree") == "one\ttwo\nthree"
    assert cells("\r=1+1") == ["␍=1+1"]
    assert cells("\x1b]0;name\x07", ["\x9b"]) == ["␛]0;name␇", '["�"]']


def test_a_formula_behind_a_control_character_is_none():
    assert cells("\x00=1")[0] == "␀=1"


def test_rows_have_the_digits_that_their_type_holds_and_plain_values():
    time = dt.datetime(2026, 11, 3, 12, 30)
    table = pa.table(
        {
            "single": pa.array([0.3], pa.float32()),
            "double": pa.array([0.1 + 0.2]),
            "none": pa.array([float("nan")]),
            "sum": pa.array([Decimal(12)], pa.decimal128(38, 0)),
            "time": pa.array([time]),
            "day": pa.array([time.date()]),
            "shares": pa.array([[("anger", 0.3)]], pa.map_(pa.string(), pa.float32())),
            "spans": pa.array([[{"start_s": 0.1, "n": None}]]),
        }
    )
    shares, spans = {"anger": 0.3}, [{"start_s": 0.1, "n": None}]
    [row] = plain_rows(table)
    assert row == [0.3, 0.3, None, 12, "2026-11-03T12:30:00", "2026-11-03", shares, spans]
    assert json.loads(json.dumps(row)) == row
    [kept] = plain_rows(table, keep_times=True)
    assert kept[4:6] == [time, time.date()]


def test_arrays_and_numbers_inside_other_values_are_plain():
    value = {"a": np.array([[1.23456, np.nan]], np.float32), "b": (np.int16(3), np.bool_(True))}
    assert plain(value, decimals=4) == {"a": [[1.2346, None]], "b": [3, True]}
    assert plain(value)["a"] == [[1.23456, None]]
    assert plain([float("inf"), Decimal("1.5"), dt.date(2026, 11, 3)]) == [None, 1.5, "2026-11-03"]
