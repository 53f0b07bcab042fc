"""A transcript from bytes, whatever its shape; nothing of a damaged one raises but one error."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from ser_batch.errors import (
    GoneFileError,
    LargeTranscriptError,
    TranscriptError,
    UnreadableFileError,
)
from ser_batch.files.inputs import open_input, status_of
from ser_batch.transcripts.captions import cues, has_cues
from ser_batch.transcripts.utterance import MAX_UTTERANCES, Utterance
from ser_batch.transcripts.vendors import SHAPES

ENDINGS = (".json", ".vtt", ".srt")


def read_transcript(path: Path, *, most_mb: float) -> list[Utterance]:
    """The utterances of a transcript file.

    Args:
        path: JSON of a vendor, WebVTT or SubRip
        most_mb: larger files are refused unread, MB

    Raises:
        TranscriptError: if it cannot be read, is too large, or holds no transcript
        NotRegularFileError: if it is no file
    """
    try:
        with open_input(path) as file:
            data = file.read(int(most_mb * 1e6) + 1)
            size = status_of(path).st_size
    except (OSError, GoneFileError, UnreadableFileError) as error:
        raise TranscriptError(f"the transcript {error}") from error
    if len(data) > most_mb * 1e6:
        raise LargeTranscriptError(size_mb=size / 1e6, most_mb=most_mb)
    return parse_transcript(data)


def parse_transcript(data: bytes) -> list[Utterance]:
    """The utterances of a transcript, of whichever shape it is.

    Args:
        data: JSON of a vendor, WebVTT or SubRip, in UTF-8 or UTF-16

    Raises:
        TranscriptError: if it is none of them, or has too many words
    """
    text = _text(data)
    if text.lstrip()[:1] in ("{", "["):
        return _kept(_of_json(text))
    if has_cues(text):
        return _kept(cues(text))
    raise TranscriptError("the transcript is neither JSON nor captions with times")


def _of_json(text: str) -> Iterable[Utterance | None]:
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        cause = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "its nesting"
        raise TranscriptError(f"the transcript is damaged JSON ({cause})") from error
    for shape in SHAPES:
        if (found := shape(document)) is not None:
            return found
    raise TranscriptError("the transcript is JSON of no shape that is known")


def _kept(found: Iterable[Utterance | None]) -> list[Utterance]:
    kept = list(islice((each for each in found if each is not None), MAX_UTTERANCES + 1))
    if len(kept) > MAX_UTTERANCES:
        raise TranscriptError(f"the transcript has more than {MAX_UTTERANCES} words")
    return sorted(kept, key=lambda each: (each.start_s, each.end_s))


def _text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")
