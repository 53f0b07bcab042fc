"""Histories that are kept and used again: a folder a size; nights are measured on a copy of it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ser_batch.analysis.identity import analysis_id
from ser_batch.config import Settings, digest
from ser_batch.errors import StopError
from ser_batch.ingest.call_tags import rules_tags
from ser_batch.scoring.choose import model_id
from ser_batch.stages.shard import features_of
from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.lock import only_writer
from ser_batch.store.paths import Root
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    DRIFT,
    FILES,
    METADATA,
    PROFILES,
    QUARANTINE,
    RECORDINGS,
    RUNS,
    SEGMENTS,
    predictions_contract,
)

_STATED = "history.json"
_NIGHT = "night"
_DIFFERENCES = {
    "tables": "by another version of tables or analysis",
    "settings": "with other settings",
    "folder": "in another folder",
}


@dataclass(frozen=True)
class Place:
    """Where a history lies, or a copy of it.

    Attributes:
        root: its results
        audio: its recordings
        night: a folder for what the nights that are measured bring
    """

    root: Root
    audio: Path
    night: Path

    @classmethod
    def below(cls, folder: Path) -> Place:
        """In one folder, of which the one for recordings is made."""
        place = cls(Root(folder / "root"), folder / "audio", folder / _NIGHT)
        for each in (place.audio, place.night):
            each.mkdir(parents=True)
        return place


@contextmanager
def copy_of_kept(
    folder: Path, settings: Settings, make: Callable[[Place], None], settle: Callable[[Place], None]
) -> Iterator[Place]:
    """A history as its last night left it, of which the results are a copy that may be changed.

    Files of lake and warehouse are shared with what is kept, for they are only ever replaced by
    others; what is added to the audio folder is removed again. An unfinished history is made again.

    Args:
        folder: in which the history is kept
        settings: of its nights
        make: writes a history into a new place
        settle: brings it up to date as a night with nothing new does; called each time

    Raises:
        StopError: if it was made by another version of the tables, with other settings or in
            another folder
    """
    with only_writer(folder.parent, folder.name):  # one bench at a time changes its audio folder
        days = _made(folder, settings, make)
        kept = Place(Root(folder / "root"), folder / "audio", folder / _NIGHT)
        _remove_others(kept, days)
        settle(kept)
        copy = Root(kept.night / "root")
        _copy(kept.root, copy)
        try:
            yield Place(copy, kept.audio, kept.night)
        finally:
            _remove_others(kept, days)


def _made(folder: Path, settings: Settings, make: Callable[[Place], None]) -> list[str]:
    """Make a history if there is none that can be used; the folders of its days."""
    made_by = _made_by(folder, settings)
    if not (folder / _STATED).exists():
        shutil.rmtree(folder, ignore_errors=True)
        make(Place.below(folder))
        days = sorted(path.name for path in (folder / "audio").iterdir())
        write_text_atomic(folder / _STATED, json.dumps({**made_by, "days": days}))
    stated = json.loads((folder / _STATED).read_text())
    for name, how in _DIFFERENCES.items():
        if stated[name] != made_by[name]:
            raise StopError(f"the history in {folder} was made {how}; delete it to make it again")
    return list(stated["days"])


def _made_by(folder: Path, settings: Settings) -> dict[str, str]:
    model = model_id(Root(folder / "root"), settings)
    tables = (CALLS, CHANNELS, DRIFT, FILES, METADATA, PROFILES, QUARANTINE, RECORDINGS, RUNS)
    scored = (SEGMENTS, features_of(settings).stored, predictions_contract(model))
    contracts = [(each.name, each.version, str(each.arrow)) for each in (*tables, *scored)]
    return {
        "tables": digest([contracts, rules_tags(settings), analysis_id(settings)]),
        "settings": settings.settings_id(),
        "folder": str(folder),
    }


def _remove_others(kept: Place, days: list[str]) -> None:
    """Remove what nights that were measured left: their copy, and the days that they brought."""
    shutil.rmtree(kept.night, ignore_errors=True)
    kept.night.mkdir()
    for path in kept.audio.iterdir():
        if path.name not in days:
            shutil.rmtree(path)


def _copy(source: Root, target: Root) -> None:
    """Copy a root: files of lake and warehouse are linked, and are the same to a night then."""
    for shared in (source.lake, source.warehouse.parent):
        _link_all(shared, target.path / shared.name)
    for other in source.path.iterdir():
        if other.is_dir() and not (target.path / other.name).exists():
            shutil.copytree(other, target.path / other.name)


def _link_all(source: Path, target: Path) -> None:
    """Give all files of a folder another name below another; folders keep their time of change."""
    for place, _, names in os.walk(source, topdown=False):
        there = f"{target}{place[len(str(source)) :]}"
        Path(there).mkdir(parents=True, exist_ok=True)
        for name in names:
            os.link(f"{place}/{name}", f"{there}/{name}")
        changed_ns = Path(place).stat().st_mtime_ns
        os.utime(there, ns=(changed_ns, changed_ns))
