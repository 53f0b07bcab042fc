"""The list of customers and calls that object to being scored, read again every night."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_batch.config import Settings, digest
from ser_batch.errors import ObjectionListError
from ser_batch.ingest.pseudonyms import read_pseudonyms

HASHED = "sha256:"
"""Before an id that is given by its digest only."""

_OF_CALL = ("customer", "call_id")


@dataclass(frozen=True)
class Objections:
    """Who objects.

    Attributes:
        entries: customer or call ids, as the tables hold them, and digests after `sha256:`
    """

    entries: frozenset[str] = frozenset()

    def name(self, call: dict[str, Any]) -> bool:
        """Whether the customer or the call of a row of `calls` is on the list."""
        ids = [text for column in _OF_CALL if (text := call[column])]
        return any(text in self.entries or _hashed(text) in self.entries for text in ids)

    def applied(self, call: dict[str, Any]) -> dict[str, Any]:
        """The row of a call; it carries the objection where the list names it."""
        return {**call, "objected": True} if self.name(call) else call

    def digest(self) -> str:
        """Changes with the list."""
        return digest(sorted(self.entries))


def read_objections(settings: Settings) -> Objections:
    """The list that `policy.objections` names, empty where it names none.

    Raises:
        ObjectionListError: if it cannot be read: nobody may be scored without it
    """
    if settings.policy.objections is None:
        return Objections()
    path = Path(settings.policy.objections)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ObjectionListError(path, error) from error
    listed = {line.strip() for line in text.split("\n") if line.strip()}
    entries = {_spelt(entry) for entry in listed}
    if (pseudonyms := read_pseudonyms(settings.ingest)) and pseudonyms.cover("customer"):
        entries |= {pseudonyms.of(entry) for entry in listed}
    return Objections(frozenset(entries))


def _spelt(entry: str) -> str:
    return entry.lower() if entry.lower().startswith(HASHED) else entry


def _hashed(text: str) -> str:
    return HASHED + hashlib.sha256(text.encode()).hexdigest()
