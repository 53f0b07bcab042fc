"""Every recipe runs on a month of calls, and answers its question."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ser_batch.config import Settings
from ser_batch.errors import QueryError
from ser_batch.store.lake import Lake
from ser_batch.tables import QUARANTINE, RUNS, predictions_contract
from ser_batch.testing.lakes import MODEL_ID, call_rows, put, put_rows, put_weeks
from ser_batch.testing.rows import MIDDAY, bad_file, prediction, run
from ser_batch.warehouse import build, connect, query
from ser_batch.warehouse.cookbook import recipe, recipes

WITHOUT_ROWS_HERE = {"queues_worse_this_week", "what_annotators_would_find"}
"""Select nothing in a month without labels in which nothing got worse."""


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cookbook")
    lake = Lake(folder / "lake")
    put_weeks(lake)
    levels = {"first": 0.1, "second": 0.9, "third": 0.95}
    put_rows(
        lake,
        *(
            call_rows(
                *(
                    {
                        **prediction(segment_no=n, anger=level, neutral=1 - level),
                        "dissatisfaction_words": 0.7 if n == 1 else None,
                    }
                    for n, level in enumerate((anger, anger, 0.2))
                ),
                recording_id=name,
                customer="caller",
                started_at=MIDDAY + dt.timedelta(minutes=number),
                attributes=[("wait_s", str(90 * number)), ("product", "fibre")],
            )
            for number, (name, anger) in enumerate(levels.items())
        ),
    )
    put(lake, predictions_contract("other"), prediction("first"), name="shard-first")
    put(lake, RUNS, run())
    put(lake, QUARANTINE, bad_file(), bad_file("second.wav"))
    target = folder / "calls.duckdb"
    build(lake, target, model_id=MODEL_ID, settings=Settings())
    return target


@pytest.mark.parametrize("name", [found.name for found in recipes()])
def test_a_recipe_runs_and_has_rows(month, name):
    found = recipe(name)
    assert found.question.endswith((".", "?", ")"))
    assert found.sql.startswith("-- question: ")
    with connect(month) as con:
        rows = query(con, found.sql)
    assert rows.num_rows or name in WITHOUT_ROWS_HERE


def answer(month: Path, name: str) -> list[dict]:
    with connect(month) as con:
        return query(con, recipe(name).sql).to_pylist()


def test_repeat_customers_are_compared_first_with_last(month, tmp_path):
    [few] = answer(month, "first_against_last_call")
    assert (few["count_customers"], few["change"]) == (1, None)
    lake, target = Lake(tmp_path / "lake"), tmp_path / "calls.duckdb"
    changes = (0.1, 0.2, 0.3, 0.2, 0.3, 0.4)
    put_rows(
        lake,
        *(
            call_rows(
                prediction(dissatisfaction=0.2 + is_last * change),
                recording_id=f"{number}-{is_last}",
                customer=f"c{number}",
                started_at=MIDDAY - dt.timedelta(days=number % 3 + 7 * (1 - is_last)),
            )
            for number, change in enumerate(changes)
            for is_last in (0, 1)
        ),
    )
    build(lake, target, model_id=MODEL_ID, settings=Settings())
    [row] = answer(target, "first_against_last_call")
    by_date = [np.mean(changes[day::3]) for day in range(3)]
    half = stats.t.ppf(0.975, 2) * stats.sem(by_date)
    assert row["change"] == pytest.approx(0.25)
    assert (row["change_low"], row["change_high"]) == pytest.approx(
        (0.25 - half, 0.25 + half), abs=0.02
    )


def test_customers_who_were_dissatisfied_twice_are_found(month):
    [row] = answer(month, "customers_dissatisfied_again")
    assert (row["customer"], row["count_dissatisfied_calls"]) == ("caller", 2)
    assert row["worst_call_id"] == "call-third"


def test_what_is_said_and_how_it_sounds_disagree_in_one_segment(month):
    [row] = answer(month, "where_words_and_voice_disagree")
    assert (row["call_id"], row["start_s"]) == ("call-first", 10)
    assert (row["dissatisfaction_voice"], row["dissatisfaction_words"]) == pytest.approx((0.1, 0.7))
    assert row["words_less_voice"] == pytest.approx(0.6)
    with connect(month) as con:
        of_call = query(
            con,
            """
            select dissatisfaction_voice, dissatisfaction_words
            from call_summary where call_id = 'call-first'
        """,
        )
    assert of_call.to_pylist() == [
        {
            "dissatisfaction_voice": pytest.approx(0.4 / 3, abs=1e-3),
            "dissatisfaction_words": pytest.approx(0.7),
        }
    ]


def test_waits_are_put_into_classes(month):
    assert [
        (row["wait"], row["count_scored_calls"]) for row in answer(month, "dissatisfaction_by_wait")
    ] == [("a: under 30 s", 1), ("b: 30 s to 2 min", 1), ("c: 2 to 5 min", 1)]


def test_cells_of_few_calls_are_counted_and_their_figures_withheld(month):
    rows = answer(month, "dissatisfaction_by_wait")
    assert {row["dissatisfied_call_share"] for row in rows} == {None}
    assert {row["dissatisfaction"] for row in rows} == {None}


def test_recovered_calls_are_among_those_with_a_dissatisfied_interval(month):
    with connect(month) as con:
        expected = con.execute(
            "select queue, count(*), count(recovery_s) from call_summary"
            " where dissatisfied_share > 0"
            " and call_date > (select max(call_date) from call_summary) - 28 group by queue"
        ).fetchall()
    found = answer(month, "time_to_recover")
    counts = {row["queue"]: (row["count_calls"], row["count_recovered_calls"]) for row in found}
    assert counts == {queue: (n_calls, n_recovered) for queue, n_calls, n_recovered in expected}
    assert all(0 < n_recovered < n_calls for n_calls, n_recovered in counts.values())


def test_longer_holds_go_with_more_dissatisfied_calls(month):
    """As in the helper's calls."""
    shares = [row["dissatisfied_call_share"] for row in answer(month, "long_holds_before_anger")]
    assert len(shares) == 3
    assert shares[0] < shares[-1]


def test_shares_of_the_unscored_sum_to_one(month):
    rows = answer(month, "not_scored_and_why")
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert {row["what"] for row in rows} == {"scored", "the customer objected"}


def test_the_queue_that_got_worse_is_found(month):
    """The helper's billing queue doubles in its last seven days."""
    assert "billing" in {row["queue"] for row in answer(month, "queues_worse_this_week")}


def test_other_measures_rank_the_queues_again(month):
    rows = answer(month, "queues_by_other_measures")
    by_index = {row["queue"]: row for row in rows if row["measure"] == "index"}
    assert len(rows) == 5 * len(by_index)
    assert sorted(row["rank"] for row in by_index.values()) == list(range(1, len(by_index) + 1))
    with connect(month) as con:
        means = con.execute(
            "select queue, avg(dissatisfaction) from call_summary group by queue"
        ).fetchall()
    assert {queue: row["level"] for queue, row in by_index.items()} == pytest.approx(dict(means))


@pytest.fixture(scope="module")
def extremes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two calls of one queue, five of another; content or furious."""
    folder = tmp_path_factory.mktemp("extremes")
    levels = [("few", 0.9), ("few", 0.1), *(("many", level) for level in (0, 0, 0, 1, 1))]
    put_rows(
        Lake(folder / "lake"),
        *(
            call_rows(
                prediction(segment_no=0, anger=level, neutral=1 - level),
                recording_id=f"r{number}",
                queue=queue,
            )
            for number, (queue, level) in enumerate(levels)
        ),
    )
    target = folder / "calls.duckdb"
    build(Lake(folder / "lake"), target, model_id=MODEL_ID, settings=Settings())
    return target


@pytest.mark.parametrize("name", ["where_in_the_call", "longer_calls"])
def test_intervals_of_dissatisfaction_stay_within_0_and_1_and_few_calls_have_none(extremes, name):
    rows = [
        (
            row.get("count_calls", row.get("count_scored_calls")),
            [row[f"dissatisfaction{end}"] for end in ("_low", "", "_high")],
        )
        for row in answer(extremes, name)
    ]
    assert any(0 < count < Settings().report.min_calls for count, _ in rows)
    assert all(figures == [None] * 3 for count, figures in rows if count < 5)
    assert all(
        0 <= figures[0] <= figures[1] <= figures[2] <= 1 for count, figures in rows if count >= 5
    )


def test_a_misspelt_recipe_names_the_nearest():
    with pytest.raises(QueryError, match="did you mean 'worst_moments'"):
        recipe("worst_moment")


def test_there_are_at_least_fifteen():
    assert len(recipes()) >= 15
