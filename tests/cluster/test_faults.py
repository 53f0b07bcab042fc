"""What fails during a night on two machines, and the tables that come of it all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from pipelines.options import Exit
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.store.lease import SILENT_S
from tests.cluster.machines import (
    ON_WORKERS,
    Machine,
    answer,
    kill,
    needs_machines,
    wait_until,
)
from tests.pipelines.test_killed import contents

pytestmark = needs_machines

TCP_S = 30.0
"""Until Dask gives up a connection that does not answer."""


@contextmanager
def half_done(driver: Machine, other: Machine, calls: DemoCalls) -> Iterator[subprocess.Popen[str]]:
    """A night of which a worker has stored a shard, and not all."""
    with other.workers():
        night = driver.start_night(calls, *ON_WORKERS)
        try:
            wait_until(lambda: other.has_stored() or night.poll() is not None)
            yield night
        finally:
            kill(night)


def has_begun_or_ended(machine: Machine, night: subprocess.Popen[str], epoch: int) -> bool:
    """Whether a night holds a root that another one held in an epoch, or was refused."""
    return machine.epoch() > epoch or night.poll() is not None


def start_when_free(
    machine: Machine, first: Machine, calls: DemoCalls, *more: str, **variables: str
) -> subprocess.Popen[str]:
    """A night that holds the root, after others were refused while the first counted as alive."""
    n_refused, epoch = 0, first.epoch()
    while True:
        night = machine.start_night(calls, *more, **variables)
        wait_until(partial(has_begun_or_ended, machine, night, epoch))
        if night.poll() != Exit.LOCKED:
            assert n_refused > 0
            return night
        n_refused += 1


def test_a_killed_worker_process_changes_nothing(
    machines: tuple[Machine, Machine], demo_calls: DemoCalls, expected: Any
) -> None:
    driver, other = machines
    with half_done(driver, other, demo_calls) as night:
        os.kill(driver.pid_of_a_worker(), signal.SIGKILL)
        done = answer(night)

    assert done["exit"] == Exit.CLEAN, done
    assert contents(driver.root) == expected


@pytest.mark.parametrize(
    ("cut", "seconds"), [("worker", 20), ("worker", TCP_S + 15), ("driver", SILENT_S + 15)]
)
def test_a_cut_link_changes_nothing(
    machines: tuple[Machine, Machine],
    demo_calls: DemoCalls,
    expected: Any,
    cut: str,
    seconds: float,
) -> None:
    driver, other = machines
    with half_done(driver, other, demo_calls) as night:
        machine = driver if cut == "driver" else other
        machine.set_link("down")
        time.sleep(seconds)
        machine.set_link("up")
        done = answer(night)

    assert done["exit"] == Exit.CLEAN, done
    assert contents(driver.root) == expected


def test_the_other_machine_completes_the_night_of_a_killed_driver(
    machines: tuple[Machine, Machine], demo_calls: DemoCalls, expected: Any
) -> None:
    driver, other = machines
    with half_done(driver, other, demo_calls) as night:
        kill(night)
        done = answer(start_when_free(other, driver, demo_calls, *ON_WORKERS))

    assert done["exit"] == Exit.CLEAN, done
    assert contents(other.root) == expected
    assert driver.ask("runs")["runs"][0]["status"] == "clean"
    assert contents(driver.root) == expected


def test_a_driver_that_was_cut_off_and_taken_over_publishes_nothing(
    machines: tuple[Machine, Machine], demo_calls: DemoCalls, expected: Any
) -> None:
    driver, other = machines
    with half_done(driver, other, demo_calls) as night:
        driver.set_link("down")
        second = start_when_free(other, driver, demo_calls, PREFECT_API_URL="")
        driver.set_link("up")
        done, taken = answer(night), answer(second)
    again = driver.end_night(demo_calls)

    assert taken["exit"] == Exit.CLEAN, taken
    assert done["exit"] == Exit.FAILED, done
    assert done["error"]["code"] == "taken_over", done
    assert contents(other.root) == expected
    assert again["exit"] == Exit.CLEAN, again
    assert not again["counts"].get("calls_analysed"), again
    assert contents(driver.root) == expected
