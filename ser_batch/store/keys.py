"""Whether a root is encrypted, and its data key.

A root is encrypted if `.encryption.json` lies in it. That file holds the data key, wrapped with
the user's key, so that the user's key can be replaced without rewriting any other file. It lies a
second time among the lake's second copies. A process that was not told of any settings reads those
of the root: whoever writes below an encrypted root encrypts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ser_batch.config import EncryptionSettings
from ser_batch.errors import NoKeyError, SettingsError, StateFileError, WrongKeyError
from ser_batch.secret import read_secret
from ser_batch.settings_file import find_settings_file, load_settings
from ser_batch.store.paths import Root
from ser_batch.store.sealed import KEY_BYTES

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_FILE = ".encryption.json"
LEAST_CHARS = 16
COPY = Path("lake", ".copies", "encryption.json")
_SALT, _NONCE, _MAGIC = 16, 12, b"ser-batch data key"


@dataclass(frozen=True)
class _Opened:
    settings: EncryptionSettings
    data_key: bytes


_settings: dict[Path, EncryptionSettings] = {}
_opened: dict[Path, _Opened] = {}


def use_settings(root: Root, settings: EncryptionSettings) -> None:
    """Take the key of a root from these settings from now on, and check it if it is encrypted.

    Raises:
        NoKeyError: if the root is encrypted and the settings name no key
        WrongKeyError: if it is not the root's key
    """
    path = root.path.absolute()
    if _settings.get(path) != settings:
        _settings[path] = settings
        _opened.pop(path, None)
    if is_encrypted(path):
        _open(path)


def encrypted_root(path: Path) -> Path | None:
    """The encrypted root that a path lies below, None if there is none."""
    return next((folder for folder in path.absolute().parents if is_encrypted(folder)), None)


def is_encrypted(folder: Path) -> bool:
    """Whether a folder is an encrypted root."""
    return (folder / KEY_FILE).exists() or (folder / COPY).exists()


def key_to_read(path: Path) -> bytes:
    """The data key for an encrypted file.

    Raises:
        StateFileError: if no root above it says that it is encrypted
        NoKeyError: if there is no key
        WrongKeyError: if it is not the root's
    """
    root = encrypted_root(path)
    if root is None:
        raise StateFileError(path, f"is encrypted, and its root's {KEY_FILE} is gone")
    return _open(root).data_key


def key_to_write(path: Path) -> bytes | None:
    """The data key for a file that is to be written; None: it is not encrypted.

    Raises:
        NoKeyError: if there is no key
        WrongKeyError: if it is not the root's
    """
    folder = encrypted_root(path)
    if folder is None:
        return None
    opened = _open(folder)
    is_page = path.suffix == ".html" and path.absolute().is_relative_to(Root(folder).reports)
    return None if is_page and opened.settings.open_reports else opened.data_key


def settings_of(root: Path) -> EncryptionSettings:
    """The settings that were named for a root, else those of its settings file."""
    known = _settings.get(root)
    return load_settings(find_settings_file(root)).encryption if known is None else known


@cache
def users_key(settings: EncryptionSettings) -> str | None:
    """The text of the key that the settings name; None: they name none. Read once a process.

    Raises:
        SettingsError: if it cannot be read or is too short
    """
    text = read_secret("encryption.key", settings.key, settings.key_file, settings.key_command)
    if text is not None and len(text) < LEAST_CHARS:
        raise SettingsError(f"encryption.key has less than {LEAST_CHARS} characters")
    return text


def wrapped(data_key: bytes, text: str) -> bytes:
    """The key file that holds a data key under a user's key."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    sealed = salt + nonce + _cipher(text, salt).encrypt(nonce, data_key, _MAGIC)
    content = {"version": 1, "data_key": base64.b64encode(sealed).decode()}
    return (json.dumps(content) + "\n").encode()


def unwrapped(root: Path, text: str) -> bytes:
    """The data key of an encrypted root.

    Raises:
        WrongKeyError: if the user's key does not open it
        StateFileError: if neither copy of the key file can be read
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    is_readable = False
    for place in (root / KEY_FILE, root / COPY):
        try:
            sealed = base64.b64decode(json.loads(place.read_bytes())["data_key"], validate=True)
            salt, nonce = sealed[:_SALT], sealed[_SALT : _SALT + _NONCE]
            cipher = _cipher(text, salt)
        except (OSError, ValueError, KeyError, TypeError):
            continue
        is_readable = True
        try:
            return cipher.decrypt(nonce, sealed[_SALT + _NONCE :], _MAGIC)
        except (InvalidTag, ValueError):
            continue
    if not is_readable:
        raise StateFileError(root / KEY_FILE, "cannot be read, and neither can its second copy")
    raise WrongKeyError(root)


def _open(root: Path) -> _Opened:
    if root not in _opened:
        settings = settings_of(root)
        text = users_key(settings)
        if text is None:
            raise NoKeyError(root)
        _opened[root] = _Opened(settings, unwrapped(root, text))
    return _opened[root]


def _cipher(text: str, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    # slow on purpose: the key may be a sentence that somebody thought up
    derived = hashlib.scrypt(text.encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=KEY_BYTES)
    return AESGCM(derived)
