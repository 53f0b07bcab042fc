"""The bench of growth: its history is as nights leave it, so only what is new costs anything."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest

from ser_batch.config import Settings
from ser_batch.lab.bench.growth.days import TONIGHT, Day, days_before, write_lines
from ser_batch.lab.bench.growth.history import make_history
from ser_batch.lab.bench.growth.night import Cost, night
from ser_batch.lab.bench.growth.recorded import Recorded
from ser_batch.lab.bench.growth.run import run
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.store.paths import Root

SETTINGS = Settings(
    features={"set": "descriptors_v1"},
    report={"call_pages": False},
    ingest={"min_age_s": 0, "shard_calls": 16},
)
LATE = 3


def recording(demo_calls: DemoCalls) -> Path:
    return min(demo_calls.audio_dir.rglob("*.wav"))


@pytest.mark.slow
def test_a_night_on_a_simulated_history_works_on_new_calls_and_late_lines_alone(
    demo_calls: DemoCalls, tmp_path: Path
):
    root, audio = Root(tmp_path / "root"), tmp_path / "audio"
    audio.mkdir()
    recorded = Recorded.of([recording(demo_calls)], SETTINGS).shortened
    day = days_before(40)[0]
    shorter = Day(day.date + dt.timedelta(days=1), 24)
    make_history(root, audio, [day, shorter], recorded, SETTINGS)

    def measured(*metadata: Path) -> Cost:
        return night(root, audio, metadata, recorded, SETTINGS)

    first = measured()
    assert (first.n_analysed, first.n_dates) == (0, 2)
    shutil.rmtree(root.lake / ".checked")  # all calls are resolved again, and are as written
    resolved = measured()
    assert (resolved.n_analysed, resolved.n_dates) == (0, 0)
    new = Day(TONIGHT.date(), 5)
    (audio / str(new.date)).mkdir()
    for path in new.paths:
        (audio / path).write_text(path)
    lines = tmp_path / "lines.csv"
    write_lines(lines, [*new.lines(), day.line(LATE) | {"queue": "other"}])
    busy = measured(lines)
    assert (busy.n_analysed, busy.n_dates) == (5, 2)
    idle = measured(lines)
    assert (idle.n_analysed, idle.n_dates) == (0, 0)
    assert busy.core_s.keys() == idle.core_s.keys()


@pytest.mark.slow
def test_the_bench_compares_histories_with_an_empty_lake(demo_calls: DemoCalls, tmp_path: Path):
    def measured() -> dict[str, Any]:
        return run([20], recording(demo_calls), SETTINGS, n_new=3, n_late=2, histories=tmp_path)

    def contents() -> dict[Path, bytes]:
        lake = tmp_path / "20" / "root" / "lake"
        return {
            path: path.read_bytes() for path in lake.rglob("*.parquet") if "runs" not in path.parts
        }

    measured()
    kept = contents()
    result = measured()
    assert contents() == kept, "nights change a copy"
    assert result["dates_built"] == {"0": 1, "20": 2}
    rows = {row["stage"]: row for row in result["night of new calls, core s"]}
    assert rows["all"]["20"] > rows["publish"]["20"] > 0
    assert rows["peak memory, MB"]["0"] > 50
