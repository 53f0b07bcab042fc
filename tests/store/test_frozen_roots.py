"""Roots of earlier releases: this version reads and publishes them, or refuses with a remedy."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from ser_batch.errors import ContractError
from ser_batch.stages.publish import publish
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS
from ser_batch.testing.lakes import MODEL_ID
from tests.store.freeze_root import FOLDER, SETTINGS, state

ARCHIVES = sorted(FOLDER.glob("root-*.tar.xz"))


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name)
def frozen(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


def test_a_root_of_every_release_is_read_and_published_as_it_was(frozen: Path) -> None:
    root = Root(frozen / "root")
    expected = json.loads((frozen / "expected.json").read_text(encoding="utf-8"))
    assert expected["rows"]["calls"] == 12
    assert state(root) == expected
    publish(root, SETTINGS, MODEL_ID, full=True)
    assert state(root) == expected


def test_a_root_of_a_later_release_is_refused_with_the_table(
    frozen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(frozen / "root" / "lake")
    monkeypatch.setattr("ser_batch.store.part_file.version_of", lambda _schema: 99)
    with pytest.raises(ContractError, match=r"table calls was .*; install that release"):
        lake.read(CALLS)


def test_archives_are_small() -> None:
    assert ARCHIVES, "python -m tests.store.freeze_root makes one"
    assert all(path.stat().st_size <= 300_000 for path in ARCHIVES)
