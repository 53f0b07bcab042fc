"""WebVTT and SubRip: cues with times, and who speaks where the cues say so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ser_batch.transcripts.utterance import Utterance, utterance

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s|$)", re.ASCII)
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]{1,100})>")
_TAG = re.compile(r"<[^<>]*>")
_NAMED = re.compile(r"\s*(?:\[([^\]\n]{1,60})\]:?|([\w .-]{1,40}):)\s+(?=\S)")
LEAST_NAMED = 0.5
"""Share of the cues that begin with a name and a colon, from which these are speakers."""

Cue = tuple[re.Match[str], str]


def has_cues(text: str) -> bool:
    """Whether any line holds a cue's times."""
    return any(_TIMING.match(line) for line in text.splitlines())


def cues(text: str) -> Iterator[Utterance | None]:
    """The cues of a file; lines that belong to none are left out."""
    found = list(_cues(text))
    n_named = sum(_NAMED.match(said) is not None for _, said in found)
    is_named = n_named >= LEAST_NAMED * len(found)
    for timing, said in found:
        voice = _VOICE.search(said)
        named = _NAMED.match(said) if is_named and voice is None else None
        label = voice[1] if voice else (named[1] or named[2]) if named else ""
        text = _TAG.sub("", said[named.end() :] if named else said)
        start, end = timing.groups()[:4], timing.groups()[4:]
        yield utterance(_seconds(*start), _seconds(*end), text, speaker=label)


def _cues(text: str) -> Iterator[Cue]:
    """Times and text of each cue, which ends with an empty line or with the next cue's times."""
    timing: re.Match[str] | None = None
    said: list[str] = []
    for line in (*text.splitlines(), ""):
        found = _TIMING.match(line)
        if timing and (found or not line.strip()):
            if found and said and said[-1].strip().isdigit():
                said.pop()  # the number of the next cue
            yield timing, " ".join(said)
            timing, said = None, []
        if found:
            timing = found
        elif timing:
            said.append(line)


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")
