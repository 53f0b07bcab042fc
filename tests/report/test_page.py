"""What the page says, read without a browser."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from ser_batch.config import Settings
from ser_batch.errors import WarehouseError
from ser_batch.report.cells import embedded_cells
from ser_batch.report.content import Choice, Period, choose_period
from ser_batch.report.words import because, clock, counted, lasting, percent, points, recovery
from ser_batch.stages.publish import publish
from ser_batch.stages.report import write_report
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import QUARANTINE
from ser_batch.testing.lakes import MODEL_ID, put, put_call, put_weeks
from ser_batch.testing.rows import MIDDAY, bad_file, prediction
from tests.report.pages import embedded, page_of, put_day, words

pytestmark = pytest.mark.xdist_group("report")
TODAY = MIDDAY.date()


def test_a_report_without_calls_says_so(root):
    html = page_of(root)
    assert "No calls have been ingested yet." in html
    assert "Rejected files (quarantine)" in html
    assert html.count("<section") == 3


def test_too_few_scored_calls_give_no_figure(root):
    put_day(Lake(root.lake), n_angry=2, n_calm=1)
    text = words(page_of(root))
    assert "3 of 3 calls could be scored: too few for a share." in text
    assert "withheld" in text


@pytest.mark.parametrize(
    ("counts", "length"),
    [
        ({0: 30, 40: 9}, 1),
        ({0: 29, 40: 9}, 28),
        ({0: 20, 6: 10, 40: 9}, 7),
        ({0: 20, 7: 10, 40: 9}, 28),
        ({0: 1, 3: 1}, 4),  # there are no earlier calls
    ],
)
def test_the_period_is_the_shortest_that_says_something(counts, length):
    days = [
        {"call_date": TODAY - dt.timedelta(days=ago), "count_scored_calls": count}
        for ago, count in sorted(counts.items(), reverse=True)
    ]
    first = TODAY - dt.timedelta(days=length - 1)
    expected = Period(first, TODAY, first - dt.timedelta(days=28))
    assert choose_period(days, Choice()) == expected


def test_a_reader_may_choose_days_and_queue(root):
    lake = Lake(root.lake)
    put_day(lake, n_angry=9, n_calm=1)
    put_day(lake, n_angry=2, n_calm=8, days_ago=3)
    put_call(lake, prediction(anger=1.0), recording_id="other", queue="o'hara's")
    publish(root, Settings(), MODEL_ID)
    day = TODAY - dt.timedelta(days=3)
    chosen = write_report(root, Settings(), "chosen", Choice(first=day, last=day))
    assert "20 % of the scored calls were dissatisfied" in words(chosen.read_text("utf-8"))
    quiet = Choice(first=day - dt.timedelta(days=50), last=day - dt.timedelta(days=49))
    nothing = words(write_report(root, Settings(), "quiet", quiet).read_text("utf-8"))
    assert "There are no calls on these days." in nothing
    assert "Every call was scored" not in nothing
    queue = write_report(root, Settings(), "queue", Choice(queue="o'hara's"))
    assert "1 of 1 call could be scored: too few for a share." in words(queue.read_text("utf-8"))
    assert not (root.reports / "latest.html").exists()


def test_files_accepted_with_a_warning_are_not_among_the_rejected(root):
    warning = bad_file("twice.wav", severity="warning", code="dual_mono")
    put(Lake(root.lake), QUARANTINE, warning, bad_file("broken.wav"))
    text = words(page_of(root)).split("Rejected files (quarantine)")[1]
    rejected, accepted = text.split("Accepted with a warning")
    assert ("broken.wav" in rejected, "twice.wav" in rejected) == (True, False)
    assert ("broken.wav" in accepted, "twice.wav" in accepted) == (False, True)


def test_no_filter_sorts_customers_emotions_by_who_took_the_call(root):
    names = ("product", "agent_name", "Supervisor", "sender")
    lake = Lake(root.lake)
    for number in range(2):
        attributes = [(name, f"{name}-{number}") for name in names]
        put_call(lake, prediction(), recording_id=f"r{number}", attributes=attributes)
    html = page_of(root)
    assert [name for name in names if f"{name}-0" in html] == ["product", "sender"]


def test_flagged_calls_are_listed_worst_first_and_no_others(root):
    lake = Lake(root.lake)
    for name, anger in (("mild", 0.7), ("worst", 0.97), ("fine", 0.02)):
        put_call(
            lake,
            prediction(segment_no=0, anger=anger / 2, neutral=1 - anger / 2),
            prediction(segment_no=9, anger=anger, neutral=1 - anger),
            recording_id=name,
        )
    # a moment of dissatisfied speech in a content call
    calm = (prediction(segment_no=number) for number in range(30))
    put_call(lake, *calm, prediction(segment_no=30, anger=0.9, neutral=0.1), recording_id="moment")
    worst, mild = embedded(page_of(root), "listed")
    assert [worst["call"], mild["call"]] == ["call-worst", "call-mild"]
    assert (worst["path"], worst["worst"]) == ("2026/worst.wav", 90.0)
    assert worst["bars"] == [[0.0, 10.0, 0.49], [90.0, 10.0, 0.97]]
    assert (worst["isOfPeriod"], worst["sound"]) == (True, None)


def test_the_list_is_bounded_and_holds_the_worst_of_each_queue_and_day(root, monkeypatch):
    monkeypatch.setattr("ser_batch.report.content._MOST_LISTED", 80)
    put_weeks(Lake(root.lake), n_calls=400, n_days=4)
    html = page_of(root, report={"priority_calls": 3})
    listed = embedded(html, "listed")
    assert len(listed) == 80
    of_period = [call for call in listed if call["isOfPeriod"]]
    assert [call["place"] for call in of_period][:3] == [1, 2, 3]
    groups = {(call["day"], call["facets"][0]) for call in listed}
    cells = embedded(html, "cells")
    assert groups == {
        (cells["days"][day], cells["facets"][0]["values"][queue])
        for day, _, queue, _, _, _, n_dissatisfied, *_ in cells["cells"]
        if n_dissatisfied
    }


def test_a_long_call_is_drawn_with_few_bars(root):
    levels = [0.9] * 60 + [0.5] * 60
    put_call(
        Lake(root.lake),
        *(prediction(segment_no=n, anger=p, neutral=1 - p) for n, p in enumerate(levels)),
    )
    [call] = embedded(page_of(root), "listed")
    assert [call["bars"][0], call["bars"][-1]] == [[0.0, 30.0, 0.9], [1170.0, 30.0, 0.5]]
    assert len(call["bars"]) == 40


def test_what_was_not_scored_names_the_setting_that_changes_it(root):
    put_call(Lake(root.lake), roles=["agent", "unknown"])
    text = words(page_of(root))
    assert "nothing says who speaks on the channel" in text
    assert "set roles.channels, or supply customer_channel in the metadata" in text


def test_synthetic_speech_is_called_synthetic_and_real_speech_is_not(root):
    put_call(Lake(root.lake), prediction())
    assert "synthetic" not in words(page_of(root))
    put_call(Lake(root.lake), prediction(), recording_id="made", attributes=[("synthetic", "true")])
    assert "The speech is synthetic." in words(page_of(root))


def test_the_latest_report_is_the_same_page_and_nothing_half_written_stays(root):
    put_call(Lake(root.lake), prediction())
    html = page_of(root)
    assert (root.reports / "latest.html").read_text(encoding="utf-8") == html
    assert sorted(path.name for path in root.reports.iterdir()) == [
        "latest.html",
        "latest.json",
        "run-1.html",
        "run-1.json",
    ]


def test_each_query_shown_on_the_page_runs_as_it_stands(reported):
    from html import unescape

    from ser_batch.warehouse import connect, query

    queries = re.findall(
        r"<pre[^>]*><code>(.*?)</code></pre>", reported.read_text("utf-8"), re.DOTALL
    )
    assert len(queries) >= 6
    with connect(Root(reported.parents[1]).warehouse) as con:
        for sql in queries:
            query(con, unescape(sql))


def test_a_report_of_nothing_published_says_what_to_do(root):
    with pytest.raises(WarehouseError, match="ser-batch nightly"):
        write_report(root, Settings(), "run-1")


def test_figures_read_as_people_write_them():
    assert [clock(seconds) for seconds in (0, 59.9, 60, 3725)] == ["0:00", "0:59", "1:00", "62:05"]
    assert [percent(share) for share in (None, 0.125, 0.256)] == [
        "\N{EN DASH}",
        "13\N{NO-BREAK SPACE}%",
        "26\N{NO-BREAK SPACE}%",
    ]
    assert [points(x) for x in (0.126, -0.126, 0.001, -0.001)] == [
        "+13",
        "\N{MINUS SIGN}13",
        "0",
        "0",
    ]
    assert [lasting(seconds) for seconds in (0, 60, 61, 7200)] == [
        "0 minutes",
        "1 minute",
        "2 minutes",
        "2.0 hours",
    ]
    usual = "than most speech"
    assert because([f"louder {usual}", f"slower {usual}"]) == f"louder and slower {usual}"
    assert because(None) == ""
    assert counted(2, "copy", "copies") == "2 copies"
    assert [counted(n, "call") for n in (0, 1, 1200)] == [
        "0 calls",
        "1 call",
        "1\N{NARROW NO-BREAK SPACE}200 calls",
    ]


def test_reasons_say_why_a_call_is_listed(root):
    put_call(
        Lake(root.lake),
        *(prediction(segment_no=n, anger=p, neutral=1 - p) for n, p in enumerate((0, 0.3, 0.9))),
    )
    [call] = embedded(page_of(root), "listed")
    assert (
        call["why"]
        .replace("\N{NO-BREAK SPACE}", " ")
        .startswith("worsening, anger, 33 % of the speech dissatisfied, ends badly")
    )


def test_drivers_of_dissatisfaction_are_shown_with_their_interval(reported):
    """In the helper's month long holds make calls dissatisfied, nothing else differs."""
    text = words(reported.read_text("utf-8"))
    assert re.search(r"longest hold, s above 80.0 \d+ % \d+ % \+\d+ to \+\d+", text)
    assert "overtalk, %" not in text


def test_cells_write_each_name_once_and_keep_every_count():
    rows = [
        {
            "call_date": TODAY,
            "hour": hour,
            "queue": queue,
            "attributes": [product],
            "count_calls": 3,
            "count_scored_calls": 2,
            "count_dissatisfied_calls": 1,
            **{f"count_{arc}": 0 for arc in ("stayed_positive", "improving", "worsening")},
            "count_stayed_negative": 2,
            "count_uncertain": 0,
        }
        for hour, queue, product in ((9, "billing", "fibre"), (10, None, None))
    ]
    assert embedded_cells(rows, ["product"], min_calls=5) == {
        "minCalls": 5,
        "days": ["2026-11-03"],
        "facets": [
            {"name": "queue", "values": ["billing", "no queue"]},
            {"name": "product", "values": ["fibre", "no product"]},
        ],
        "arcs": ["stayed positive", "improving", "worsening", "stayed negative", "uncertain"],
        "cells": [
            [0, 9, 0, 0, 3, 2, 1, 0, 0, 0, 2, 0],
            [0, 10, 1, 1, 3, 2, 1, 0, 0, 0, 2, 0],
        ],
    }


def test_the_model_is_named_with_its_figure_and_card_where_its_bundle_is(root):
    from ser_batch.scoring.bundle import default_bundle_path
    from ser_batch.scoring.manifest import read_manifest

    model_id = read_manifest(default_bundle_path()).model_id
    publish(root, Settings(), model_id)
    text = words(write_report(root, Settings(), "run-1").read_text("utf-8"))
    assert f"Model {model_id} : unweighted average recall (UAR) of" in text
    assert "Model card" in text
    publish(root, Settings(), "gone-1234")
    assert "Model gone-1234 . Real calls" in words(
        write_report(root, Settings(), "run-1").read_text("utf-8")
    )


def test_recovery_is_to_a_segment_that_is_not_dissatisfied_not_to_a_better_one():
    found = "the first segment that is not dissatisfied follows after 16 s"
    assert recovery({"recovery_s": 16.05, "recovery_watched_s": 16.05}) == found
    assert recovery({"recovery_s": None, "recovery_watched_s": 9.0}).startswith("no segment that")
    never = {"recovery_s": None, "recovery_watched_s": None}
    assert recovery(never) == "it is not dissatisfied"
