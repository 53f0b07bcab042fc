"""The versions of a root in an object store: what each file's content is, and who may write.

Each version is an object of its own, `snapshots/<number>`, that is created and never replaced: of
two programs that add version n + 1, one succeeds and the other must look at what it missed. So a
version is published whole or not at all, and a run that was taken over cannot publish. The contents
lie below `data/` under names that are used once. What a new version no longer names is deleted.
"""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from ser_batch.errors import SerError, StoreError
from ser_batch.files.objects import Store, StoredObject

DATA = "data"
UNPUBLISHED_S = 3600.0
"""After so long a content that no version names will not be published any more."""
_SNAPSHOTS = "snapshots"
_FORMAT = 1
_TRIES = 10


class Content(NamedTuple):
    """The content of a file of a root.

    Attributes:
        key: of the object that holds it
        size: bytes
        modified_ns: the file's time of change, ns since 1970
    """

    key: str
    size: int
    modified_ns: int


@dataclass(frozen=True)
class Holder:
    """The run that may write.

    Attributes:
        copy: id of the working copy that it works in
        text: process, machine and since when
    """

    copy: str
    text: str


@dataclass(frozen=True)
class Snapshot:
    """A version of a root.

    Attributes:
        number: 0: nobody made the root yet
        epoch: how many runs have held the root
        holder: who holds it, None: nobody
        files: by path below the root
    """

    number: int = 0
    epoch: int = 0
    holder: Holder | None = None
    files: Mapping[str, Content] = field(default_factory=dict)


class Snapshots:
    """The versions of a root.

    Args:
        store: that holds the root
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last = Snapshot()

    def newest(self) -> Snapshot:
        """The newest version."""
        for _ in range(_TRIES):
            listed = self._listed()
            number = max(listed, default=0)
            if number == 0:
                return Snapshot()
            if number == self._last.number:
                return self._last
            with suppress(FileNotFoundError):  # a newer one was added meanwhile
                self._last = _decoded(number, self._store.get(listed[number].key))
                return self._last
        raise StoreError(f"{self._store.address} changes faster than it can be read")

    def published_s(self) -> float:
        """When the newest version was added, by the store's clock, s since 1970."""
        return max((each.modified_s for each in self._listed().values()), default=0.0)

    def add(self, snapshot: Snapshot) -> bool:
        """Publish a version, and delete what it no longer names.

        Args:
            snapshot: its number is one more than that of the version that it was made from

        Returns:
            whether it is the newest one; False: another one was added since
        """
        before, key = self.newest(), f"{_SNAPSHOTS}/{snapshot.number:012d}"
        if before.number != snapshot.number - 1:
            return False
        content = _encoded(snapshot)
        if not self._created(key, content):
            return False
        listed = self._listed()
        if max(listed) > snapshot.number:  # its number was used and deleted long ago
            self._store.delete([key])
            return False
        self._last = snapshot
        older = [each.key for number, each in listed.items() if number < snapshot.number]
        named = {each.key for each in snapshot.files.values()}
        replaced = [each.key for each in before.files.values() if each.key not in named]
        self._store.delete([*older, *replaced])
        return True

    def sweep(self) -> None:
        """Delete contents that killed programs put, which no version names."""
        named = {each.key for each in self.newest().files.values()}
        oldest_s = self.published_s() - UNPUBLISHED_S
        unnamed = (each for each in self._store.list(DATA) if each.key not in named)
        self._store.delete([each.key for each in unnamed if each.modified_s < oldest_s])

    def _created(self, key: str, content: bytes) -> bool:
        """Whether an object was created by this call, though its answer was lost perhaps."""
        try:
            if self._store.create(key, content):
                return True
        except SerError:
            with suppress(FileNotFoundError):
                if self._store.get(key) == content:
                    return True
            raise
        with suppress(FileNotFoundError):
            return self._store.get(key) == content
        return False

    def _listed(self) -> dict[int, StoredObject]:
        return {int(each.key.rpartition("/")[2]): each for each in self._store.list(_SNAPSHOTS)}


def new_key(path: str, token: str) -> str:
    """A name for a file's content that was never used.

    Args:
        path: below the root
        token: `new_token`
    """
    return f"{DATA}/{token}/{path}"


def new_token() -> str:
    """A text that nobody had before."""
    return secrets.token_hex(8)


def _encoded(snapshot: Snapshot) -> bytes:
    content = {
        "format": _FORMAT,
        "id": new_token(),
        "epoch": snapshot.epoch,
        "holder": asdict(snapshot.holder) if snapshot.holder else None,
        "files": snapshot.files,
    }
    return gzip.compress(json.dumps(content).encode(), 5, mtime=0)


def _decoded(number: int, data: bytes) -> Snapshot:
    content = json.loads(gzip.decompress(data))
    if content["format"] > _FORMAT:
        raise StoreError("the root was written by a later version of ser-batch; update this one")
    holder = content["holder"]
    return Snapshot(
        number,
        content["epoch"],
        Holder(**holder) if holder else None,
        {path: Content(*each) for path, each in content["files"].items()},
    )
