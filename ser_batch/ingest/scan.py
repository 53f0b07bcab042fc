"""Find the recordings in a folder tree, and name each by the digest of its bytes."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ser_batch.config import IngestSettings
from ser_batch.errors import (
    DanglingLinkError,
    EmptyFileError,
    FileError,
    NameEncodingError,
    OutsideRootError,
    UnreadableFileError,
)
from ser_batch.regular_file import open_regular, refuse_special

_BLOCK_BYTES = 1 << 20
_CLOCK_SLACK_S = 86_400.0
"""s; a time of change that lies further ahead was set by a wrong clock."""
_MOST_NS = 2**63 - 1


@dataclass(frozen=True)
class Found:
    """A file that looks like a recording.

    Attributes:
        path: below the audio folder, with forward slashes
        size_bytes: size
        modified_ns: last change, ns since 1970
    """

    path: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True)
class Rejected:
    """A file that cannot be taken in, and why."""

    path: str
    error: FileError


@dataclass
class Scan:
    """What lies in an audio folder.

    Attributes:
        found: recordings, by path
        rejected: files that cannot be taken
        growing: paths of files changed too recently
        n_ignored: files with other endings
    """

    found: list[Found] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    growing: list[str] = field(default_factory=list)
    n_ignored: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether no file looks like a recording, a bad or growing one included."""
        return not (self.found or self.rejected or self.growing)


def scan(audio_root: Path, settings: IngestSettings, *, now_s: float) -> Scan:
    """Look through a folder tree.

    Links to files inside the folder are skipped, since what they lead to is found by itself;
    links that lead out or to nothing are rejected, as are FIFOs, sockets and devices under the
    name of a recording.

    Args:
        audio_root: the folder, resolved
        settings: endings and age
        now_s: the present, s since 1970
    """
    result = Scan()
    for entry, misplaced in _walk(audio_root):
        path = Path(entry).relative_to(audio_root).as_posix()
        concerns_all = isinstance(misplaced, OutsideRootError | UnreadableFileError)
        if not concerns_all and Path(path).suffix.lower() not in settings.extensions:
            result.n_ignored += 1
        elif error := misplaced or _name_error(path):
            result.rejected.append(Rejected(printable(path), error))
        else:
            _sort_in(result, Path(entry), path, settings, now_s)
    result.found.sort(key=lambda found: found.path)
    return result


def content_id(path: Path) -> str:
    """Digest of a file's bytes, 32 hex digits.

    Raises:
        NotRegularFileError: if it is no file
        UnreadableFileError: if it cannot be opened
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open_regular(path, buffering=0) as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise UnreadableFileError(error) from error
    return digest.hexdigest()


def modified_ns(found: os.stat_result) -> int:
    """A file's time of last change as tables can hold it, ns since 1970."""
    return max(-_MOST_NS, min(found.st_mtime_ns, _MOST_NS))


def printable(path: str) -> str:
    """The path with bytes that are not UTF-8 shown as escapes."""
    return path.encode("utf-8", "backslashreplace").decode()


def same_name(text: str) -> str:
    """One spelling for names that differ only in their Unicode form."""
    return unicodedata.normalize("NFC", text)


def _walk(folder: Path) -> Iterator[tuple[str, FileError | None]]:
    """Every file below a folder, and what is wrong with it if its place is wrong."""
    root = os.path.realpath(folder)
    todo = [str(folder)]
    while todo:
        here = todo.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            yield here, UnreadableFileError(error)
            continue
        for entry in entries:
            if entry.is_symlink():
                target = os.path.realpath(entry.path)
                if os.path.commonpath([root, target]) != root:
                    yield entry.path, OutsideRootError(Path(entry.name))
                elif not Path(target).exists():
                    yield entry.path, DanglingLinkError()
            elif entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    todo.append(entry.path)
            else:
                yield entry.path, _kind_error(entry)


def _kind_error(entry: os.DirEntry[str]) -> FileError | None:
    """Why an entry that is neither folder nor link is no recording; None: it is a file."""
    try:
        refuse_special(entry.stat(follow_symlinks=False).st_mode)
    except FileError as error:
        return error
    except OSError as error:
        return UnreadableFileError(error)
    return None


def _name_error(path: str) -> FileError | None:
    try:
        path.encode()
    except UnicodeEncodeError:
        return NameEncodingError()
    return None


def _sort_in(result: Scan, file: Path, path: str, settings: IngestSettings, now_s: float) -> None:
    try:
        stat = file.stat()
    except OSError as error:
        result.rejected.append(Rejected(path, UnreadableFileError(error)))
        return
    if _age_s(stat, now_s) < settings.min_age_s:
        result.growing.append(path)
    elif stat.st_size == 0:
        result.rejected.append(Rejected(path, EmptyFileError()))
    else:
        result.found.append(Found(path, stat.st_size, modified_ns(stat)))


def _age_s(found: os.stat_result, now_s: float) -> float:
    """Seconds since a file changed, by the first of its times that a right clock may have set."""
    for changed_s in (found.st_mtime, found.st_ctime):
        if changed_s <= now_s + _CLOCK_SLACK_S:
            return now_s - changed_s
    return float("inf")
