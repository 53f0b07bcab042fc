"""Customers and attributes under pseudonyms: a keyed hash takes the place of the text.

The same text has the same pseudonym as long as the key stays, so calls of one customer stay
together; who does not have the key cannot tell whose they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import SecretStr

from ser_batch.config import IngestSettings
from ser_batch.errors import SettingsError
from ser_batch.secret import read_secret

LEAST_KEY_CHARS = 16
_PREFIX = "p-"


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
    key = _key(settings.pseudonym_key, settings.pseudonym_key_file, settings.pseudonym_key_command)
    ours = {name.lower() for name in settings.pseudonymise}
    theirs = {settings.columns[name].lower() for name in ours if name in settings.columns}
    return Pseudonyms(frozenset(ours | theirs), key)


@cache
def _key(given: SecretStr | None, file: str | None, command: str | None) -> bytes:
    """The digest of the key's text; the command runs once a process."""
    text = read_secret("ingest.pseudonym_key", given, file, command) or ""
    if len(text) < LEAST_KEY_CHARS:
        raise SettingsError(
            f"ingest.pseudonymise needs a key of at least {LEAST_KEY_CHARS} characters: set "
            "SER_INGEST__PSEUDONYM_KEY, ingest.pseudonym_key_file or ingest.pseudonym_key_command"
        )
    return hashlib.sha256(text.encode()).digest()
