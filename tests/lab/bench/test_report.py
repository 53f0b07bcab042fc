"""The report's bench: real SQL over synthetic rows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ser_batch.config import Settings
from ser_batch.lab.bench.report import run
from ser_batch.stages.publish import publish
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, SEGMENTS
from ser_batch.testing.lakes import MODEL_ID, TODAY, put_weeks
from ser_batch.warehouse import connect
from tests.conftest import CHROMIUM


def test_the_bench_counts_what_it_made_and_weighs_what_it_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))  # no browser there
    said = []
    result = run(80, 8, Settings(), on_step=said.append)
    assert (result["n_calls"], result["n_days"]) == (80, 8)
    assert result["n_segments"] > 400
    assert result["report_mb"] > 0.05
    assert said[0] == "making 80 calls"
    assert (result["open_s"], result["filter_s"]) == (None, None)


def test_synthetic_calls_pass_every_rule_and_hold_what_was_asked_for(tmp_path: Path):
    root = Root(tmp_path)
    n_segments = put_weeks(Lake(root.lake), n_calls=900, n_days=20)
    publish(root, Settings(), MODEL_ID)
    with connect(root.warehouse) as con:
        [(n_calls, n_scored, last)] = con.sql(
            "select count(*), count(dissatisfaction), max(call_date) from call_summary"
        ).fetchall()
        late = con.sql(
            "select queue, avg(dissatisfaction) from call_summary"
            f" where call_date > date '{TODAY}' - 7 group by queue order by 2 desc"
        ).fetchall()
    assert (n_calls, last) == (900, TODAY)
    assert n_segments > 5 * n_calls
    assert 0.9 * n_calls < n_scored < n_calls
    assert late[0][0] == "billing"
    assert late[0][1] > late[1][1] + 0.05


def test_the_same_seed_makes_the_same_calls(tmp_path: Path):
    lakes = [Lake(tmp_path / name) for name in ("one", "same", "other")]
    for lake, seed in zip(lakes, (1, 1, 2), strict=True):
        put_weeks(lake, n_calls=20, n_days=3, seed=seed)
    one, same, other = ([lake.read(table) for table in (CALLS, SEGMENTS)] for lake in lakes)
    assert one == same
    assert one != other


@pytest.mark.browser
def test_the_page_is_opened_and_filtered_in_a_browser():
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with ThreadPoolExecutor(1) as apart:  # Playwright runs once in a thread
        result = apart.submit(run, 60, 8, Settings()).result()
    assert result["open_s"] > 0
    assert result["filter_s"] > 0
