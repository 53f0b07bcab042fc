"""Nights on two machines that share nothing but a network and an object store."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.options import Exit
from ser_batch.lab.synthetic.demo import DemoCalls
from tests.cluster.machines import ON_WORKERS, Machine, answer, needs_machines, wait_until
from tests.pipelines.test_killed import contents

pytestmark = needs_machines

PUT_FILES = """
import sys
from pathlib import Path
from ser_batch.files.objects import open_store
store = open_store(sys.argv[1])
for path in map(Path, sys.argv[3:]):
    store.put(path.relative_to(sys.argv[2]).as_posix(), path)
"""
AUDIO = "s3://calls/recorded"


def stored(calls: DemoCalls, machine: Machine) -> DemoCalls:
    """The calls with recordings and metadata in the object store."""
    files = [calls.metadata_path, *calls.audio_dir.rglob("*.wav")]
    folder = calls.metadata_path.parent
    put = machine.start(sys.executable, "-c", PUT_FILES, AUDIO, str(folder), *map(str, files))
    assert put.wait(60) == 0
    audio, metadata = (path.relative_to(folder) for path in (calls.audio_dir, calls.metadata_path))
    return replace(calls, audio_dir=Path(AUDIO, audio), metadata_path=Path(AUDIO, metadata))


def anywhere(tables: dict[str, Any], audio_root: str) -> dict[str, Any]:
    """Tables without what says where a recording lies, and since when."""

    def without_place(row: Any) -> object:
        if not isinstance(row, dict):
            return tuple("audio" if value == audio_root else value for value in row)
        return {name: row[name] for name in row if name not in ("audio_root", "modified_ns")}

    return {name: [without_place(row) for row in rows] for name, rows in tables.items()}


def test_a_night_on_two_machines_makes_the_tables_of_a_local_night(
    machines: tuple[Machine, Machine], demo_calls: DemoCalls, expected: Any
) -> None:
    driver, other = machines
    calls = stored(demo_calls, driver)
    with other.workers():
        night = driver.start_night(calls, *ON_WORKERS)
        wait_until(lambda: other.has_stored() or night.poll() is not None)
        second = other.ask("publish")
        done = answer(night)

    assert done["exit"] == Exit.CLEAN, done
    assert second["exit"] == Exit.LOCKED, second
    assert done["audio"] == [f"{AUDIO}/{calls.audio_dir.name}"]
    assert done["counts"]["calls_analysed"] == demo_calls.n_calls
    local = anywhere(expected, str(demo_calls.audio_dir))
    assert anywhere(contents(driver.root), done["audio"][0]) == local
    assert other.ask("runs")["runs"][0]["status"] == "clean"  # it fetched the root
    assert anywhere(contents(other.root), done["audio"][0]) == local
    assert driver.end_night(calls)["counts"]["files_new"] == 0
