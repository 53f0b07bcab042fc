"""Every documented shape gives the same words of the customer, and of nobody else."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_batch.errors import (
    LargeTranscriptError,
    NotRegularFileError,
    TranscriptError,
    UnmatchedSpeakersError,
)
from ser_batch.transcripts.read import parse_transcript, read_transcript
from ser_batch.transcripts.sides import CallSide, Segment, kept_words
from ser_batch.transcripts.utterance import Utterance

EXAMPLES = sorted(Path(__file__).with_name("examples").iterdir())
AGENT = CallSide(0, "agent", False, (Segment(0, 0.4, 2.6), Segment(1, 7.9, 10.1)))
CUSTOMER = CallSide(1, "customer", True, (Segment(0, 2.9, 7.4), Segment(1, 10.4, 12.2)))
SAID = {
    (1, 0): "My bill is wrong again mail jo@example.org or call 0171 5550100",
    (1, 1): "This is a disgrace",
}


def said(
    utterances: list[Utterance], *sides: CallSide, has_channels: bool = True, **speakers: str
) -> dict[tuple[int, int], str]:
    found = kept_words(utterances, sides, speakers, has_channels=has_channels)
    return {key: " ".join(each.text for each in words) for key, words in found.items()}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_shape_gives_the_customers_words_by_segment(path: Path) -> None:
    found = said(read_transcript(path, most_mb=1), AGENT, CUSTOMER)
    assert {key: sorted(text.split()) for key, text in found.items()} == {
        key: sorted(text.split()) for key, text in SAID.items()
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_nothing_is_kept_of_a_customer_who_may_not_be_scored(path: Path) -> None:
    barred = CallSide(1, "customer", False, CUSTOMER.segments)
    assert said(read_transcript(path, most_mb=1), AGENT, barred) == {}


def test_speakers_are_whom_the_settings_say(tmp_path: Path) -> None:
    words = [Utterance(3, 4, "terrible", "spk_1"), Utterance(3, 4, "sorry", "spk_0")]
    roles = {"spk_0": "agent", "spk_1": "customer"}
    assert said(words, AGENT, CUSTOMER, **roles) == {(1, 0): "terrible"}


def test_words_of_nobody_in_particular_are_not_kept() -> None:
    nameless = [Utterance(3, 4, "terrible")]
    with pytest.raises(UnmatchedSpeakersError, match="neither channels nor speakers"):
        said(nameless, AGENT, CUSTOMER)
    with pytest.raises(UnmatchedSpeakersError, match="clearly"):
        said([Utterance(0.5, 7, "both of us", "spk_0")], AGENT, CUSTOMER)
    assert said(nameless, CUSTOMER) == {(1, 0): "terrible"}


def test_on_a_customers_own_recording_an_agents_words_are_not_kept() -> None:
    words = [Utterance(3, 4, "terrible", "Customer"), Utterance(4, 5, "sorry", "Agent")]
    assert said(words, CUSTOMER) == {(1, 0): "terrible"}
    with pytest.raises(UnmatchedSpeakersError, match="2 speakers are named"):
        said([Utterance(3, 4, "a", "S1"), Utterance(4, 5, "b", "S2")], CUSTOMER)


def test_a_speaker_of_one_mixed_channel_keeps_no_word_of_the_others_time() -> None:
    words = [
        Utterance(3, 5, "terrible", "S1", channel=0),
        Utterance(10.5, 11.5, "awful", "S1", channel=0),
        Utterance(8, 8.5, "sorry", "S1", channel=0),
    ]
    found = said(words, AGENT, CUSTOMER, has_channels=False)
    assert found == {(1, 0): "terrible", (1, 1): "awful"}


def test_what_is_no_transcript_is_one_error_with_its_cause(tmp_path: Path) -> None:
    for data, cause in (
        (b"", "neither JSON nor captions"),
        (b"\x00\xff" * 99, "neither JSON nor captions"),
        (b'{"results": ', "damaged JSON"),
        (b'{"name": "x"}', "no shape that is known"),
        (b"[" * 100_000, "damaged JSON"),
        (b"[1" + b"0" * 5000 + b"]", "damaged JSON"),
    ):
        with pytest.raises(TranscriptError, match=cause):
            parse_transcript(data)
    large = tmp_path / "large.json"
    large.write_bytes(b" " * 2_000_000)
    with pytest.raises(LargeTranscriptError, match=r"2\.0 MB, 1 MB are read"):
        read_transcript(large, most_mb=1)
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(NotRegularFileError):
        read_transcript(tmp_path / "pipe.json", most_mb=1)
    with pytest.raises(TranscriptError, match="cannot be opened"):
        read_transcript(tmp_path / "none.json", most_mb=1)


def test_values_of_other_types_are_left_out_and_the_others_are_kept() -> None:
    words = [
        {"word": "kept", "start": 1, "end": 2},
        {"word": 7, "start": 1, "end": 2},
        {"word": "no time", "start": None},
        {"word": "never", "start": "1e999"},
        {"word": "before", "start": -1},
        {"word": "late", "start": 3, "end": "x"},
        "nothing",
    ]
    found = parse_transcript(json.dumps({"segments": [{"words": words}]}).encode())
    assert [(each.text, each.start_s, each.end_s) for each in found] == [
        ("kept", 1, 2),
        ("late", 3, 3),
    ]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(data=st.data())
def test_damaged_transcripts_give_words_or_one_error(data: st.DataObject) -> None:
    """A stored example with a value replaced or bytes cut out."""
    path = data.draw(st.sampled_from(EXAMPLES))
    raw = path.read_bytes()
    if path.suffix == ".json" and data.draw(st.booleans()):
        document = json.loads(raw)
        node = document
        while isinstance(node, dict | list) and node:
            keys = sorted(node) if isinstance(node, dict) else range(len(node))
            key = data.draw(st.sampled_from(list(keys)))
            if data.draw(st.integers(0, 3)) == 0 or not isinstance(node[key], dict | list):
                node[key] = data.draw(values)
                break
            node = node[key]
        raw = json.dumps(document).encode()
    else:
        begin = data.draw(st.integers(0, len(raw)))
        raw = raw[:begin] + data.draw(st.binary(max_size=9)) + raw[begin + 5 :]
    with contextlib.suppress(TranscriptError):
        for each in parse_transcript(raw):
            assert 0 <= each.start_s <= each.end_s
            assert each.text.strip()
            each.text.encode()
