"""What every task of a night receives, and the root on the machine where the task runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import SecretStr

from ser_batch.config import Settings
from ser_batch.errors import TakenOverError
from ser_batch.store.lake import Lake, Part
from ser_batch.store.local_files import local_path
from ser_batch.store.paths import Root
from ser_batch.store.snapshots import Content
from ser_batch.store.working_copy import WorkingCopy, working_copy

Result = TypeVar("Result")

PUBLISH_EVERY_S = 60.0
"""How much of the analysis is lost at most with a machine, for a root in an object store."""


@dataclass(frozen=True)
class RemoteRoot:
    """A root in an object store, as the run that holds it sees it.

    Attributes:
        address: of the root
        copy: id of the working copy of the run
        epoch: of the run
    """

    address: str
    copy: str
    epoch: int

    @classmethod
    def of(cls, root: Root) -> RemoteRoot | None:
        """Of a root that this process holds; None: it is a folder that every machine shares."""
        copy = working_copy(root.path)
        if copy is None or copy.run_epoch is None:
            return None
        return cls(copy.address, copy.id, copy.run_epoch)

    def elsewhere(self) -> WorkingCopy | None:
        """The working copy of this machine; None: it is that of the run."""
        copy = working_copy(local_path(Path(self.address)))
        return None if copy is None or copy.id == self.copy else copy


@dataclass(frozen=True)
class NightContext:
    """What every task of a night receives: small values that can be pickled.

    Attributes:
        root: where lake, warehouse, reports and models lie
        settings: all settings
        model_id: the model that scores
        run_id: of this night
        started_at: UTC
        remote: the object store that holds the root, None if none does
    """

    root: Root
    settings: Settings
    model_id: str
    run_id: str
    started_at: dt.datetime
    remote: RemoteRoot | None = None

    def without_secrets(self) -> NightContext:
        """What leaves this machine: keys and passwords come from the other one's environment."""
        return replace(self, settings=_without_secrets(self.settings))

    @cached_property
    def lake(self) -> Lake:
        """The lake, opened where the task runs."""
        return Lake(self.root.lake)

    def folder_in(self, other: Root, folder: Path) -> Path:
        """A folder of the root, or of the installation, as another machine's root has it."""
        if not folder.is_relative_to(self.root.path):
            return folder
        return other.path / folder.relative_to(self.root.path)


@dataclass(frozen=True)
class Done(Generic[Result]):
    """What a task did for a shard.

    Attributes:
        result: counts
        stored: contents that it put into the object store, None where a file is deleted: the driver
            publishes them
    """

    result: Result
    stored: Mapping[str, Content | None] = field(default_factory=dict)


@contextmanager
def shard_at_hand(
    context: NightContext, shard: Part
) -> Iterator[tuple[NightContext, dict[str, Content | None]]]:
    """A night's context with the root of this machine, in which a shard's files are the newest.

    Where the root is not shared, they are fetched before, and what the block changes of them is put
    into the store after it.

    Args:
        context: as the driver sent it
        shard: that the block works on

    Yields:
        the context, and the contents that were put, filled when the block ends

    Raises:
        TakenOverError: if another run holds the root since
    """
    put: dict[str, Content | None] = {}
    copy = context.remote.elsewhere() if context.remote else None
    if copy is None or context.remote is None:
        yield context, put
        return
    if (
        copy.pull_for_task(lambda path: _is_of(path, shard) or _is_shared(path)).epoch
        != context.remote.epoch
    ):
        raise TakenOverError(copy.address, "")
    yield replace(context, root=Root(copy.folder)), put
    put |= copy.put_changes(lambda path: _is_of(path, shard), context.remote.epoch)


def _without_secrets(settings: Settings) -> Settings:
    sections = {
        name: section.model_copy(
            update={field: None for field, value in section if isinstance(value, SecretStr)}
        )
        for name, section in settings
    }
    return settings.model_copy(update=sections)


def _is_of(path: str, shard: Part) -> bool:
    """Whether a path is that of a shard's part of some table."""
    return path.rpartition("/")[2] in (f"{shard.name}.parquet", f"shard-{shard.name}.parquet")


def _is_shared(path: str) -> bool:
    """Whether a path is of the models, or of the settings and the key."""
    return path.startswith("models/") or "/" not in path
