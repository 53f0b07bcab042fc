"""Find the recordings in a folder tree, and name each by the digest of its bytes."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

from ser_batch.config import IngestSettings, digest
from ser_batch.errors import (
    DanglingLinkError,
    EmptyFileError,
    FileError,
    NameEncodingError,
    OutsideRootError,
    UnreadableFileError,
)
from ser_batch.files.inputs import is_remote, objects_below, open_input
from ser_batch.files.regular import refuse_special
from ser_batch.ingest.folder_states import Found, digest_of, folder_state, is_settled, n_found_of
from ser_batch.store.remembered import key_of

_BLOCK_BYTES = 1 << 20
_CLOCK_SLACK_S = 86_400.0
"""s; a time of change that lies further ahead was set by a wrong clock."""
_MOST_NS = 2**63 - 1
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Rejected:
    """A file that cannot be taken in, and why."""

    path: str
    error: FileError


@dataclass
class Scan:
    """What lies in an audio folder.

    Attributes:
        found: recordings, by path; not those of folders that are as they were
        rejected: files that cannot be taken
        growing: paths of files changed too recently
        n_ignored: hidden files, and files with other endings
        n_as_before: recordings in folders that are as they were
        states: `folder_state` by the digest of a folder's path; of folders where no file is in
            doubt
    """

    found: list[Found] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    growing: list[str] = field(default_factory=list)
    n_ignored: int = 0
    n_as_before: int = 0
    states: dict[str, str] = field(default_factory=dict)

    @property
    def n_found(self) -> int:
        """All recordings."""
        return len(self.found) + self.n_as_before

    @property
    def is_empty(self) -> bool:
        """Whether no file looks like a recording, a bad or growing one included."""
        return not (self.n_found or self.rejected or self.growing)


def scan(
    audio_root: Path,
    settings: IngestSettings,
    *,
    now_s: float,
    before: Mapping[str, str] = NOTHING,
) -> Scan:
    """Look through a folder tree.

    Links to files inside the folder are skipped, since what they lead to is found by itself;
    links that lead out or to nothing are rejected, as are FIFOs, sockets and devices under the
    name of a recording.

    Args:
        audio_root: the folder, resolved
        settings: endings and age
        now_s: the present, s since 1970
        before: `Scan.states` of folders of which every recording is known
    """
    result, rules = Scan(), digest(sorted(settings.extensions))

    def is_left_out(folder: str) -> bool:
        known = before.get(name := _name(folder), "")
        facts = partial(_facts, folder, len(str(audio_root)) + 1, settings.extensions)
        if not is_settled(known, folder, rules=rules, now_s=now_s, facts=facts):
            return False
        result.n_as_before += n_found_of(known)
        result.states[name] = known
        return True

    remote = is_remote(audio_root)
    walk = _walk_objects(audio_root) if remote else _walk(audio_root, is_left_out)
    for folder, entries, is_leaf in walk:
        here = Scan()
        for entry in entries:
            path = entry.path[len(str(audio_root)) + 1 :] or "."
            _sort_in(here, entry, path, settings, now_s)
        name, state = _name(folder), folder_state(here.found, folder, rules=rules, is_leaf=is_leaf)
        if not (here.rejected or here.growing):
            result.states[name] = state
        if result.states.get(name) == before.get(name, ""):
            result.n_as_before += len(here.found)
        else:
            result.found += here.found
        result.rejected += here.rejected
        result.growing += here.growing
        result.n_ignored += here.n_ignored
    result.found.sort(key=lambda found: found.path)
    return result


def _facts(folder: str, start: int, extensions: Container[str]) -> str:
    """What `digest_of` gives for the recordings of a folder of plain files; of others nothing."""
    found = []
    try:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if not entry.is_file(follow_symlinks=False):
                return ""
            if _ending(entry.name) in extensions:
                status = entry.stat(follow_symlinks=False)
                found.append((entry.path[start:], status.st_size, modified_ns(status)))
    except OSError:
        return ""
    return digest_of(found)


def folder_name(audio_root: Path, path: str) -> str:
    """The name in `Scan.states` of the folder that a file lies in.

    Args:
        audio_root: the folder that was scanned
        path: of the file below it
    """
    return _name(f"{audio_root}/{path}".rpartition("/")[0])


def _name(folder: str) -> str:
    """A folder's digest: its name may be that of a call."""
    return f"{key_of(folder):x}"


def content_id(path: Path) -> str:
    """Digest of a file's bytes, 32 hex digits.

    Raises:
        NotRegularFileError: if it is no file
        UnreadableFileError: if it cannot be opened
        GoneFileError: if there is no such object in a store, or it was replaced meanwhile
        StoreError: if the object store cannot be used
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open_input(path, buffering=0) as file:
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


@dataclass(frozen=True)
class _Entry:
    """A name in a folder that is no folder.

    Attributes:
        path: absolute
        status: of the file; None: it cannot be asked, or is a link
        error: what is wrong with its place or kind
    """

    path: str
    status: os.stat_result | None
    error: FileError | None


def _walk(
    folder: Path, is_left_out: Callable[[str], bool]
) -> Iterator[tuple[str, list[_Entry], bool]]:
    """Every folder that holds files, with what lies in it, and whether no folder lies in it."""
    root = os.path.realpath(folder)
    todo = [str(folder)]
    while todo:
        here, n_todo = todo.pop(), len(todo)
        if is_left_out(here):
            continue
        found: list[_Entry] = []
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            yield here, [_Entry(here, None, UnreadableFileError(error))], False
            continue
        for entry in entries:
            if entry.is_symlink():
                target = os.path.realpath(entry.path)
                if os.path.commonpath([root, target]) != root:
                    found.append(_Entry(entry.path, None, OutsideRootError(Path(entry.name))))
                elif not Path(target).exists():
                    found.append(_Entry(entry.path, None, DanglingLinkError()))
            elif entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    todo.append(entry.path)
            else:
                found.append(_asked(entry))
        if found:
            yield here, found, len(todo) <= n_todo


def _walk_objects(folder: Path) -> Iterator[tuple[str, list[_Entry], bool]]:
    """As `_walk`, below an address; nothing says that a folder is as it was without listing it."""
    found: dict[str, list[_Entry]] = defaultdict(list)
    for path, status in objects_below(folder):
        place, _, _ = f"/{path}".rpartition("/")
        if "/." not in place:
            found[place].append(_Entry(f"{folder}/{path}", status, None))
    for place in sorted(found):
        yield f"{folder}{place}", sorted(found[place], key=lambda entry: entry.path), False


def _asked(entry: os.DirEntry[str]) -> _Entry:
    """An entry that is neither folder nor link, with what keeps it from being a recording."""
    try:
        status = entry.stat(follow_symlinks=False)
        refuse_special(status.st_mode)
    except FileError as error:
        return _Entry(entry.path, None, error)
    except OSError as error:
        return _Entry(entry.path, None, UnreadableFileError(error))
    return _Entry(entry.path, status, None)


def _name_error(path: str) -> FileError | None:
    try:
        path.encode()
    except UnicodeEncodeError:
        return NameEncodingError()
    return None


def _sort_in(
    result: Scan, entry: _Entry, path: str, settings: IngestSettings, now_s: float
) -> None:
    status = entry.status
    concerns_all = isinstance(entry.error, OutsideRootError | UnreadableFileError)
    if not concerns_all and _ending(path) not in settings.extensions:
        result.n_ignored += 1
    elif (error := entry.error or _name_error(path)) or status is None:
        result.rejected.append(Rejected(printable(path), error or DanglingLinkError()))
    elif _age_s(status, now_s) < settings.min_age_s:
        result.growing.append(path)
    elif status.st_size == 0:
        result.rejected.append(Rejected(path, EmptyFileError()))
    else:
        result.found.append(Found(path, status.st_size, modified_ns(status)))


def _ending(path: str) -> str:
    """As `Path.suffix`, lower case, without its cost; none of a hidden file (`.part.wav`)."""
    name = path.rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if stem and dot and ending and name[0] != "." else ""


def _age_s(found: os.stat_result, now_s: float) -> float:
    """Seconds since a file changed, by the first of its times that a right clock may have set."""
    for changed_s in (found.st_mtime, found.st_ctime):
        if changed_s <= now_s + _CLOCK_SLACK_S:
            return now_s - changed_s
    return float("inf")
