"""The audio folders of a night: which they are, and whether they can be meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ser_batch.errors import StopError


class AudioFolderError(StopError):
    """An audio folder cannot be what was meant."""

    code = "audio_folder"


class NoFolderNamedError(AudioFolderError):
    """No audio folder is named."""

    remedy = "Give --audio FOLDER, once for each folder, or set ingest.audio."

    def __init__(self) -> None:
        super().__init__("no audio folder is named")


class NoFolderError(AudioFolderError):
    """An audio folder is not there."""

    remedy = "Correct --audio; if the path is right: is the share mounted?"

    def __init__(self, audio: Path) -> None:
        super().__init__(f"the audio folder {audio} is not there")


class NestedFoldersError(AudioFolderError):
    """One audio folder lies in another, so that its files would be found twice."""

    remedy = "Name the outer folder only."

    def __init__(self, inner: Path, outer: Path) -> None:
        super().__init__(f"the audio folder {inner} lies in the audio folder {outer}")


class EmptiedFolderError(AudioFolderError):
    """There were recordings on earlier nights, and there is none at all now."""

    remedy = (
        "Is the share mounted? If recordings are deleted after each night, set "
        "`ingest.may_be_empty = true`. Nothing was published."
    )

    def __init__(self, audio: Path, n_known: int) -> None:
        super().__init__(
            f"the audio folder {audio} holds no recording; earlier nights found {n_known}"
        )


def named_folders(given: Sequence[str], settings: Sequence[str]) -> list[Path]:
    """The folders of the command line, else those of the settings, absolute.

    Raises:
        NoFolderNamedError: if neither names one
    """
    if not (named := given or settings):
        raise NoFolderNamedError
    return [Path(folder).absolute() for folder in named]


def audio_roots(folders: Sequence[Path]) -> list[Path]:
    """The folders resolved, each once, in the order given.

    Raises:
        NoFolderError: if one is not there
        NestedFoldersError: if one lies in another
    """
    for folder in folders:
        if not folder.is_dir():
            raise NoFolderError(folder)
    roots = list(dict.fromkeys(folder.resolve() for folder in folders))
    for root in roots:
        for other in roots:
            if other in root.parents:
                raise NestedFoldersError(root, other)
    return roots
