"""The published file of a root in an object store, on a machine that did not build it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser_batch.config import Settings
from ser_batch.store.lake import Lake
from ser_batch.store.local_files import local_path
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root
from ser_batch.testing.lakes import MODEL_ID, TODAY, put_call
from ser_batch.testing.rows import prediction
from ser_batch.warehouse import BuildResult, build
from tests.warehouse.test_incremental import YESTERDAY


def make(root: Root) -> BuildResult:
    return build(Lake(root.lake), root.warehouse, model_id=MODEL_ID, settings=Settings())


def test_another_machine_builds_only_what_changed_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def root_at(machine: str) -> Root:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / machine))
        return Root(local_path(Path((tmp_path / "share").as_uri())))

    with only_run(one := root_at("one")):
        put_call(Lake(one.lake), prediction(), recording_id="old", started_at=YESTERDAY)
        put_call(Lake(one.lake), prediction())
        assert make(one).dates == (YESTERDAY.date(), TODAY)
    with only_run(two := root_at("two")):
        assert not make(two).built
        put_call(Lake(two.lake), prediction(), recording_id="new")
        assert make(two).dates == (TODAY,)
