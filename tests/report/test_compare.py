"""Two periods, or a queue and the others: figures of the trend, and a finding in a sentence."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ser_batch.errors import ChoiceError
from ser_batch.report.compare import Asked, Comparison, Days, compare, parse_days
from ser_batch.resources import sql_folder
from ser_batch.testing.lakes import TODAY
from ser_batch.warehouse import connect
from ser_batch.warehouse.models import bind_macros, read_blueprint

pytestmark = pytest.mark.xdist_group("report")


def day(ago: int) -> dt.date:
    return TODAY - dt.timedelta(days=ago)


@pytest.fixture(scope="module")
def month(reported: Path):
    """Five weeks of calls; the billing queue gets worse in the last seven days."""
    with connect(reported.parents[1] / "warehouse" / "calls.duckdb") as con:
        yield con


def compared(calls: list[tuple[int, int, str, int, int]], asked: Asked) -> Comparison:
    """Compare calls that are given as days ago, hour, queue, dissatisfied calls and all calls."""
    blueprint = read_blueprint(sql_folder())
    [correlation] = [model for model in blueprint.models if model.name == "stg_date_correlation"]
    rows = [
        {
            "call_date": day(ago),
            "hour": hour,
            "queue": queue,
            "customer": f"{ago}-{hour}-{queue}-{number}",
            "is_dissatisfied": number < n_bad,
            "dissatisfaction": 0.9 if number < n_bad else 0.1,
        }
        for ago, hour, queue, n_bad, n_calls in calls
        for number in range(n_calls)
    ]
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute(bind_macros(blueprint.macros, min_calls=5))
        con.register("given", pa.Table.from_pylist(rows))
        con.execute("create table call_summary as from given")
        con.execute(f"create table {correlation.name} as {correlation.sql}")
        con.execute(blueprint.functions)
        return compare(con, asked)


@pytest.mark.parametrize("queue", [None, "billing", "technical"])
def test_this_week_against_last_gives_the_figures_of_the_trend(month, queue):
    found = compare(month, Asked(queue=queue)).figures
    [row] = month.execute(
        f"select {', '.join(found)} from trend where call_date = ? and window_days = 7"
        " and scope = if(?::varchar is null, 'all', 'queue') and queue is not distinct from ?",
        [TODAY, queue, queue],
    ).fetchall()
    assert found == pytest.approx(dict(zip(found, row, strict=True)), abs=2e-6)  # it is rounded


def test_a_queue_that_got_worse_on_a_day_is_found_and_its_neighbour_is_not(month):
    worse = compare(month, Asked(on=day(6), queue="billing"))
    assert worse.sentence.startswith("Worse, beyond chance: ")
    assert (worse.after, worse.before) == (Days(day(6), TODAY), Days(day(34), day(7)))
    assert compare(month, Asked(on=day(6), queue="technical")).finding == "no difference"


def test_a_queue_is_compared_with_the_others_in_the_same_days(month):
    found = compare(month, Asked(queue="billing", others=True))
    assert (found.finding, found.before) == ("worse", None)
    [(n_own, n_others)] = month.execute(
        "select count(*) filter (queue = 'billing'), count(*) - count(*) filter (queue = 'billing')"
        " from call_summary where dissatisfaction is not null and call_date > ?",
        [day(7)],
    ).fetchall()
    counts = (found.figures["count_scored_calls"], found.figures["count_scored_calls_before"])
    assert counts == (n_own, n_others)
    earlier = Asked(queue="billing", others=True, after=Days(day(34), day(7)))
    assert compare(month, earlier).finding == "no difference"


def test_more_calls_of_a_bad_hour_are_no_change():
    calls = [(ago, 9, "only", 8, 16) for ago in range(7, 14)]
    calls += [(ago, 15, "only", 1, 4) for ago in range(7, 14)]
    calls += [(ago, 9, "only", 2, 4) for ago in range(7)]
    calls += [(ago, 15, "only", 4, 16) for ago in range(7)]
    found = compared(calls, Asked())
    assert found.figures["change"] == pytest.approx(6 / 20 - 9 / 20)
    assert found.figures["adjusted_change"] == pytest.approx(0)
    assert found.finding == "no difference"


def test_days_that_are_bad_in_all_queues_do_not_hide_that_one_is_worse():
    """Both queues are in the same days: what the days share is no uncertainty of the difference."""
    bad = [0, 1, 9, 2, 8, 3, 7]
    calls = [(ago, 12, "worse", bad[ago] + 3, 16) for ago in range(7)]
    calls += [(ago, 12, "other", bad[ago], 16) for ago in range(7)]
    found = compared(calls, Asked(queue="worse", others=True))
    assert found.finding == "worse"
    earlier = [(7 + ago, 12, "worse", bad[ago], 16) for ago in range(7)]
    assert compared([*calls, *earlier], Asked(queue="worse")).finding == "no difference"


def test_what_cannot_be_compared_is_said_with_its_reason():
    few = [(0, 12, "few", 1, 4), (3, 12, "few", 1, 4), (1, 12, "one", 9, 20), (9, 12, "one", 1, 20)]
    found = compared([*few, (9, 12, "few", 0, 2)], Asked(queue="few"))
    assert "fewer scored calls than the setting report.min_calls" in found.sentence
    assert found.figures["dissatisfied_call_share"] == pytest.approx(2 / 8)
    assert found.figures["dissatisfied_call_share_high"] > 2 / 8
    assert found.figures["dissatisfied_call_share_before"] is None
    assert found.figures["change"] is None
    assert "single day" in compared(few, Asked(queue="one")).sentence
    before = Asked(after=Days(day(9), day(8)), queue="one")
    assert "no call is scored on the side" in compared(few, before).sentence
    other_hour = [(ago, 9 + 6 * (ago < 7), "apart", 3, 9) for ago in (0, 1, 8, 9)]
    assert "no queue and hour in common" in compared(other_hour, Asked(queue="apart")).sentence


def test_few_days_and_calls_without_a_counterpart_are_mentioned():
    calls = [(ago, 12, "a", 3, 9) for ago in (0, 1, 7, 8)] + [(0, 18, "a", 3, 9)]
    days, counterpart = compared(calls, Asked()).cautions
    assert "only 2 days" in days
    assert "67\N{NO-BREAK SPACE}% of the calls" in counterpart


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Asked(others=True), "name the queue"),
        (Asked(others=True, queue="billing", on=TODAY), "leave out the days before"),
        (Asked(on=TODAY, after=Days(TODAY, TODAY)), "leave these out"),
        (Asked(before=Days(day(3), day(1)), after=Days(day(1), TODAY)), "overlap"),
        (Asked(queue="biling"), "did you mean 'billing'"),
        (Asked(on=dt.date(2027, 1, 1)), "there are calls from"),
    ],
)
def test_contradictions_are_refused(month, asked, message):
    with pytest.raises(ChoiceError, match=message):
        compare(month, asked)


def test_days_are_read():
    assert parse_days("2026-11-02..2026-11-08") == Days(dt.date(2026, 11, 2), dt.date(2026, 11, 8))
    assert parse_days("2026-11-02").length == 1
    for wrong in ("November", "2026-11-02..", "..", "2026-11-08..2026-11-02"):
        with pytest.raises(ChoiceError, match=r"FIRST\.\.LAST|lies after"):
            parse_days(wrong)
