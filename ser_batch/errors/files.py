"""One input file cannot be used: it goes to quarantine, and the night goes on."""

from __future__ import annotations

from pathlib import Path

from ser_batch.errors.base import FileError


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


class NotRegularFileError(FileError):
    """A FIFO, socket or device under the name of a recording."""

    code = "not_a_file"
    remedy = "Move it out of the audio folder: recordings are ordinary files."

    def __init__(self, kind: str) -> None:
        super().__init__(f"is a {kind}, not a file")


class DanglingLinkError(FileError):
    """A link to a file that is not there."""

    code = "dangling_link"
    remedy = "Copy the recording in its place, or delete the link."
    message = "is a link to a file that is not there"


class EmptyFileError(FileError):
    """The file has no bytes."""

    code = "empty"
    remedy = "Export the recording again."
    message = "file is empty"


class AudioError(FileError):
    """The bytes are not audio that can be analysed."""

    code = "bad_audio"


class GoneFileError(FileError):
    """The file was there when the night began and is not any more."""

    code = "gone"
    remedy = "Nothing, if it was deleted on purpose; what was known of the call is kept."
    message = "file is not there any more"


class AnalysisLostError(FileError):
    """Stored rows of a recording are lost, and it is not there to be analysed again."""

    code = "analysis_lost"
    remedy = (
        "Put the recording back under its path, or restore the lake's file from a backup; then "
        "`ser-batch quarantine release --code analysis_lost`."
    )

    def __init__(self) -> None:
        super().__init__("its stored analysis was damaged or deleted, and the file is gone")


class WorkerDiedError(FileError):
    """The file ends the process that reads it."""

    code = "worker_died"
    remedy = "Export the recording again; if it is sound, report it with the file's format."
    message = "the process that read it died: broken data, or too little memory"


class UnexpectedFileError(FileError):
    """A fault of the program that one file brings out."""

    code = "unexpected"
    remedy = "This is a fault of ser-batch: please report it with this message."

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")


class NoSuchFileError(FileError):
    """A file that somebody named is not there."""

    code = "no_such_file"
    remedy = "Correct the path."

    def __init__(self, path: str) -> None:
        super().__init__(f"there is no file {path}")


class FolderNamedError(FileError):
    """A folder was named where one recording is meant."""

    code = "folder"
    remedy = "Name recordings; `ser-batch nightly --audio FOLDER` takes a folder."

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is a folder")


class NameEncodingError(FileError):
    """A file name that is not valid UTF-8 cannot be written into a table."""

    code = "bad_name"
    remedy = "Rename the file."
    message = "the file's name is not valid UTF-8"


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


class LargeAudioError(AudioError):
    """Decoded, it would take more memory than one recording may."""

    code = "too_large"
    remedy = "Export it at 8 kHz, split it by call, or raise `audio.max_decoded_mb`."

    def __init__(self, *, n_bytes: int, most_mb: int) -> None:
        super().__init__(f"decodes to {n_bytes / 1e6:.0f} MB, at most {most_mb} MB are taken")


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


class TwoChannelSideError(AudioError):
    """A file that should hold one side has two different channels."""

    code = "two_channel_side"
    remedy = "Let ingest.pair_pattern match the files of one side only."
    message = "is one side of a call, but has two different channels"


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
