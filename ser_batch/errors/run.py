"""The run stops: to go on would lose or falsify something."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from ser_batch.errors.base import StopError


class SettingsError(StopError):
    """The settings file or an environment variable is wrong."""

    code = "settings"


class MetadataError(StopError):
    """A metadata file cannot be opened, or is of no known kind."""

    code = "metadata"


class MetadataContentError(MetadataError):
    """No row can be found in a metadata file."""

    code = "bad_metadata"


class ObjectionListError(StopError):
    """The list of objections cannot be read."""

    code = "objections"
    remedy = "Correct policy.objections, or supply the file; nobody is scored without it."

    def __init__(self, path: Path, error: Exception) -> None:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        super().__init__(f"the list of objections {path} cannot be read: {reason}")


class LockedError(StopError):
    """Another run holds the root folder."""

    code = "locked"
    remedy = (
        "Wait for it to end; the lock goes with its process (in an object store a minute later), "
        "nothing needs deleting."
    )

    def __init__(self, root: Path | str, holder: str) -> None:
        super().__init__(f"another run is working on {root}{holder}")


class ClockError(StopError):
    """The clock jumped since the last night: calls would be dated by it, and days deleted."""

    code = "clock"
    remedy = "Set the machine's clock; if it is right, delete that file, and start again."

    def __init__(self, state: Path, *, now: dt.datetime, last: dt.datetime) -> None:
        super().__init__(
            f"the clock says {now:%Y-%m-%d %H:%M} UTC, the last night began {last:%Y-%m-%d %H:%M} "
            f"by {state}"
        )
        self.state = state


class BadShareError(StopError):
    """Too many of the night's files are bad to publish what is left."""

    code = "bad_share"
    remedy = (
        "See `ser-batch quarantine list`; fix or remove the files, or raise "
        "`ingest.max_bad_share`, and run the night again. Nothing was published."
    )

    def __init__(self, *, n_bad: int, n_files: int, most: float) -> None:
        share = n_bad / max(n_files, 1)
        super().__init__(f"{n_bad} of {n_files} new files are bad ({share:.0%}, limit {most:.0%})")


class ContractError(StopError):
    """A table does not have the columns that its contract declares."""

    code = "contract"


class LakeError(StopError):
    """A file of the lake cannot be read."""

    code = "lake"


class DamagedPartError(LakeError):
    """A file of the lake is not as it was written."""

    code = "damaged_part"
    remedy = "`ser-batch verify --repair` recomputes it, or restores it from its second copy."

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(f"{path} is damaged: {reason.splitlines()[0] if reason else 'unreadable'}")


class StateFileError(StopError):
    """A file in which the program keeps its state is damaged."""

    code = "state_file"
    remedy = "Correct it by hand in a UTF-8 editor, or restore it from a backup."

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


class BrokenSealError(StateFileError, ValueError):
    """An encrypted file is not as it was written, or was encrypted with another root's key."""

    code = "broken_seal"
    remedy = "Restore it from a backup; `ser-batch verify` says whether it can be recomputed."

    def __init__(self, path: Path) -> None:
        super().__init__(path, "is not as it was encrypted")


class NoKeyError(StopError):
    """An encrypted root is read without a key."""

    code = "no_key"
    remedy = "Set SER_ENCRYPTION__KEY, encryption.key_file or encryption.key_command."

    def __init__(self, root: Path) -> None:
        super().__init__(f"{root} is encrypted, and no key is given")


class WrongKeyError(StopError):
    """The key given is not the root's."""

    code = "wrong_key"
    remedy = "Give the key that it was encrypted with; nothing can be read without that one."

    def __init__(self, root: Path) -> None:
        super().__init__(f"the key given does not open {root}")


class NotEncryptedError(StopError):
    """A key is set for a root that holds files which are not encrypted."""

    code = "not_encrypted"
    remedy = "Run `ser-batch encrypt` once, or remove the key from the settings."

    def __init__(self, root: Path) -> None:
        super().__init__(f"a key is set, and what lies under {root} is not encrypted")


class ErasurePlanError(StateFileError):
    """What a killed erasure was to erase cannot be read any more."""

    remedy = "Delete the file, and run `ser-batch erase` again for the same call or customer."


class WarehouseError(StopError):
    """The warehouse cannot be built or is not there yet."""

    code = "warehouse"


class QueryError(StopError):
    """A user's SQL failed."""

    code = "query"


class DependencyError(StopError):
    """An optional part is not installed."""

    code = "dependency"


class UnknownPersonError(StopError):
    """Nothing is known of what is to be erased."""

    code = "nothing_to_erase"
    remedy = "Names are compared letter by letter: see `customer` and `call_id` in call_summary."

    def __init__(self, kind: str, name: str, hint: str) -> None:
        super().__init__(f"nothing is known of the {kind} {name!r}{hint}")


class AmbiguousCallError(StopError):
    """Several recordings have the call id."""

    code = "ambiguous_call"

    def __init__(self, name: str, recordings: Sequence[str]) -> None:
        named = ", ".join(recordings[:5])
        super().__init__(
            f"{len(recordings)} recordings have the call id {name!r}; name one by its "
            f"recording_id: {named}"
        )


class AudioFolderError(StopError):
    """An audio folder cannot be what was meant."""

    code = "audio_folder"


class ServeError(StopError):
    """The page cannot be served."""

    code = "serve"


class ChoiceError(StopError):
    """The days or the queue that were asked for have no call."""

    code = "choice"


class RootError(StopError):
    """The root is no folder, or not there."""

    code = "root"


class WarehouseTestError(WarehouseError):
    """A rule in `sql/tests/` is broken; the published file stays as it was."""

    code = "warehouse_test"
    remedy = "Run the named file against the warehouse; each row it selects breaks the rule."


class NoFolderNamedError(AudioFolderError):
    """No audio folder is named."""

    remedy = "Give --audio FOLDER, once for each folder, or set ingest.audio."
    message = "no audio folder is named"


class NoFolderError(AudioFolderError):
    """An audio folder is not there."""

    remedy = "Correct --audio; if the path is right: is the share mounted?"

    def __init__(self, audio: Path) -> None:
        super().__init__(f"the audio folder {audio} is not there")


class NestedFoldersError(AudioFolderError):
    """One audio folder lies in another, so that its files would be found twice."""

    remedy = "Name the outer folder only."

    def __init__(self, inner: str, outer: str) -> None:
        super().__init__(f"the audio folder {inner} lies in the audio folder {outer}")


class EmptiedFolderError(AudioFolderError):
    """There were recordings on earlier nights, and there is none at all now."""

    remedy = (
        "Is the share mounted? If recordings are deleted after each night, set "
        "`ingest.may_be_empty = true`. Nothing was published."
    )

    def __init__(self, audio: str, n_known: int) -> None:
        super().__init__(
            f"the audio folder {audio} holds no recording; earlier nights found {n_known}"
        )


class NoRootError(RootError):
    """A command that only reads was given a root that nobody made."""

    remedy = "Correct --root or SER_ROOT; `ser-batch nightly --audio FOLDER` creates a root."

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no folder {path}")


class RootIsFileError(RootError):
    """A file lies where the root should."""

    remedy = "Name a folder by --root or SER_ROOT; it is made if it is not there."

    def __init__(self, path: Path, file: Path) -> None:
        where = "it" if file == path else file
        super().__init__(f"{path} cannot be the root: {where} is a file")
