"""Make a root encrypted, bring its files to what the settings say, and replace the user's key."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ser_batch.config import EncryptionSettings
from ser_batch.errors import NoKeyError, NotEncryptedError
from ser_batch.store.atomic import TEMPORARY, replacing
from ser_batch.store.content import copy_in, copy_out
from ser_batch.store.disk import disk
from ser_batch.store.keys import (
    COPY,
    KEY_FILE,
    is_encrypted,
    key_to_write,
    unwrapped,
    use_settings,
    users_key,
    wrapped,
)
from ser_batch.store.paths import Root
from ser_batch.store.sealed import KEY_BYTES, is_sealed

_FOLDERS = ("alerts", "labels", "lake", "reports", "warehouse")
_OF_MODELS = (".json", ".jsonl", ".md", ".torn")
"""Endings of the files of models that name calls and queues; the others hold numbers."""


def open_keys(root: Root, settings: EncryptionSettings) -> None:
    """Use the key that the settings name for a root, and check that they fit each other.

    Raises:
        NoKeyError: if the root is encrypted and there is no key
        WrongKeyError: if it is not the root's
        NotEncryptedError: if there is a key, and the root has a lake that is not encrypted
    """
    if not is_encrypted(root.path) and users_key(settings) is not None and root.lake.exists():
        raise NotEncryptedError(root.path)
    use_settings(root, settings)


def begin(root: Root, settings: EncryptionSettings) -> None:
    """Encrypt what is written under a root from now on, if the settings name a key."""
    if users_key(settings) is not None and not is_encrypted(root.path):
        encrypt(root, settings)
    use_settings(root, settings)


def encrypt(
    root: Root,
    settings: EncryptionSettings,
    on_file: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """Encrypt what lies under a root and is to be; how many files changed. The root is held.

    Killed and called again, it finishes.

    Args:
        root: whose
        settings: which key, and whether reports stay open
        on_file: called with how many files are done, of how many

    Raises:
        NoKeyError: if the settings name no key
    """
    text = users_key(settings)
    if text is None:
        raise NoKeyError(root.path)
    if not is_encrypted(root.path):
        _write_key(root, wrapped(os.urandom(KEY_BYTES), text))
    use_settings(root, settings)
    todo = unlike_settings(root)
    for number, path in enumerate(todo, start=1):
        _convert(path)
        on_file(number, len(todo))
    return len(todo)


def replace_key(root: Root, before: EncryptionSettings, after: EncryptionSettings) -> None:
    """Give a root another user's key; no file but the key's is written. The root is held.

    Raises:
        NoKeyError: if either names no key
        WrongKeyError: if the one before is not the root's
    """
    old, new = users_key(before), users_key(after)
    if old is None or new is None:
        raise NoKeyError(root.path)
    _write_key(root, wrapped(unwrapped(root.path, old), new))


def unlike_settings(root: Root) -> list[Path]:
    """Files of an encrypted root that are not encrypted and should be, or the other way round."""
    return [
        path for path in sorted(_files(root)) if is_sealed(path) != (key_to_write(path) is not None)
    ]


def decrypt(source: Path, target: Path) -> int:
    """Copy a file or a folder, decrypted; how many files.

    Args:
        source: below an encrypted root or not
        target: the copy; a folder is made if needed
    """
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_out(source, target)
        return 1
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    kept = [path for path in files if path.name not in (KEY_FILE, COPY.name, ".lock")]
    for path in kept:
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        copy_out(path, place)
    return len(kept)


def _convert(path: Path) -> None:
    """Write a file again as it must lie; its time of change stays."""
    changed_ns = path.stat().st_mtime_ns
    with replacing(path) as temporary:
        (copy_in if key_to_write(path) else copy_out)(path, temporary)
        os.utime(temporary, ns=(changed_ns, changed_ns))
        disk().sync(temporary)


def _files(root: Root) -> Iterator[Path]:
    """What the program writes about calls; locks, the key, caches and numbers stay as they are."""
    for name in _FOLDERS:
        yield from _ours(root.path / name)
    for path in _ours(root.models):
        if path.suffix in _OF_MODELS and not path.is_relative_to(root.encoders):
            yield path
    yield from (path for path in (root.path / ".erasing.json",) if path.is_file())


def _ours(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        is_working = path.name.startswith(TEMPORARY) or path.suffix == ".lock"
        if path.is_file() and not path.is_symlink() and not is_working and path.name != COPY.name:
            yield path


def _write_key(root: Root, content: bytes) -> None:
    for place in (root.path / COPY, root.path / KEY_FILE):
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as temporary:
            disk().write(temporary, content)
            disk().sync(temporary)
        disk().sync(place.parent)
