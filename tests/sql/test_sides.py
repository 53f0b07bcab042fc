"""How calls were held: by side and team, without anybody's emotion."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ser_batch.config import Settings
from ser_batch.testing.lakes import call_rows, put_call, put_rows
from ser_batch.testing.rows import prediction

SETTINGS = Settings(report={"min_calls": 2})


def test_each_side_of_a_call_has_its_talk(lake, published):
    put_call(lake, prediction(), of_agent={"talk_s": 90.0, "count_interruptions": 4})
    assert published(
        "select role, talk_s, count_interruptions, team from call_side order by channel"
    ) == [("agent", 90.0, 4, "north"), ("customer", 66.0, 1, "north")]


def test_a_teams_day_is_that_of_its_agents_channels(lake, published):
    put_rows(
        lake,
        *(
            call_rows(
                recording_id=f"{team}-{number}",
                team=team,
                of_agent={"talk_share": share, "response_time_median_s": wait_s},
                of_recording={"hold_s": 60.0},
            )
            for team, calls in {"north": ((0.4, 1.0), (0.6, 3.0)), "south": ((0.9, 9.0),)}.items()
            for number, (share, wait_s) in enumerate(calls)
        ),
    )
    assert published(
        "select team, count_calls, agent_talk_share, response_time_median_s, hold_share"
        " from team_day",
        SETTINGS,
    ) == [
        ("north", 2, pytest.approx(0.5), pytest.approx(2.0), pytest.approx(0.2)),
        ("south", 1, None, None, None),
    ]


def test_a_teams_measures_have_their_intervals(lake, published):
    """Means as SciPy has them, ratios of sums as the jackknife has them, the median by rank."""
    rng = np.random.default_rng(1)
    n = 60
    held_s, lengths_s = rng.uniform(0, 60, n), rng.uniform(200, 400, n)
    overtalk, waits_s = rng.uniform(0, 0.2, n), rng.uniform(0.5, 4, n)
    put_rows(
        lake,
        *(
            call_rows(
                recording_id=f"r{i}",
                of_recording={"hold_s": held_s[i], "duration_s": lengths_s[i]},
                of_agent={"side_overtalk_share": overtalk[i], "response_time_median_s": waits_s[i]},
            )
            for i in range(n)
        ),
    )
    [row] = published(
        "select hold_share_low, hold_share_high, overtalk_share_low, overtalk_share_high,"
        " response_time_median_low_s, response_time_median_high_s from team_day"
    )
    without = (held_s.sum() - held_s) / (lengths_s.sum() - lengths_s)
    half = stats.t.ppf(0.975, n - 1) * np.sqrt(
        (n - 1) / n * ((without - without.mean()) ** 2).sum()
    )
    ratio = held_s.sum() / lengths_s.sum()
    mean = stats.t.interval(0.95, n - 1, overtalk.mean(), stats.sem(overtalk))
    assert row[:2] == pytest.approx((ratio - half, ratio + half), rel=0.01)
    assert row[2:4] == pytest.approx(mean, rel=1e-3)
    in_order = np.sort(waits_s)
    assert row[4:] == pytest.approx((in_order[21], in_order[-22]), rel=1e-5)


def test_calls_of_the_same_customer_widen_a_teams_intervals(lake, published):
    """Customers who call four times are as one call each."""
    widths = []
    for team, n_calls in (("once", 1), ("again", 4)):
        put_rows(
            lake,
            *(
                call_rows(
                    recording_id=f"{team}-{i}",
                    team=team,
                    customer=f"c{i % (40 // n_calls)}",
                    of_agent={
                        "talk_share": 0.3 + 0.01 * (i % (40 // n_calls)),
                        "response_time_median_s": 1.0 + i % (40 // n_calls),
                    },
                )
                for i in range(40)
            ),
        )
        [found] = published(
            "select agent_talk_share_high - agent_talk_share_low,"
            " response_time_median_high_s - response_time_median_low_s,"
            f" count_calls from team_day where team = '{team}'"
        )
        widths.append(found)
    [(once, once_response, _), (again, again_response, n_again)] = widths
    assert n_again == 40
    talk = 0.3 + 0.01 * np.arange(10)
    assert again == pytest.approx(2 * stats.t.ppf(0.975, 9) * stats.sem(talk), rel=0.01)
    assert again_response / 10 > 1.3 * once_response / 40
    assert once > 0


def test_a_teams_coverage_is_the_share_of_its_calls_with_an_agents_channel(lake, published):
    one_sided = call_rows(recording_id="mono", roles=["unknown", "unknown"])
    put_rows(lake, *(call_rows(recording_id=name) for name in "abc"), one_sided)
    assert published("select count_calls, coverage from team_day") == [(3, 0.75)]


def test_interruptions_are_an_hour_of_call(lake, published):
    put_rows(
        lake,
        *(  # two calls of five minutes
            call_rows(recording_id=name, of_agent={"count_interruptions": count})
            for name, count in (("a", 1), ("b", 2))
        ),
    )
    assert published("select interruptions_per_hour from team_day", SETTINGS) == [
        (pytest.approx(18),)
    ]


def test_the_wait_for_an_answer_is_the_agents(lake, published):
    put_call(lake, prediction(), of_agent={"response_time_median_s": 4.5})
    assert published("select response_time_median_s from call_summary") == [(4.5,)]


def test_calls_without_a_team_are_no_team(lake, published):
    put_rows(lake, *(call_rows(recording_id=name, team=None) for name in "ab"))
    assert published("from team_day", SETTINGS) == []
