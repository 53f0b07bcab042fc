"""Disks that fail at any step: nothing is lost, doubled or silently changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ser_batch.lab.bench.faults.run import run
from ser_batch.lab.synthetic.demo import DemoCalls

LOSSES = ("count_lost", "count_unexpected", "count_silent_flips")


def nothing_lost(result: dict[str, Any]) -> bool:
    broken = [text for row in result["operations"] for text in row["broken"]]
    assert broken == []
    return not any(result[name] for name in LOSSES)


@pytest.mark.faults
def test_no_fault_at_any_step_of_any_operation_loses_a_row(tmp_path: Path) -> None:
    result = run(tmp_path, flips=20, kills=50)
    assert result["count_faults"] >= 1000
    assert result["count_kills"] >= 25
    assert nothing_lost(result)


def test_faults_at_some_steps_lose_no_row(tmp_path: Path, demo_calls: DemoCalls) -> None:
    result = run(tmp_path, demo=demo_calls, every=100, flips=0)
    assert result["count_faults"] >= 10
    assert nothing_lost(result)
