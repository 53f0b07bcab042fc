"""Tasks receive small values that can be pickled, so that they can run in another process."""

from __future__ import annotations

import functools
import pickle
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from prefect import Task

from pipelines import retrain as retrain_module
from pipelines.nightly import TASKS
from ser_batch.erasure.proof import search_traces
from ser_batch.tables import CALLS, TRANSCRIPTS
from tests.conftest import N_CALLS
from tests.transcripts.simulated import turns, write_transcripts

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


def test_a_night_whose_tasks_see_pickled_copies_only_is_clean_and_keeps_customers_words(
    run_flow, audio, received, lake, demo_calls, tmp_path
) -> None:
    write_transcripts(demo_calls.truth_path, tmp_path / "transcripts")
    given = {"transcripts__folder": tmp_path / "transcripts"}
    summary = run_flow(audio, policy__transcripts=True, **given)

    assert summary["status"] == "clean"
    assert summary["counts"]["transcripts_read"] == N_CALLS
    assert summary["counts"]["segments_scored"] > 0
    assert set(received) == {step.name for step in TASKS.values()}
    assert max(received.values()) < MAX_BYTES
    said = customers_words(demo_calls.truth_path)
    files = {row["recording_id"]: row["path"] for row in lake.read(CALLS).to_pylist()}
    kept: dict[str, list[str]] = {path: [] for path in files.values()}
    for row in lake.read(TRANSCRIPTS).to_pylist():
        kept[files[row["recording_id"]]] += re.sub(r"\[\w+\]", "", row["text"]).split()
    for path, words in kept.items():
        assert not Counter(words) - said[path], "nothing but what the customer says"
        assert len(words) > 0.8 * said[path].total()
    phrases = [" ".join(words[at : at + 3]) for words in kept.values() for at in (3, 9)]
    root = lake.folder.parent
    assert search_traces(root, phrases).traces

    assert run_flow(audio, **given)["counts"]["retention_transcripts"] > 0
    assert search_traces(root, phrases).traces == (), "without the policy no word stands anywhere"


def customers_words(truth: Path) -> dict[str, Counter[str]]:
    """What the customer says, by file."""
    return {
        file: Counter(
            word for turn in own if turn["role"] == "customer" for word in turn["text"].split()
        )
        for file, own in turns(truth).items()
    }
