r"""What is taken out of words before anything is stored.

Numbers, addresses of e-mail and names that are known are always taken out. Other names need a
model that finds them (`transcripts.names_model`). No rule finds everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from ser_batch.errors import SettingsError

RULES_VERSION = 1
"""Raised when more is taken out, so that transcripts at hand are read again."""
LEAST_NAME_CHARS = 3
MAX_CHARS, MAX_WORD_CHARS = 20_000, 100
"""Of a segment and of a word in it; what is longer is cut, for no speech is that long."""

EMAIL, NUMBER, NAME = "[email]", "[number]", "[name]"

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_SPOKEN_EMAIL = re.compile(
    r"[\w.-]+(?: (?:dot|punkt|punto|point|underscore|minus) [\w.-]+){0,4}"
    r" (?:at|ät|arroba|chiocciola|arobase) [\w.-]+"
    r"(?: [\w-]+){0,2} (?:dot|punkt|punto|point) [a-z]{2,12}\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\S*\d\S*(?:[ -]+\S*\d\S*)*")
_DIGIT_WORDS = (
    "zero|oh|nought|one|two|three|four|five|six|seven|eight|nine|double|triple|"
    "null|eins|zwei|zwo|drei|vier|fünf|sechs|sieben|acht|neun|"
    "cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|"
    "zéro|un|deux|trois|quatre|cinq|sept|huit|neuf|"
    "due|tre|quattro|cinque|sette|otto|nove"
)
_SPELLED = re.compile(rf"\b(?:{_DIGIT_WORDS})(?:[\s,.-]+(?:{_DIGIT_WORDS})\b){{2,}}", re.IGNORECASE)
_INTRODUCED = re.compile(
    r"(\b(?:my name is|my name's|my surname is|mein name ist|ich heiße|me llamo|"
    r"je m'appelle|mi chiamo)\s+)(\w[\w'-]*(?:\s+(?!(?:and|und|y|et|e|i|ich)\b)\w[\w'-]*)?)",
    re.IGNORECASE,
)

NameFinder = Callable[[str], list[tuple[int, int]]]
"""Text → begin and end of each person's name in it."""


def redacted(text: str, *, known_names: Iterable[str], find_names: NameFinder | None) -> str:
    """A text without numbers, addresses of e-mail and names.

    Args:
        text: of one segment, so that what is spelled over several words is seen whole
        known_names: values of metadata that name people
        find_names: finds others; None: only those that introduce themselves are found
    """
    text = " ".join(word[:MAX_WORD_CHARS] for word in text.split())[:MAX_CHARS]
    for begin, end in reversed(find_names(text) if find_names else []):
        text = f"{text[:begin]}{NAME}{text[end:]}"
    text = _EMAIL.sub(EMAIL, text)
    text = _SPOKEN_EMAIL.sub(EMAIL, text)
    text = _DIGITS.sub(NUMBER, text)
    text = _SPELLED.sub(NUMBER, text)
    text = _INTRODUCED.sub(rf"\1{NAME}", text)
    words = {
        word
        for name in known_names
        for word in re.findall(r"[^\W\d_]+", name)
        if len(word) >= LEAST_NAME_CHARS
    }
    if words:
        either = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
        text = re.sub(rf"\b(?:{either})\b", NAME, text, flags=re.IGNORECASE)
    return text


@lru_cache(maxsize=1)
def name_finder(model: str | None) -> NameFinder | None:
    """The finder of names that the settings ask for; None where they ask for none.

    Args:
        model: name of an installed spaCy pipeline, or its folder

    Raises:
        SettingsError: if spaCy or the pipeline is not there
    """
    if model is None:
        return None
    try:
        import spacy  # noqa: PLC0415  an extra, and slow to import

        pipeline: Any = spacy.load(model, exclude=["parser", "lemmatizer", "attribute_ruler"])
    except (ImportError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError(
            f"transcripts.names_model = {model!r} cannot be used: {reason}; install "
            "ser-batch[names] and a pipeline of spaCy, or name the pipeline's folder"
        ) from error
    return lambda text: [
        (found.start_char, found.end_char)
        for found in pipeline(text).ents
        if found.label_ in ("PERSON", "PER", "persName")
    ]
