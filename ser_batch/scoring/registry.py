"""The registry: which model is the champion, and who made it so, when and why.

A log of JSON lines beside the models, to which lines are only ever added; what holds follows from
reading it from the top.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from ser_batch.clock import utc_now
from ser_batch.errors import ModelError, StateFileError
from ser_batch.store.journal import Journal, Record

REGISTRY = "registry.jsonl"
BUNDLED = "bundled"
"""Stands for the model that comes with the program."""

Event = Literal["registered", "promoted", "rolled_back", "refused", "shadow_on", "shadow_off"]
EVENTS: tuple[str, ...] = get_args(Event)


@dataclass(frozen=True)
class Entry:
    """A line of the log.

    Attributes:
        event: what was done
        model_id: with which model; of a roll-back, the one that is the champion from then on
        folder: of its bundle, below the models' folder; `bundled` for the one that comes along
        who: the account, or the flow
        why: in words
        at: when, UTC, ISO 8601
        figures: what it rested on, JSON-able
    """

    event: Event
    model_id: str
    folder: str
    who: str
    why: tuple[str, ...]
    at: str
    figures: Mapping[str, Any] = field(default_factory=dict)


class Registry:
    """The log of one folder of models.

    Args:
        folder: in which each bundle has its own
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / REGISTRY

    def entries(self) -> list[Entry]:
        """Every line, oldest first.

        Raises:
            StateFileError: naming the line that cannot be read
        """
        records = Journal(self.path).read()
        return [_entry(each, number, self.path) for number, each in enumerate(records, start=1)]

    def champion(self) -> Entry | None:
        """The line that made the champion what it is, None while nothing was ever promoted."""
        return next(reversed(self._champions()), None)

    def shadows(self) -> list[str]:
        """Folders of the challengers that score along, in the order in which they began."""
        folders: dict[str, None] = {}
        for entry in self.entries():
            if entry.event == "shadow_on":
                folders[entry.folder] = None
            elif entry.event in ("shadow_off", "promoted"):
                folders.pop(entry.folder, None)
        return list(folders)

    def add(
        self,
        event: Event,
        model_id: str,
        folder: str,
        *,
        who: str,
        why: Sequence[str],
        figures: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Write a line, whole or not at all."""
        at = utc_now().replace(tzinfo=dt.UTC).isoformat(timespec="milliseconds")
        entry = Entry(event, model_id, folder, who, tuple(why), at, dict(figures or {}))
        Journal(self.path).add(asdict(entry))
        return entry

    def before(self) -> str:
        """Folder of the last champion that is another model than the present one.

        Raises:
            ModelError: if nothing was promoted that could be rolled back
        """
        folders = [BUNDLED, *(entry.folder for entry in self._champions())]
        others = [folder for folder in folders if folder != folders[-1]]
        if not others:
            raise ModelError("no other model was champion before: there is nothing to roll back")
        return others[-1]

    def _champions(self) -> list[Entry]:
        """The champions that were not rolled back, the present one last; none twice in a row."""
        champions: list[Entry] = []
        for entry in self.entries():
            if entry.event == "promoted":
                if champions and champions[-1].folder == entry.folder:
                    champions.pop()
                champions.append(entry)
            elif entry.event == "rolled_back":
                while champions and champions[-1].folder != entry.folder:
                    champions.pop()
        return champions


def _entry(stored: Record, number: int, path: Path) -> Entry:
    try:
        entry = Entry(**{**stored, "why": tuple(stored["why"])})
    except (TypeError, KeyError) as error:
        raise StateFileError(path, f"line {number}: {error}") from error
    if entry.event not in EVENTS:
        raise StateFileError(path, f"line {number}: {entry.event!r} is no event of this program")
    return entry
