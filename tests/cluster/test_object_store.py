"""Nights on two machines that share nothing but a network and an object store."""

from __future__ import annotations

from typing import Any

from pipelines.options import Exit
from ser_batch.lab.synthetic.demo import DemoCalls
from tests.cluster.machines import ON_WORKERS, Machine, answer, needs_machines, wait_until
from tests.pipelines.test_killed import contents

pytestmark = needs_machines


def test_a_night_on_two_machines_makes_the_tables_of_a_local_night(
    machines: tuple[Machine, Machine], demo_calls: DemoCalls, expected: Any
) -> None:
    driver, other = machines
    with other.workers():
        night = driver.start_night(demo_calls, *ON_WORKERS)
        wait_until(lambda: other.has_stored() or night.poll() is not None)
        second = other.ask("publish")
        done = answer(night)

    assert done["exit"] == Exit.CLEAN, done
    assert second["exit"] == Exit.LOCKED, second
    assert done["counts"]["calls_analysed"] == demo_calls.n_calls
    assert contents(driver.root) == expected
    assert other.ask("runs")["runs"][0]["status"] == "clean"  # it fetched the root
    assert contents(other.root) == expected
