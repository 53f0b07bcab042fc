"""The error tree. The class decides what happens next, the fields make the message.

`FileError`   the file goes to quarantine, the night goes on.
`StopError`   the run stops: going on would lose or falsify something.
`RetryError`  the same step may work in a moment; the flow tries again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar


class SerError(Exception):
    """Root of every error that ser-batch raises on purpose.

    Attributes:
        code: stable machine-readable reason
        remedy: what the reader of the message can do about it
    """

    code: ClassVar[str] = "error"
    remedy: ClassVar[str] = ""

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes: rebuilt as they are, not by calling `__init__`."""
        return _restored, (type(self), self.args, self.__dict__)

    def one_line(self) -> str:
        """Message and remedy as the terminal shows them."""
        return f"{self}. {self.remedy}" if self.remedy else str(self)


def _restored(kind: type[SerError], args: tuple[Any, ...], state: dict[str, Any]) -> SerError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class FileError(SerError):
    """One input file cannot be used: quarantine it and go on."""

    code = "bad_file"


class StopError(SerError):
    """The run must stop."""

    code = "stop"


class RetryError(SerError):
    """A passing fault: the same step may succeed when tried again."""

    code = "retry"


# -- files that cannot be taken in -------------------------------------------------------------


class OutsideRootError(FileError):
    """A path leads out of the audio folder."""

    code = "outside_root"
    remedy = "Copy the recording into the audio folder; links that leave it are not followed."

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} leads out of the audio folder")


class UnreadableFileError(FileError):
    """The operating system refuses to open the file."""

    code = "unreadable"
    remedy = "Give the user that runs the night read permission, then `ser-batch quarantine retry`."

    def __init__(self, cause: OSError) -> None:
        super().__init__(f"cannot be opened: {cause.strerror or cause}")


class EmptyFileError(FileError):
    """The file has no bytes."""

    code = "empty"
    remedy = "Export the recording again."

    def __init__(self) -> None:
        super().__init__("file is empty")


# -- audio -------------------------------------------------------------------------------------


class AudioError(FileError):
    """The bytes are not audio that can be analysed."""

    code = "bad_audio"


class NotAudioError(AudioError):
    """No decoder recognises the bytes."""

    code = "not_audio"
    remedy = "Check that it is a recording: WAV, FLAC, MP3, OGG/Opus and AIFF are read."

    def __init__(self, cause: str) -> None:
        super().__init__(f"no decoder recognises it ({cause})")


class TruncatedAudioError(AudioError):
    """The header declares more samples than the file holds."""

    code = "truncated"
    remedy = "Export or copy the recording again."

    def __init__(self, *, n_expected: int, n_read: int) -> None:
        super().__init__(f"header declares {n_expected} samples, file holds {n_read}")


class ShortAudioError(AudioError):
    """Too little audio to hold a word."""

    code = "too_short"
    remedy = "Nothing to do: a recording this short holds no speech."

    def __init__(self, *, duration_s: float, least_s: float) -> None:
        super().__init__(f"lasts {duration_s:.2f} s, at least {least_s:g} s are needed")


class LongAudioError(AudioError):
    """Longer than one call can be."""

    code = "too_long"
    remedy = "Split the recording by call, or raise `audio.max_duration_s`."

    def __init__(self, *, duration_s: float, most_s: float) -> None:
        super().__init__(f"lasts {duration_s / 3600:.2f} h, at most {most_s / 3600:g} h are taken")


class ChannelCountError(AudioError):
    """Neither one nor two channels."""

    code = "channel_count"
    remedy = "Export the call with the agent on one channel and the customer on the other."

    def __init__(self, n_channels: int) -> None:
        super().__init__(f"has {n_channels} channels, 1 or 2 are taken")


class SampleRateError(AudioError):
    """Below or above the sampling rates that telephony uses."""

    code = "sample_rate"
    remedy = "Export the recording at 8 to 48 kHz."

    def __init__(self, sample_rate: int) -> None:
        super().__init__(f"has a sampling rate of {sample_rate} Hz, 8000 to 48000 are taken")


class NonFiniteAudioError(AudioError):
    """NaN or infinite samples."""

    code = "non_finite"
    remedy = "Export the recording again, as 16-bit PCM."

    def __init__(self, n_bad: int) -> None:
        super().__init__(f"holds {n_bad} samples that are NaN or infinite")


class ShortSignalError(AudioError):
    """A signal shorter than one analysis frame."""

    code = "short_signal"

    def __init__(self, *, n_samples: int, n_needed: int) -> None:
        super().__init__(f"{n_samples} samples given, {n_needed} are needed")


class GoneFileError(FileError):
    """The file was there when the night began and is not any more."""

    code = "gone"
    remedy = "Nothing, if it was deleted on purpose; what was known of the call is kept."

    def __init__(self) -> None:
        super().__init__("file is not there any more")


class WorkerDiedError(FileError):
    """The file ends the process that reads it."""

    code = "worker_died"
    remedy = "Export the recording again; if it is sound, report it with the file's format."

    def __init__(self) -> None:
        super().__init__("the process that read it died: broken data, or too little memory")


class UnexpectedFileError(FileError):
    """A fault of the program that one file brings out."""

    code = "unexpected"
    remedy = "This is a fault of ser-batch: please report it with this message."

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")


# -- the run stops -----------------------------------------------------------------------------


class SettingsError(StopError):
    """The settings file or an environment variable is wrong."""

    code = "settings"


class MetadataError(StopError):
    """A metadata file cannot be read at all."""

    code = "metadata"


class LockedError(StopError):
    """Another run holds the root folder."""

    code = "locked"
    remedy = "Wait for it to end; the lock goes with its process, nothing needs deleting."

    def __init__(self, root: Path, holder: str) -> None:
        super().__init__(f"another run is working on {root}{holder}")


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


class WarehouseError(StopError):
    """The warehouse cannot be built or is not there yet."""

    code = "warehouse"


class WarehouseTestError(WarehouseError):
    """A rule in `sql/tests/` is broken; the published file stays as it was."""

    code = "warehouse_test"
    remedy = "Run the named file against the warehouse; each row it selects breaks the rule."


class QueryError(StopError):
    """A user's SQL failed."""

    code = "query"


class ModelError(StopError):
    """A model bundle cannot be used."""

    code = "model"


class BundleError(ModelError):
    """A bundle's files are missing, changed or do not fit together."""

    code = "bundle"
    remedy = "Take an unchanged copy of the bundle, or train it again."


class LeakError(ModelError):
    """The same speaker, clip or copy stands on both sides of a split."""

    code = "leak"


class CorpusError(StopError):
    """A corpus folder does not look like the corpus it is said to be."""

    code = "corpus"


class DependencyError(StopError):
    """An optional part is not installed."""

    code = "dependency"
