"""CREMA-D: `1001_DFA_ANG_XX.wav` is actor, sentence, emotion, level; listeners' votes are a table.

Only 42 % of the clips are perceived as they were acted, so a clip's label is what its listeners
voted for from the voice alone; the acted emotion is kept beside it.

Source: Cao et al. (2014), "CREMA-D: Crowd-sourced emotional multimodal actors dataset".
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from ser_batch.corpora.base import Corpus, Label, Sex, Votes, most_voted
from ser_batch.errors import CorpusError

NAME = re.compile(
    r"^(?P<actor>1\d{3})_(?P<sentence>[A-Z]{3})_"
    r"(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)_(?P<level>LO|MD|HI|XX)$"
)
EMOTION = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
LEVEL = {"LO": "low", "MD": "medium", "HI": "high", "XX": None}
DEMOGRAPHICS = "VideoDemographics.csv"
"""The corpus's own table of actors; without it their sex is unknown."""

VOTES, TABULATED = "votes.csv", "tabulatedVotes.csv"
"""Tables of votes: one row a clip with a column `votes_anger` an emotion, or the corpus's own."""
PLACES = (".", "..", "../processedResults")
"""Where the tables lie, from the folder of the clips."""
VOICE_ONLY = range(100_000, 200_000)
"""Row numbers of the corpus's own table whose listeners did not see the speaker."""


def label(match: re.Match[str], path: Path) -> Label | None:
    """What listeners voted for; None for a clip that nobody voted on.

    Raises:
        CorpusError: if there is no table of votes
    """
    votes = _votes(path.parent).get(path.stem)
    if votes is None:
        return None
    acted = EMOTION[match["emotion"]]
    return Label(
        speaker=match["actor"],
        sex=_sexes(path.parent).get(match["actor"], "unknown"),
        emotion=most_voted(dict(votes), acted),
        intensity=LEVEL[match["level"]],
        votes=votes,
        acted=acted,
        sentence=match["sentence"],
    )


@lru_cache(maxsize=8)
def _votes(folder: Path) -> Mapping[str, Votes]:
    """Voice-only votes of each clip, by its name without ending."""
    for name, read in ((VOTES, _plain), (TABULATED, _tabulated)):
        if (table := _beside(folder, name)) is not None:
            with table.open(encoding="utf-8", newline="") as stream:
                try:
                    counts = dict(read(csv.DictReader(stream)))
                except (KeyError, ValueError) as error:
                    raise CorpusError(f"{table} cannot be read: {error!r}") from error
            return {
                clip: tuple(sorted((emotion, n) for emotion, n in votes.items() if n > 0))
                for clip, votes in counts.items()
                if any(votes.values())
            }
    raise CorpusError(
        f"{folder}: no {VOTES} or {TABULATED} beside the clips; CREMA-D is labelled by its "
        "listeners' votes, because most clips are not perceived as they were acted"
    )


def _plain(rows: csv.DictReader[str]) -> Iterator[tuple[str, dict[str, float]]]:
    for row in rows:
        yield row["clip"], {name: float(row[f"votes_{name}"]) for name in EMOTION.values()}


def _tabulated(rows: csv.DictReader[str]) -> Iterator[tuple[str, dict[str, float]]]:
    for row in rows:
        if int(row[""]) in VOICE_ONLY:
            yield row["fileName"], {name: float(row[key[0]]) for key, name in EMOTION.items()}


@lru_cache(maxsize=8)
def _sexes(folder: Path) -> Mapping[str, Sex]:
    """Sex of each actor, from the table beside the clips."""
    table = _beside(folder, DEMOGRAPHICS)
    if table is None:
        return {}
    with table.open(encoding="utf-8", newline="") as stream:
        return {
            row["ActorID"]: "female" if row["Sex"].lower() == "female" else "male"
            for row in csv.DictReader(stream)
        }


def _beside(folder: Path, name: str) -> Path | None:
    found = (folder / place / name for place in PLACES)
    return next((table for table in found if table.is_file()), None)


CREMAD = Corpus(
    name="cremad",
    title="CREMA-D (Cao et al. 2014)",
    licence="ODbL-1.0",
    language="en",
    pattern=NAME,
    label=label,
)
