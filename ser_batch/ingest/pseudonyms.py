"""Customers and attributes under pseudonyms: a keyed hash takes the place of the text.

The same text has the same pseudonym as long as the key stays, so calls of one customer stay
together; who does not have the key cannot tell whose they are.
"""

from __future__ import annotations

import hashlib
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ser_batch.config import IngestSettings
from ser_batch.errors import SettingsError

LEAST_KEY_CHARS = 16
_PREFIX = "p-"
_COMMAND_S = 30.0


@dataclass(frozen=True)
class Pseudonyms:
    """What is kept under a pseudonym, and the key.

    Attributes:
        columns: ours and theirs, lower case
        key: 32 bytes
    """

    columns: frozenset[str]
    key: bytes

    def cover(self, column: str) -> bool:
        """Whether a column is kept under pseudonyms."""
        return column.lower() in self.columns

    def of(self, text: str) -> str:
        """The pseudonym of a text: 96 bits of a keyed hash."""
        return _PREFIX + hashlib.blake2b(text.encode(), key=self.key, digest_size=12).hexdigest()

    def applied(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Fields with pseudonyms in the place of texts."""
        return {name: self.of(text) if self.cover(name) else text for name, text in fields.items()}


def read_pseudonyms(settings: IngestSettings) -> Pseudonyms | None:
    """How texts are pseudonymised; None where nothing is.

    Raises:
        SettingsError: if there is no key, or it cannot be read
    """
    if not settings.pseudonymise:
        return None
    given = settings.pseudonym_key.get_secret_value() if settings.pseudonym_key else None
    key = _key(given, settings.pseudonym_key_file, settings.pseudonym_key_command)
    ours = {name.lower() for name in settings.pseudonymise}
    theirs = {settings.columns[name].lower() for name in ours if name in settings.columns}
    return Pseudonyms(frozenset(ours | theirs), key)


@cache
def _key(given: str | None, file: str | None, command: str | None) -> bytes:
    """The digest of the key's text; the command runs once a process."""
    try:
        if given is None and file is not None:
            given = Path(file).read_text(encoding="utf-8")
        elif given is None and command is not None:
            done = subprocess.run(
                shlex.split(command), capture_output=True, check=True, timeout=_COMMAND_S, text=True
            )
            given = done.stdout
    except (OSError, UnicodeDecodeError, subprocess.SubprocessError) as error:
        source = f"the file {file}" if file is not None else "ingest.pseudonym_key_command"
        raise SettingsError(
            f"the key of pseudonyms cannot be read from {source}: {error}"
        ) from error
    text = (given or "").strip()
    if len(text) < LEAST_KEY_CHARS:
        raise SettingsError(
            f"ingest.pseudonymise needs a key of at least {LEAST_KEY_CHARS} characters: set "
            "SER_INGEST__PSEUDONYM_KEY, ingest.pseudonym_key_file or ingest.pseudonym_key_command"
        )
    return hashlib.sha256(text.encode()).digest()
