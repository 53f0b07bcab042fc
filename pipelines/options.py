"""Options and exits that every command shares."""

from __future__ import annotations

import errno
import json
import sys
import traceback
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ser_batch.progress import LogFormat

if TYPE_CHECKING:
    from ser_batch.config import Settings
    from ser_batch.report.content import Choice
    from ser_batch.store.paths import Root


class Exit(IntEnum):
    """What a command's exit code says."""

    CLEAN = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    LOCKED = 75


def _local_root(context: typer.Context, place: Path) -> Path:
    """The folder to work in; what a command changes in a working copy is published at its end."""
    from ser_batch.files.objects import is_address

    if not is_address(str(place)):
        return place
    from ser_batch.store.local_files import local_path

    folder = local_path(place)
    context.call_on_close(lambda: _publish_rest(folder))
    return folder


def _publish_rest(folder: Path) -> None:
    """Publish what a command changed without holding the root, unless it failed."""
    from ser_batch.store.lock import is_held, only_run
    from ser_batch.store.paths import Root
    from ser_batch.store.working_copy import working_copy

    copy, root = working_copy(folder), Root(folder)
    has_failed = not isinstance(sys.exc_info()[1], typer.Exit | SystemExit | None)
    if copy is None or has_failed or is_held(root) or not copy.has_changes():
        return
    with only_run(root):
        pass


RootOption = Annotated[
    Path,
    typer.Option(
        "--root",
        envvar="SER_ROOT",
        help="Folder of all results: lake, warehouse, reports, models; or s3://BUCKET/PREFIX.",
        show_default=True,
        callback=_local_root,
    ),
]
SettingsOption = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        envvar="SER_SETTINGS",
        help="Settings file; without it, ser-batch.toml in the root or the current folder.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")
]
LogFormatOption = Annotated[
    LogFormat | None,
    typer.Option(
        "--log-format",
        help="Format of standard error; auto: progress bars on a terminal, else lines with the "
        "time; json: one object a line. Without it, the setting run.log_format.",
    ),
]
FirstSpeakerOption = Annotated[
    Literal["agent", "customer"] | None,
    typer.Option(help="Who speaks first where both sides share one channel."),
]
CustomerChannelOption = Annotated[
    int | None,
    typer.Option(
        help="The customer's channel; for a one-channel file 0 says that it is the customer's.",
        min=0,
        max=1,
    ),
]
FromOption = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")
]
ToOption = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")]
QueueOption = Annotated[str | None, typer.Option(help="Only this queue.")]
DEFAULT_ROOT = Path("data")


def chosen_calls(first: datetime | None, last: datetime | None, queue: str | None) -> Choice:
    """The days and the queue that were asked for."""
    from ser_batch.report.content import Choice

    return Choice(first.date() if first else None, last.date() if last else None, queue)


def open_root(path: Path) -> Root:
    """The root folder, absolute, there or not.

    Raises:
        RootIsFileError: if it can be no folder
    """
    return _opened(path, must_exist=False)


def existing_root(path: Path, *, only: str | None = None) -> Root:
    """The root folder of a command that makes none.

    Args:
        path: the folder
        only: the folder below it that the command reads; of a root in an object store, the others
            are not fetched

    Raises:
        NoRootError: if it is not there
        StoreError: if it is in an object store that cannot be used
    """
    return _opened(path, must_exist=True, only=only)


def _opened(path: Path, *, must_exist: bool, only: str | None = None) -> Root:
    from ser_batch.store.caches import use_root
    from ser_batch.store.lock import refresh
    from ser_batch.store.paths import find_root
    from ser_batch.store.permissions import follow_root

    root = find_root(path, must_exist=must_exist)
    refresh(root, must_exist=must_exist, only=only)
    follow_root(root)
    use_root(root)
    return root


def read_settings(root: Root, file: Path | None) -> Settings:
    """The settings that hold for a root.

    Raises:
        SettingsError: naming the key that is wrong
        NoKeyError: if the root is encrypted and they name no key for it
    """
    from ser_batch.settings_file import find_settings_file, load_settings
    from ser_batch.store.encrypt import open_keys

    settings = load_settings(file or find_settings_file(root.path))
    open_keys(root, settings.encryption)
    return settings


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, default=str, allow_nan=False)
    sys.stdout.write("\n")


@dataclass(frozen=True)
class Failure:
    """An expected error as a person and a script read it.

    Attributes:
        code: stable reason
        message: what is wrong
        remedy: what to do about it
        exit: exit code
    """

    code: str
    message: str
    remedy: str
    exit: Exit = Exit.FAILED

    def one_line(self) -> str:
        """As the terminal shows it."""
        from ser_batch.errors.base import sentences

        return sentences(self.message, self.remedy)

    def as_json(self) -> dict[str, Any]:
        """As a script reads it."""
        return {"error": {"code": self.code, "message": self.message, "remedy": self.remedy}}


def failure(error: Exception) -> Failure | None:
    """What an error says, None if nobody expected it."""
    from ser_batch.errors import LockedError, SerError

    if isinstance(error, SerError):
        ends = Exit.LOCKED if isinstance(error, LockedError) else Exit.FAILED
        return Failure(error.code, str(error), error.remedy, ends)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return Failure(
            "system", f"{where}{error.strerror}", _SYSTEM_REMEDY.get(error.errno or 0, "")
        )
    return None


def release_frames(error: BaseException) -> None:
    """Drop what the frames of an error hold; DuckDB's part of it is else reported as leaked."""
    for each in (error, error.__cause__, error.__context__):
        if each is not None:
            traceback.clear_frames(each.__traceback__)
            each.__traceback__ = None


MISUSE = Failure(
    "usage", "the command was not understood", "See standard error, and `--help`.", Exit.USAGE
)
UNEXPECTED = Failure(
    "unexpected", "a fault of ser-batch", "Please report it with the traceback on standard error."
)
_SYSTEM_REMEDY = {
    errno.EACCES: "Run as a user who may, or change the permissions.",
    errno.EPERM: "Run as a user who may, or change the permissions.",
    errno.ENOSPC: "Free some space and run it again; what was done is kept.",
    errno.EROFS: "Name a folder that can be written.",
}


def say_error(text: str) -> None:
    """One line on standard error."""
    from rich.console import Console
    from rich.markup import escape

    Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {escape(text)}")


def say_progress(text: str) -> None:
    """One dim line on standard error."""
    from rich.console import Console

    Console(stderr=True, soft_wrap=True).print(text, style="dim", markup=False, highlight=False)
