"""JSON of speech recognisers: AWS Transcribe, Google Speech-to-Text, WhisperX, Deepgram.

Each shape is recognised by what it holds. A value of another type than documented is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ser_batch.transcripts.utterance import Utterance, seconds, utterance

Found = Iterator[Utterance | None]
Fields = dict[str, Any]


def deepgram(document: object) -> Found | None:
    """Deepgram: `results.channels`, an entry a channel.

    Source: Deepgram, "Pre-recorded audio", response schema.
    """
    results = _fields(_fields(document).get("results"))
    if not isinstance(results.get("channels"), list):
        return None
    return _deepgram_words(_list(results["channels"]))


def _deepgram_words(channels: list[Fields]) -> Found:
    for number, channel in enumerate(channels):
        own = number if len(channels) > 1 else None
        for best in _list(channel.get("alternatives"))[:1]:
            for word in _list(best.get("words")):
                yield utterance(
                    seconds(word.get("start")),
                    seconds(word.get("end")),
                    word.get("punctuated_word", word.get("word")),
                    speaker=word.get("speaker", ""),
                    channel=own,
                )


def aws(document: object) -> Found | None:
    """AWS Transcribe: `results.items`, with labels of speakers or channels.

    Source: Amazon Transcribe, "Data input and output", "Channel identification", "Speaker
    partitioning".
    """
    results = _fields(_fields(document).get("results"))
    if not isinstance(results.get("items"), list):
        return None
    return _aws_words(results)


def _aws_words(results: Fields) -> Found:
    channels = _list(_fields(results.get("channel_labels")).get("channels"))
    if channels:
        for channel in channels:
            for item in _list(channel.get("items")):
                yield _aws_word(item, "", _number(channel.get("channel_label")))
        return
    speakers = {
        item.get("start_time"): item.get("speaker_label", segment.get("speaker_label", ""))
        for segment in _list(_fields(results.get("speaker_labels")).get("segments"))
        for item in _list(segment.get("items"))
        if isinstance(item.get("start_time"), str)
    }
    for item in _list(results["items"]):
        start = item.get("start_time")
        known = speakers.get(start, "") if isinstance(start, str) else ""
        yield _aws_word(item, item.get("speaker_label", known), _number(item.get("channel_label")))


def _aws_word(item: Fields, speaker: object, channel: int | None) -> Utterance | None:
    best = (_list(item.get("alternatives")) or [{}])[0]
    start_s, end_s = seconds(item.get("start_time")), seconds(item.get("end_time"))
    return utterance(start_s, end_s, best.get("content"), speaker=speaker, channel=channel)


def aws_analytics(document: object) -> Found | None:
    """AWS Call Analytics and Contact Lens: `Transcript`, a turn an entry, with its role.

    Source: Amazon Transcribe, "Post-call analytics output"; Amazon Connect, "Contact Lens output
    files".
    """
    turns = _fields(document).get("Transcript")
    if not isinstance(turns, list):
        return None
    people = _list(_fields(document).get("Participants"))
    roles = {
        person["ParticipantId"]: person.get("ParticipantRole")
        for person in people
        if isinstance(person.get("ParticipantId"), str)
    }
    return _analytics_turns(_list(turns), roles)


def _analytics_turns(turns: list[Fields], roles: dict[str, object]) -> Found:
    for turn in turns:
        person = turn.get("ParticipantId", "")
        known = roles.get(person) if isinstance(person, str) else None
        start_ms, end_ms = (
            seconds(turn.get(name)) for name in ("BeginOffsetMillis", "EndOffsetMillis")
        )
        yield utterance(
            None if start_ms is None else start_ms / 1000,
            None if end_ms is None else end_ms / 1000,
            turn.get("Content"),
            speaker=turn.get("ParticipantRole", known or person),
        )


def google(document: object) -> Found | None:
    """Google Speech-to-Text, versions 1 and 2: `results`, a list of recognised passages.

    Where speakers were diarized, version 1 repeats every word with its speaker in the last result;
    the words without one are left out then.

    Source: Google Cloud, "Speech-to-Text API", RecognizeResponse.
    """
    fields = _fields(document)
    results = fields.get("results", _fields(fields.get("response")).get("results"))
    if not isinstance(results, list):
        return None
    rows = _list(results)
    is_diarized = any(_google_speaker(word) for row in rows for word in _google_words(row))
    return _google_utterances(rows, is_diarized=is_diarized)


def _google_utterances(rows: list[Fields], *, is_diarized: bool) -> Found:
    ended: dict[int | None, float] = {}
    for row in rows:
        tag = row.get("channelTag")
        channel = tag - 1 if isinstance(tag, int) and tag > 0 else None
        words = _google_words(row)
        for word in words:
            speaker = _google_speaker(word)
            if speaker or not is_diarized:
                yield utterance(
                    seconds(word.get("startTime", word.get("startOffset", 0))),
                    seconds(word.get("endTime", word.get("endOffset"))),
                    word.get("word"),
                    speaker=speaker,
                    channel=channel,
                )
        end_s = seconds(row.get("resultEndTime", row.get("resultEndOffset")))
        if not words and end_s is not None and not is_diarized:
            text = (_list(row.get("alternatives")) or [{}])[0].get("transcript")
            yield utterance(ended.get(channel, 0.0), end_s, text, channel=channel)
        if end_s is not None:
            ended[channel] = end_s


def _google_words(row: Fields) -> list[Fields]:
    best = (_list(row.get("alternatives")) or [{}])[0]
    return _list(best.get("words"))


def _google_speaker(word: Fields) -> str:
    label = word.get("speakerLabel", word.get("speakerTag"))
    return str(label) if isinstance(label, str | int) and label else ""


def whisperx(document: object) -> Found | None:
    """WhisperX and Whisper: `segments`, with words where they were aligned.

    A word without times, a number for instance, has those of its segment.

    Source: WhisperX, `--output_format json`; openai-whisper, the same.
    """
    segments = document if isinstance(document, list) else _fields(document).get("segments")
    if not isinstance(segments, list):
        return None
    return _whisper_words(_list(segments))


def _whisper_words(segments: list[Fields]) -> Found:
    for segment in segments:
        speaker = segment.get("speaker", "")
        words = _list(segment.get("words"))
        for word in words:
            yield utterance(
                seconds(word.get("start", segment.get("start"))),
                seconds(word.get("end", segment.get("end"))),
                word.get("word"),
                speaker=word.get("speaker", speaker),
            )
        if not words:
            start_s, end_s = seconds(segment.get("start")), seconds(segment.get("end"))
            yield utterance(start_s, end_s, segment.get("text"), speaker=speaker)


SHAPES: tuple[Callable[[object], Found | None], ...] = (
    deepgram,
    aws,
    aws_analytics,
    google,
    whisperx,
)
"""In the order in which they are tried; each answers None to another's file."""


def _fields(value: object) -> Fields:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Fields]:
    """The objects of a list; nothing for what is none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _number(label: object) -> int | None:
    """The channel that a label such as `ch_1` names."""
    found = re.fullmatch(r"ch_(\d{1,2})", label) if isinstance(label, str) else None
    return int(found[1]) if found else None
