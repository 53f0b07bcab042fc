"""Tasks receive small values that can be pickled, so that they can run in another process."""

from __future__ import annotations

import functools
import pickle
from typing import Any

import pytest
from prefect import Task

from pipelines import retrain as retrain_module
from pipelines.nightly import TASKS

MAX_BYTES = 20_000
"""Settings, a root and a shard: no samples, no rows, no model."""


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Bytes of the pickled arguments by task, of every task that runs, with what came back."""
    sizes: dict[str, int] = {}

    def through_pickle(name: str, function: Any) -> Any:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            content = pickle.dumps((args, kwargs))
            sizes[name] = max(sizes.get(name, 0), len(content))
            args, kwargs = pickle.loads(content)
            return pickle.loads(pickle.dumps(function(*args, **kwargs)))

        return call

    retraining = [step for step in vars(retrain_module).values() if isinstance(step, Task)]
    for step in [*TASKS.values(), *retraining]:
        monkeypatch.setattr(step, "fn", through_pickle(step.name, step.fn))
    return sizes


def test_a_night_whose_tasks_see_pickled_copies_only_is_clean(run_flow, audio, received) -> None:
    summary = run_flow(audio)

    assert summary["status"] == "clean"
    assert summary["counts"]["segments_scored"] > 0
    assert set(received) == {step.name for step in TASKS.values()}
    assert max(received.values()) < MAX_BYTES
