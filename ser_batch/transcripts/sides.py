"""Whose words they are: utterances matched to the sides of a call.

Words are kept of a customer who may be scored, and of nobody else. Where nothing says reliably
whose they are, none are kept.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ser_batch.config import Role, Speaker
from ser_batch.errors import UnmatchedSpeakersError
from ser_batch.policy import names_people_at_work
from ser_batch.transcripts.utterance import Utterance

LEAST_LEAD = 2.0
"""Times that a speaker's words lie more within one side's segments than within another's."""
LEAST_COVERED = 0.5
"""Share of a speaker's words that lies within segments at all."""
LEAST_WORD_S = 0.05

_CUSTOMER = re.compile(r"customer|caller|client|kunde|kundin|anrufer|cliente", re.IGNORECASE)


@dataclass(frozen=True)
class Segment:
    """A segment of speech: its number on its channel, and its span in the recording, seconds."""

    number: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class CallSide:
    """A side of a call.

    Attributes:
        channel: of the recording, or the voice in its only one, from 0
        role: who speaks
        is_kept: a customer who may be scored
        segments: of the side's speech, by start
    """

    channel: int
    role: Role
    is_kept: bool
    segments: tuple[Segment, ...]


def kept_words(
    utterances: Sequence[Utterance],
    sides: Sequence[CallSide],
    speakers: Mapping[str, Speaker],
    *,
    has_channels: bool,
) -> dict[tuple[int, int], list[Utterance]]:
    """What customers that may be scored say in their segments.

    Args:
        utterances: of the whole call
        sides: of the call
        speakers: who the labels of speakers are, where the settings say so
        has_channels: each side has a channel of the recording; else the sides are voices of one

    Returns:
        (channel, segment number) → its utterances in order

    Raises:
        UnmatchedSpeakersError: if nothing says whose the words are
    """
    by_channel = {side.channel: side for side in sides} if has_channels else {}
    said: dict[str, list[Utterance]] = defaultdict(list)
    for each in utterances:
        if each.channel not in by_channel:
            said[each.speaker].append(each)
    by_label = {
        label: _side_of(label, own, sides, speakers, n_labels=len(said))
        for label, own in said.items()
    }
    found: dict[tuple[int, int], list[Utterance]] = defaultdict(list)
    for each in utterances:
        side = by_channel.get(each.channel) if each.channel is not None else None
        if side is None:
            side = by_label.get(each.speaker)
            side = side if side and not _is_anothers(each, side, sides) else None
        if side is not None and side.is_kept:
            segment = _segment_of(each, side.segments)
            if segment is not None:
                found[side.channel, segment.number].append(each)
    return dict(found)


def _side_of(
    label: str,
    said: Sequence[Utterance],
    sides: Sequence[CallSide],
    speakers: Mapping[str, Speaker],
    *,
    n_labels: int,
) -> CallSide | None:
    """The side of a speaker; None: of somebody whose words are not kept."""
    role = speakers.get(label) or _role_of(label)
    if role == "agent":
        return None
    customers = [side for side in sides if side.role == "customer"]
    if role == "customer" and len(customers) == 1:
        return customers[0]
    if len(sides) == 1 and n_labels == 1:
        return sides[0]
    if not label:
        raise UnmatchedSpeakersError("the transcript names neither channels nor speakers")
    if len(sides) == 1:
        raise UnmatchedSpeakersError(f"{n_labels} speakers are named where one is expected")
    return _by_time(label, said, sides)


def _role_of(label: str) -> Speaker | None:
    if names_people_at_work(label):
        return "agent"
    return "customer" if _CUSTOMER.search(label) else None


def _by_time(label: str, said: Sequence[Utterance], sides: Sequence[CallSide]) -> CallSide:
    """The side within whose segments a speaker's words lie."""
    shared = sorted(
        ((sum(_shared_s(each, side.segments) for each in said), side) for side in sides),
        key=lambda pair: -pair[0],
    )
    (most_s, side), (next_s, _) = shared[:2]
    all_s = sum(_end_s(each) - each.start_s for each in said)
    if most_s < LEAST_LEAD * next_s or most_s < LEAST_COVERED * all_s:
        raise UnmatchedSpeakersError(
            f"the words of {label[:40]!r} lie within no side's segments clearly"
        )
    return side


def _is_anothers(each: Utterance, side: CallSide, sides: Sequence[CallSide]) -> bool:
    """Whether an utterance lies more within another side's segments than within its own."""
    own_s = _shared_s(each, side.segments)
    return any(_shared_s(each, other.segments) > own_s for other in sides if other is not side)


def _shared_s(each: Utterance, segments: Sequence[Segment]) -> float:
    return sum(_overlap_s(each, segment) for segment in _near(each, segments))


def _near(each: Utterance, segments: Sequence[Segment]) -> Sequence[Segment]:
    """The segments that an utterance may overlap; they do not overlap each other."""
    begin = bisect_right(segments, each.start_s, key=_start_s) - 1
    return segments[max(0, begin) : bisect_left(segments, _end_s(each), key=_start_s)]


def _start_s(segment: Segment) -> float:
    return segment.start_s


def _end_s(each: Utterance) -> float:
    return max(each.end_s, each.start_s + LEAST_WORD_S)


def _overlap_s(each: Utterance, segment: Segment) -> float:
    return max(0.0, min(_end_s(each), segment.end_s) - max(each.start_s, segment.start_s))


def _segment_of(each: Utterance, segments: Sequence[Segment]) -> Segment | None:
    """The segment that holds most of an utterance; None if none holds any."""
    near = _near(each, segments)
    best = max(near, key=lambda segment: _overlap_s(each, segment), default=None)
    return best if best is not None and _overlap_s(each, best) > 0 else None
