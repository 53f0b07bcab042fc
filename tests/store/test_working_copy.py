"""A root in an object store, worked on by several machines, each with its working copy."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ser_batch.errors import ChangedMeanwhileError, LockedError, TakenOverError
from ser_batch.files.objects import FolderStore
from ser_batch.store import lease, snapshots
from ser_batch.store.journal import Journal
from ser_batch.store.lease import delete_unpublished, publish_changes
from ser_batch.store.local_files import everything, local_path
from ser_batch.store.lock import followed, only_run, only_writer, refresh
from ser_batch.store.paths import Root
from ser_batch.store.snapshots import DATA, Holder, Snapshot, Snapshots
from ser_batch.store.working_copy import WorkingCopy, working_copy

Machine = Callable[[str], Root]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The root as a machine of a name works on it."""

    def root_at(name: str) -> Root:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
        return Root(local_path(Path((tmp_path / "share").as_uri())))

    return root_at


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "share")


def write(root: Root, path: str, text: str) -> None:
    place = root.path / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def files(root: Root) -> dict[str, str]:
    """What lies under a root, but for what belongs to the machine."""
    return {
        path.relative_to(root.path).as_posix(): path.read_text()
        for path in root.path.rglob("*")
        if path.is_file() and not path.relative_to(root.path).as_posix().startswith(".")
    }


def copy_of(root: Root) -> WorkingCopy:
    found = working_copy(root.path)
    assert found is not None
    return found


@contextmanager
def killed_run(root: Root) -> Iterator[None]:
    """A run whose process is killed at the end of the block: nothing of it is tidied up."""
    copy, stack = copy_of(root), ExitStack()
    stack.enter_context(only_run(root))
    yield
    copy.push = lambda *_, **__: None  # type: ignore[method-assign]
    stack.close()
    del copy.push
    copy.run_epoch = None


def test_another_machine_sees_what_a_run_wrote_changed_and_deleted(
    machine: Machine, store: FolderStore
) -> None:
    one = machine("one")
    with only_run(one):
        write(one, "lake/calls/a.parquet", "a")
        write(one, "lake/calls/b.parquet", "b")
    two = machine("two")
    refresh(two)
    assert files(two) == {"lake/calls/a.parquet": "a", "lake/calls/b.parquet": "b"}
    changed = (one.path / "lake/calls/a.parquet").stat().st_mtime_ns
    assert (two.path / "lake/calls/a.parquet").stat().st_mtime_ns == changed

    with only_run(two):
        write(two, "lake/calls/a.parquet", "other")
        (two.path / "lake/calls/b.parquet").unlink()
    refresh(one)
    assert files(one) == {"lake/calls/a.parquet": "other"}
    contents = [store.get(each.key) for each in store.list(DATA)]
    assert contents == [b"other"], "what was replaced or deleted is left in the store"


def test_locks_caches_and_unfinished_files_stay_on_their_machine(machine: Machine) -> None:
    one = machine("one")
    with only_run(one), only_writer(one.lake, "labels"):
        for path in ("lake/.checked/x", "lake/.tmp-1-a", "warehouse/calls.duckdb.building-7"):
            write(one, path, "mine")
        write(one, "lake/labels/l.parquet", "shared")
    two = machine("two")
    refresh(two)
    assert files(two) == {"lake/labels/l.parquet": "shared"}


def test_only_the_folder_that_is_read_is_fetched_and_the_rest_stays_in_the_store(
    machine: Machine,
) -> None:
    one = machine("one")
    with only_run(one):
        write(one, "warehouse/calls.duckdb", "published")
        write(one, "lake/calls/a.parquet", "a")
        write(one, "ser-batch.toml", "")
    two = machine("two")
    refresh(two, only="warehouse")
    assert files(two).keys() == {"warehouse/calls.duckdb", "ser-batch.toml"}
    assert not copy_of(two).has_changes()
    with only_run(two):
        pass
    assert "lake/calls/a.parquet" in files(two)


def test_a_second_run_is_refused_with_the_name_of_the_first(machine: Machine) -> None:
    one, two = machine("one"), machine("two")
    with (
        only_run(one),
        pytest.raises(LockedError, match=rf"share \(process {os.getpid()} on "),
        only_run(two),
    ):
        pytest.fail("two runs hold the root")
    with only_run(two):
        pass


def test_a_silent_run_is_taken_over_and_cannot_publish(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machine("one"), machine("two")
    silent = ExitStack()
    silent.enter_context(only_run(one))
    write(one, "lake/calls/a.parquet", "old")
    publish_changes(one.path)
    monkeypatch.setattr(lease, "SILENT_S", -1.0)
    with only_run(two):
        write(one, "lake/calls/a.parquet", "too late")
        with pytest.raises(TakenOverError, match="process"):
            publish_changes(one.path)
        write(two, "lake/calls/b.parquet", "new")
    with pytest.raises(TakenOverError):
        silent.close()
    refresh(one)
    assert files(one) == {"lake/calls/a.parquet": "old", "lake/calls/b.parquet": "new"}


def test_a_killed_run_goes_on_at_once_on_its_machine_with_what_it_had_done(
    machine: Machine,
) -> None:
    one = machine("one")
    with killed_run(one):
        write(one, "lake/calls/a.parquet", "done")
    with only_run(one):
        assert files(one) == {"lake/calls/a.parquet": "done"}
    two = machine("two")
    refresh(two)
    assert files(two) == {"lake/calls/a.parquet": "done"}


def test_what_a_killed_run_left_is_discarded_if_another_machine_ran_since(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machine("one"), machine("two")
    with killed_run(one):
        write(one, "lake/calls/shard-of-one.parquet", "half")
    with pytest.raises(LockedError), only_run(two):
        pass
    monkeypatch.setattr(lease, "SILENT_S", -1.0)
    with only_run(two):
        write(two, "lake/calls/shard-of-two.parquet", "whole")
    with only_run(one):
        assert files(one) == {"lake/calls/shard-of-two.parquet": "whole"}


def test_what_a_task_of_a_dead_run_leaves_is_published_by_the_next_run_of_its_machine(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machine("one"), machine("two")
    with killed_run(one):
        epoch = copy_of(one).snapshots.newest().epoch
    monkeypatch.setattr(lease, "SILENT_S", -1.0)
    with only_run(two):
        write(two, "lake/calls/a.parquet", "by a worker that still has a task of the first run")
        with pytest.raises(TakenOverError):
            copy_of(two).put_changes(everything, epoch)
    refresh(one)
    assert files(one) == files(two) != {}


def test_what_a_task_writes_stays_when_another_program_of_its_machine_fetches_what_is_newer(
    machine: Machine,
) -> None:
    one, two = machine("one"), machine("two")
    with only_run(two):
        write(two, "lake/calls/known.parquet", "known")
    write(two, "lake/calls/left.parquet", "by an earlier run that was killed")
    with only_run(one):
        write(one, "lake/calls/a.parquet", "found")
        publish_changes(one.path)
        task = copy_of(two).pull_for_task(lambda path: path.endswith("/a.parquet"))
        write(two, "lake/segments/a.parquet", "of the task")
        write(two, "lake/calls/a.parquet", "described")
        refresh(two)
        copy_of(one).push(stored=copy_of(two).put_changes(everything, task.epoch))
    for root in (one, two):
        refresh(root)
        assert files(root) == {
            "lake/calls/a.parquet": "described",
            "lake/calls/known.parquet": "known",
            "lake/segments/a.parquet": "of the task",
        }


def test_labels_are_kept_while_a_run_on_another_machine_holds_the_root(machine: Machine) -> None:
    one, two = machine("one"), machine("two")
    with only_run(one):
        journal = Journal(two.path / "labels" / "batch.jsonl")
        journal.add({"emotion": "anger"})
        write(one, "lake/calls/a.parquet", "a")
    refresh(one)
    assert [row["emotion"] for row in Journal(one.path / "labels" / "batch.jsonl").read()] == [
        "anger"
    ]
    assert (one.path / "lake/calls/a.parquet").exists()
    Journal(one.path / "labels" / "batch.jsonl").add({"emotion": "sadness"})
    journal.add({"emotion": "neutral"})
    found = [row["emotion"] for row in journal.read()]
    assert found == ["anger", "sadness", "neutral"], "a line of another machine is lost"


def test_a_fetch_waits_for_a_label_that_is_being_written(machine: Machine) -> None:
    one, two = machine("one"), machine("two")
    with only_run(one):
        write(one, "settings.toml", "")
    refresh(two)
    with only_run(one):  # what is not published elsewhere is discarded by the next fetch
        pass
    with only_writer(two.lake, "labels"):
        write(two, "lake/labels/l.parquet", "dissatisfied")
        fetch = threading.Thread(target=refresh, args=(two,))
        fetch.start()
        fetch.join(0.3)
        assert fetch.is_alive()
    fetch.join()
    refresh(one)
    for root in (one, two):
        assert (root.lake / "labels/l.parquet").read_text() == "dissatisfied"


def test_a_server_follows_what_another_machine_publishes(machine: Machine) -> None:
    one, two = machine("one"), machine("two")
    with followed(two, every_s=0.05):
        with only_run(one):
            write(one, "warehouse/calls.duckdb", "night")
        give_up = time.monotonic() + 30
        while not two.warehouse.exists() and time.monotonic() < give_up:
            time.sleep(0.02)
    assert files(two) == {"warehouse/calls.duckdb": "night"}


def test_of_two_that_write_one_file_at_the_same_time_the_second_is_told(machine: Machine) -> None:
    one, two = machine("one"), machine("two")
    slow = ExitStack()
    slow.enter_context(only_writer(one.path / "alerts", "sent.json"))
    write(one, "alerts/sent.json", "slow")
    with only_writer(two.path / "alerts", "sent.json"):
        write(two, "alerts/sent.json", "faster")
    with pytest.raises(ChangedMeanwhileError, match="alerts/sent"):
        slow.close()
    refresh(one)
    assert files(one)["alerts/sent.json"] == "faster"


def test_a_version_number_that_was_used_and_deleted_cannot_be_used_again(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, other = Snapshots(store), Snapshots(store)
    for number in (1, 2, 3):
        assert other.add(Snapshot(number, 1, Holder("other", "")))
    monkeypatch.setattr(late, "newest", lambda: Snapshot(1))  # as it was when it looked
    assert not late.add(Snapshot(2, 0, Holder("late", "")))
    assert Snapshots(store).newest() == Snapshot(3, 1, Holder("other", ""))


def test_contents_that_nobody_published_are_deleted_once_they_are_old(
    machine: Machine, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = machine("one")
    with only_run(one):
        write(one, "lake/calls/a.parquet", "a")
    store.put(f"{DATA}/token/lake/calls/b.parquet", b"of a killed program")
    delete_unpublished(one.path)
    assert len(list(store.list(DATA))) == 2
    monkeypatch.setattr(snapshots, "UNPUBLISHED_S", -60.0)
    delete_unpublished(one.path)
    assert [store.get(each.key) for each in store.list(DATA)] == [b"a"]
