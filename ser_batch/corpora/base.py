"""What every corpus importer gives: clips with their labels, read from names alone."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ser_batch.dimensions import derived_dimensions
from ser_batch.emotions import CALL_CATEGORIES
from ser_batch.errors import CorpusError

AUDIO_ENDINGS = (".wav", ".flac", ".mp3", ".ogg")

Sex = Literal["female", "male", "unknown"]
Votes = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Clip:
    """One labelled recording of one speaker.

    Attributes:
        path: the audio file
        corpus: short name of the corpus
        speaker: unique across corpora, `emodb:03`
        sex: of the speaker
        emotion: in the vocabulary of `ser_batch.emotions`; with votes, the most voted
        intensity: as the corpus names it (`normal`, `strong`), None where it does not
        language: ISO 639-1
        licence: SPDX identifier where there is one
        votes: listeners by perceived emotion, in order of the names; empty where nobody voted
        acted: emotion that the speaker was asked for, where it may differ from `emotion`
        sentence: which text is spoken, None where the corpus does not say
        rated: arousal and valence as raters mark them, 1 to 5; None: nobody did
    """

    path: Path
    corpus: str
    speaker: str
    sex: Sex
    emotion: str
    intensity: str | None
    language: str
    licence: str
    votes: Votes = ()
    acted: str | None = None
    sentence: str | None = None
    rated: tuple[float, float] | None = None

    @property
    def dimensions(self) -> tuple[float, float] | None:
        """Arousal and valence, 1 to 5: as rated, else what the votes suggest; None: neither."""
        if self.rated is None and self.votes:
            return derived_dimensions(self.shares, self.intensity)
        return self.rated

    @property
    def shares(self) -> dict[str, float]:
        """Share of the listeners by emotion; without votes, all of them name `emotion`."""
        n_votes = sum(count for _, count in self.votes)
        return {name: count / n_votes for name, count in self.votes} or {self.emotion: 1.0}


@dataclass(frozen=True)
class Label:
    """What a corpus says of a file.

    Attributes:
        speaker: as the corpus names them
        sex: of the speaker
        emotion: in the vocabulary of `ser_batch.emotions`; with votes, the most voted
        intensity: as the corpus names it, None where it does not
        votes: as in `Clip`
        acted: as in `Clip`
        sentence: as in `Clip`
    """

    speaker: str
    sex: Sex
    emotion: str
    intensity: str | None = None
    votes: Votes = ()
    acted: str | None = None
    sentence: str | None = None


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
            votes=label.votes,
            acted=label.acted,
            sentence=label.sentence,
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
    if not corpora.is_dir():
        raise CorpusError(f"there is no folder {corpora}: name the one that holds the corpora")
    raise CorpusError(
        f"there is no folder {name!r} in {corpora}: name the folder that holds one of each corpus"
    )


def most_voted(votes: Mapping[str, float], acted: str | None = None) -> str:
    """The emotion with most votes; of several, the acted one, else the first by name."""
    most = max(votes.values())
    named = sorted(name for name, count in votes.items() if count == most)
    return acted if acted is not None and acted in named else named[0]


def contents(clips: Iterable[Clip]) -> list[str]:
    """Digest of each clip's bytes: equal digests are exact duplicates."""
    return [hashlib.blake2b(clip.path.read_bytes(), digest_size=16).hexdigest() for clip in clips]


def one_of_each_content(clips: Sequence[Clip]) -> list[Clip]:
    """The clips without exact duplicates, the first by path of each kept; votes are pooled.

    Raises:
        CorpusError: if copies of one recording carry different emotions, and nobody voted
    """
    by_content: dict[str, list[Clip]] = {}
    for clip, content in zip(clips, contents(clips), strict=True):
        by_content.setdefault(content, []).append(clip)
    return [_pooled(same) if len(same) > 1 else same[0] for same in by_content.values()]


def check_emotions(clips: Iterable[Clip]) -> None:
    """Refuse clips that cannot tell one emotion from another.

    Raises:
        CorpusError: if all are of one category of calls
    """
    emotions = {clip.emotion for clip in clips}
    if len({CALL_CATEGORIES.get(emotion, emotion) for emotion in emotions}) < 2:
        raise CorpusError(
            f"all clips are labelled {', '.join(sorted(emotions))}; a model needs two emotions, of "
            "which calm, neutral and boredom are one"
        )


def _pooled(same: Sequence[Clip]) -> Clip:
    """One clip of several of the same recording."""
    first = same[0]
    if any(clip.votes for clip in same):
        votes: Counter[str] = Counter()
        for clip in same:
            votes.update(dict(clip.votes))
        return replace(
            first, emotion=most_voted(votes, first.acted), votes=tuple(sorted(votes.items()))
        )
    for clip in same:
        if first.emotion != clip.emotion:
            raise CorpusError(
                f"{first.path} and {clip.path} are the same recording, "
                f"labelled {first.emotion} and {clip.emotion}"
            )
    return first
