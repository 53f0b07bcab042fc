"""Every store keeps the same promises: a folder, and what obstore reaches."""

from __future__ import annotations

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ser_batch.errors import DependencyError, StoreAddressError, StoreMissingError
from ser_batch.files.objects import FolderStore, Store, address_of, is_address, open_store

HAS_OBSTORE = importlib.util.find_spec("obstore") is not None
needs_obstore = pytest.mark.skipif(
    not HAS_OBSTORE, reason="obstore is missing: pip install 'ser-batch[cluster]'"
)


@pytest.fixture(
    params=[
        "folder",
        pytest.param("obstore memory", marks=needs_obstore),
        pytest.param("obstore folder", marks=needs_obstore),
    ]
)
def store(request: Any, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "objects")
    from obstore.store import LocalStore, MemoryStore

    from ser_batch.files.bucket import BucketStore

    is_memory = request.param == "obstore memory"
    objects = MemoryStore() if is_memory else LocalStore(tmp_path / "objects", mkdir=True)
    return BucketStore("s3://calls", objects)


def test_an_object_is_read_as_it_was_put_until_it_is_deleted(store: Store, tmp_path: Path) -> None:
    store.put("lake/calls/a.parquet", b"first")
    store.put("lake/calls/a.parquet", b"second")
    (tmp_path / "b").write_bytes(b"from a file")
    store.put("lake/calls/b.parquet", tmp_path / "b")

    assert store.get("lake/calls/a.parquet") == b"second"
    store.download("lake/calls/b.parquet", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"from a file"

    store.delete(["lake/calls/a.parquet", "lake/calls/b.parquet"])
    with pytest.raises(FileNotFoundError):
        store.get("lake/calls/a.parquet")
    with pytest.raises(FileNotFoundError):
        store.download("lake/calls/b.parquet", tmp_path / "copy")
    store.delete(["lake/calls/a.parquet"])  # again: it does not matter
    assert list(store.list("")) == []


def test_a_listing_shows_keys_below_a_prefix_with_sizes_and_other_etags_for_other_content(
    store: Store,
) -> None:
    store.put("lake/a", b"1")
    store.put("lake/sub/b", b"22")
    store.put("lakeside/c", b"333")
    found = {each.key: each for each in store.list("lake")}
    assert {key: each.size for key, each in found.items()} == {"lake/a": 1, "lake/sub/b": 2}

    before = found["lake/a"].etag
    store.put("lake/a", b"2")
    assert next(each.etag for each in store.list("lake") if each.key == "lake/a") != before
    assert len(list(store.list(""))) == 3


def test_a_folder_shows_its_objects_and_the_folders_below_it(store: Store) -> None:
    for key in ("calls/a.wav", "calls/day/b.wav", "calls/day/deep/c.wav", "other/d.wav"):
        store.put(key, b"1")

    def listed(prefix: str) -> tuple[list[str], list[str]]:
        objects, folders = store.list_folder(prefix)
        return sorted(each.key for each in objects), sorted(folders)

    assert listed("") == ([], ["calls", "other"])
    assert listed("calls") == (["calls/a.wav"], ["calls/day"])
    assert listed("calls/day") == (["calls/day/b.wav"], ["calls/day/deep"])
    assert listed("nothing") == ([], [])


def test_bytes_are_read_only_of_the_content_that_was_found(store: Store) -> None:
    store.put("a.wav", b"0123456789")
    found = store.head("a.wav")
    assert found.is_same(next(iter(store.list(""))))
    assert (found.key, found.size) == ("a.wav", 10)
    assert store.read(found, 2, 5) == b"234"
    assert store.read(found, 8, 99) == b"89"
    store.put("a.wav", b"9876543210")
    with pytest.raises(FileNotFoundError):
        store.read(found, 2, 5)
    store.delete(["a.wav"])
    with pytest.raises(FileNotFoundError):
        store.read(found, 2, 5)
    with pytest.raises(FileNotFoundError):
        store.head("a.wav")


def test_of_many_that_create_one_object_one_succeeds(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda n: store.create("lease", str(n).encode()), range(24)))
    assert sum(won) == 1
    assert store.get("lease") == str(won.index(True)).encode()


def test_an_address_has_one_spelling_though_a_path_lost_a_slash() -> None:
    for text in ("s3://calls/site/a", "s3:/calls/site/a", "s3://calls/site/a/"):
        assert is_address(text)
        assert address_of(text) == "s3://calls/site/a"
    assert address_of("file:/srv/share") == "file:///srv/share"
    assert is_address("s3:")
    assert not is_address("data/s3")
    assert is_address("gs:/calls/site")
    assert address_of("S3://calls") == "s3://calls"
    with pytest.raises(StoreAddressError, match="gs://calls/site is no address"):
        address_of("gs:/calls/site")
    with pytest.raises(StoreAddressError):
        address_of("s3://")


def test_a_share_that_is_not_mounted_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match="unmounted"):
        open_store((tmp_path / "unmounted" / "root").as_uri())


@pytest.mark.skipif(HAS_OBSTORE, reason="obstore is installed")
def test_a_bucket_without_obstore_says_how_to_install_it() -> None:
    with pytest.raises(DependencyError, match="cluster"):
        open_store("s3://calls/root")
