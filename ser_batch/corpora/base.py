"""What every corpus importer gives: clips with their labels, read from names alone."""

from __future__ import annotations

import hashlib
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
class Corpus:
    """A public corpus and how its files are named.

    Attributes:
        name: short name, also of its folder
        title: name and source for the model card
        licence: SPDX identifier where there is one
        language: ISO 639-1
        parse: clip of a file, None if the file does not belong to the corpus
    """

    name: str
    title: str
    licence: str
    language: str
    parse: Callable[[Path], Clip | None]

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
