"""Disks that fail at any step: nothing is lost, doubled or silently changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ser_batch.errors import ChoiceError
from ser_batch.lab.bench.faults.run import LOSSES, run
from ser_batch.lab.synthetic.demo import DemoCalls


def nothing_lost(result: dict[str, Any]) -> bool:
    broken = [text for row in result["operations"] for text in row["broken"]]
    assert broken == []
    return not any(result[name] for name in LOSSES)


@pytest.mark.faults
def test_no_fault_at_any_step_of_any_operation_loses_a_row(tmp_path: Path) -> None:
    result = run(tmp_path, flips=20, kills=50)
    assert result["count_faults"] >= 1000
    assert result["count_kills"] >= 25
    assert result["count_second_writers"] >= 1000
    assert nothing_lost(result)


def test_faults_at_some_steps_lose_no_row(tmp_path: Path, demo_calls: DemoCalls) -> None:
    some = ("first night", "labels import", "erase", "promote", "publish", "second night")
    result = run(tmp_path, demo=demo_calls, only=some, every=80, flips=0)
    assert result["count_faults"] >= 10
    assert result["count_second_writers"] >= 3
    assert nothing_lost(result)


@pytest.mark.slow
def test_retraining_and_nights_of_a_clock_that_jumps_lose_no_row(
    tmp_path: Path, demo_calls: DemoCalls
) -> None:
    result = run(tmp_path, demo=demo_calls, only=("retrain", "clock"), every=5)
    assert result["count_faults"] >= 20
    assert result["count_clock_jumps"] >= 18
    assert nothing_lost(result)


def test_an_operation_that_is_none_is_named(tmp_path: Path, demo_calls: DemoCalls) -> None:
    with pytest.raises(ChoiceError, match="no operation 'nights'; there are first night, "):
        run(tmp_path, demo=demo_calls, only=("nights",))
