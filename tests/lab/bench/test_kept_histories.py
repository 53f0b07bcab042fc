"""A history that is kept is found again as it was left, whatever a night did to its copy."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ser_batch.config import Settings
from ser_batch.errors import StopError
from ser_batch.lab.bench.growth.kept import Place, copy_of_kept
from ser_batch.store.journal import Journal
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import CALLS, RUNS
from ser_batch.testing.rows import call

DAY = "2026-11-01"
PART = Part(dt.date(2026, 11, 1), "shard")


class Histories:
    """Keeps a history of one call, and counts how often it was made and settled."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.n_made, self.n_settled = folder, 0, 0

    def make(self, place: Place) -> None:
        self.n_made += 1
        (place.audio / DAY).mkdir()
        (place.audio / DAY / "one.wav").write_text("one")
        write(place, "one")
        place.root.warehouse.parent.mkdir()
        place.root.warehouse.write_text("published")
        place.root.models.mkdir()
        Journal(place.root.models / "log.jsonl").add({"line": 1})

    def settle(self, place: Place) -> None:
        self.n_settled += 1

    def copy(self, settings: Settings | None = None):
        return copy_of_kept(self.folder, settings or Settings(), self.make, self.settle)

    def contents(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


def write(place: Place, name: str) -> None:
    Lake(place.root.lake).write(CALLS, PART, CALLS.from_rows([call(name)]))


@pytest.fixture
def histories(tmp_path: Path) -> Histories:
    found = Histories(tmp_path / "1000")
    with found.copy():
        pass
    return found


def test_what_a_night_changes_in_a_copy_is_not_in_the_next_one(histories):
    before = histories.contents()
    with histories.copy() as place:
        files = Lake(place.root.lake).files(CALLS)
        write(place, "two")
        Lake(place.root.lake).write(RUNS, Part(None, "run"), RUNS.empty())
        Journal(place.root.models / "log.jsonl").add({"line": 2})
        place.root.warehouse.with_suffix(".new").write_text("rebuilt")
        place.root.warehouse.with_suffix(".new").replace(place.root.warehouse)
        (place.audio / "2026-11-02").mkdir()
        (place.audio / "2026-11-02" / "two.wav").write_text("two")
    assert histories.contents() == before
    with histories.copy() as place:
        assert Lake(place.root.lake).files(CALLS) == files, "a night knows each file by its state"
        assert Lake(place.root.lake).read(CALLS)["recording_id"].to_pylist() == ["one"]
        assert [path.name for path in place.audio.iterdir()] == [DAY]
    assert (histories.n_made, histories.n_settled) == (1, 3)


def test_what_a_killed_run_left_is_removed(histories):
    (histories.folder / "audio" / "2026-11-02").mkdir()
    (histories.folder / "night" / "root" / "lake").mkdir(parents=True)
    with histories.copy() as place:
        assert [path.name for path in place.audio.iterdir()] == [DAY]
    (histories.folder / "history.json").unlink()  # it was killed while it made the history
    with histories.copy():
        pass
    assert histories.n_made == 2


def test_a_history_of_other_tables_settings_or_another_folder_is_refused(histories):
    other = Settings(ingest={"shard_calls": 16})
    with (
        pytest.raises(StopError, match="was made with other settings; delete it"),
        histories.copy(other),
    ):
        pass
    stated = histories.folder / "history.json"
    made_by = stated.read_text()
    stated.write_text(made_by.replace('"tables": "', '"tables": "0'))
    with pytest.raises(StopError, match="by another version of tables"), histories.copy():
        pass
    stated.write_text(made_by)
    histories.folder = histories.folder.rename(histories.folder.with_name("moved"))
    with pytest.raises(StopError, match="was made in another folder"), histories.copy():
        pass
