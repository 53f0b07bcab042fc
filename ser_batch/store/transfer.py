"""Files of a working copy, fetched from their objects and put into new ones, several at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ser_batch.files.objects import Store
from ser_batch.store.disk import disk
from ser_batch.store.snapshots import Content, new_key, new_token

AT_ONCE = 16
"""Objects that are fetched or put at the same time."""


def fetch_files(
    store: Store,
    folder: Path,
    contents: Mapping[str, Content],
    on_fetched: Callable[[str, Content], None],
) -> None:
    """Fetch contents into a folder, each whole or not at all.

    Args:
        store: that holds them
        folder: in which they are put
        contents: by path below it
        on_fetched: called with each that is there, after an error too

    Raises:
        FileNotFoundError: if a content is not in the store any more
    """

    def fetch(path: str) -> None:
        content, target = contents[path], folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".tmp-{os.getpid()}-{target.name}")
        try:
            store.download(content.key, unfinished)
            os.utime(unfinished, ns=(content.modified_ns, content.modified_ns))
            disk().rename(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)
        on_fetched(path, content)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(fetch, contents))


def put_files(store: Store, folder: Path, paths: Iterable[str]) -> dict[str, Content]:
    """Put files into new objects; the contents of those that were still there.

    Args:
        store: that takes them
        folder: in which they lie
        paths: below it
    """
    token = new_token()

    def put(path: str) -> Content | None:
        place, key = folder / path, new_key(path, token)
        try:
            status = place.stat()
            store.put(key, place)
        except FileNotFoundError:  # deleted meanwhile, by a program beside this one
            return None
        return Content(key, status.st_size, status.st_mtime_ns)

    wanted = [*paths]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        done = zip(wanted, threads.map(put, wanted), strict=True)
        return {path: content for path, content in done if content}
