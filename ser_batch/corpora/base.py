"""What every corpus importer gives: clips with their labels, read from names alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ser_batch.errors import CorpusError

AUDIO_ENDINGS = (".wav", ".flac", ".mp3", ".ogg")

Sex = Literal["female", "male", "unknown"]


@dataclass(frozen=True)
class Clip:
    """One labelled recording of one speaker.

    Attributes:
        path: the audio file
        corpus: short name of the corpus
        speaker: unique across corpora, `emodb:03`
        sex: of the speaker
        emotion: in the vocabulary of `ser_batch.emotions`
        intensity: as the corpus names it (`normal`, `strong`), None where it does not
        language: ISO 639-1
        licence: SPDX identifier where there is one
    """

    path: Path
    corpus: str
    speaker: str
    sex: Sex
    emotion: str
    intensity: str | None
    language: str
    licence: str


@dataclass(frozen=True)
class Label:
    """What a corpus says of a file.

    Attributes:
        speaker: as the corpus names them
        sex: of the speaker
        emotion: in the vocabulary of `ser_batch.emotions`
        intensity: as the corpus names it, None where it does not
    """

    speaker: str
    sex: Sex
    emotion: str
    intensity: str | None = None


@dataclass(frozen=True)
class Corpus:
    """A public corpus and how its files are named.

    Attributes:
        name: short name, also of its folder
        title: name and source for the model card
        licence: SPDX identifier where there is one
        language: ISO 639-1
        pattern: of its files' names without ending
        label: of a name that fits and of the file's path; None if it is to be left out
    """

    name: str
    title: str
    licence: str
    language: str
    pattern: re.Pattern[str]
    label: Callable[[re.Match[str], Path], Label | None]

    def parse(self, path: Path) -> Clip | None:
        """The clip that a file name describes, None if the file is not the corpus's."""
        match = self.pattern.match(path.stem)
        label = self.label(match, path) if match else None
        if label is None:
            return None
        return Clip(
            path=path,
            corpus=self.name,
            speaker=f"{self.name}:{label.speaker}",
            sex=label.sex,
            emotion=label.emotion,
            intensity=label.intensity,
            language=self.language,
            licence=self.licence,
        )

    def read(self, folder: Path) -> list[Clip]:
        """All clips below a folder, in the order of their paths.

        Raises:
            CorpusError: if no file there is named as the corpus names its files
        """
        if not folder.is_dir():
            raise CorpusError(f"there is no folder {folder}")
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO_ENDINGS)
        clips = [clip for clip in map(self.parse, files) if clip is not None]
        if not clips:
            raise CorpusError(
                f"none of the {len(files)} audio files in {folder} "
                f"is named as {self.title} names its own"
            )
        return clips


def find_corpus_folder(corpora: Path, name: str) -> Path:
    """The folder of a corpus: below a folder of corpora, or that folder itself.

    Raises:
        CorpusError: naming the folder that was expected
    """
    for folder in (corpora / name, corpora / "emotion" / name, corpora):
        if folder.name.lower() == name and folder.is_dir():
            return folder
    raise CorpusError(f"there is no folder {name!r} in {corpora}")


def contents(clips: Iterable[Clip]) -> list[str]:
    """Digest of each clip's bytes: equal digests are exact duplicates."""
    return [hashlib.blake2b(clip.path.read_bytes(), digest_size=16).hexdigest() for clip in clips]


def one_of_each_content(clips: Sequence[Clip]) -> list[Clip]:
    """The clips without exact duplicates, the first by path of each kept.

    Raises:
        CorpusError: if copies of one recording carry different emotions
    """
    kept: dict[str, Clip] = {}
    for clip, content in zip(clips, contents(clips), strict=True):
        first = kept.setdefault(content, clip)
        if first.emotion != clip.emotion:
            raise CorpusError(
                f"{first.path} and {clip.path} are the same recording, "
                f"labelled {first.emotion} and {clip.emotion}"
            )
    return list(kept.values())
