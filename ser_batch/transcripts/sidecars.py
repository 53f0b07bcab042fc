"""Transcript files that lie beside recordings, or under the same paths in a folder of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ser_batch.files.inputs import files_in
from ser_batch.transcripts.read import ENDINGS


@dataclass(frozen=True)
class Sidecar:
    """A transcript file.

    Attributes:
        path: the file
        size_bytes: its size
        modified_ns: its last change, ns since 1970
    """

    path: Path
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True)
class Sidecars:
    """The transcript files of recordings; each folder is listed once.

    Attributes:
        folder: in which they lie under their recordings' paths; None: beside the recordings
        changed_before_ns: files that changed later are still being written, ns since 1970
    """

    folder: Path | None
    changed_before_ns: float

    @cached_property
    def _listed(self) -> dict[Path, dict[str, Sidecar]]:
        return {}

    def of(self, audio_root: str, path: str) -> Sidecar | None:
        """The transcript of a recording: `call.json` or `call.wav.json`; None if there is none.

        Args:
            audio_root: the audio folder
            path: of the recording below it
        """
        recording = Path(audio_root if self.folder is None else self.folder, path)
        here = self._files(recording.parent)
        names = (
            f"{name}{ending}" for name in (recording.stem, recording.name) for ending in ENDINGS
        )
        return next((here[name] for name in names if name in here), None)

    def _files(self, folder: Path) -> dict[str, Sidecar]:
        """Transcript files in a folder by name; links are not followed, as those of recordings."""
        if folder not in self._listed:
            self._listed[folder] = found = {}
            try:
                for name, status in files_in(folder, ENDINGS):
                    if status.st_mtime_ns <= self.changed_before_ns:
                        found[name] = Sidecar(folder / name, status.st_size, status.st_mtime_ns)
            except OSError:
                pass  # a folder that is gone holds no transcripts
        return self._listed[folder]
