"""What is taken out of words, and what stays."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_batch.errors import SettingsError
from ser_batch.transcripts.redact import MAX_CHARS, name_finder, redacted


def clean(text: str, *names: str) -> str:
    return redacted(text, known_names=names, find_names=None)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("mail jo@example.org now", "mail [email] now"),
        ("it is jo dot smith at example dot org please", "it is [email] please"),
        ("call 0171 555-0100 or +49 (30) 1234", "call [number] or [number]"),
        ("contract C-1001, £30.50 a month", "contract [number] a month"),
        ("it ends in four two oh nine I think", "it ends in [number] I think"),
        ("die Nummer ist drei, sieben, zwei", "die Nummer ist [number]"),
        ("I waited two weeks", "I waited two weeks"),
        ("my name is Ann Smith and I am angry", "my name is [name] and I am angry"),
        ("ich heiße Jürgen und warte", "ich heiße [name] und warte"),
        ("١٢٣ is a number too", "[number] is a number too"),
    ],
)
def test_numbers_addresses_and_introductions_are_taken_out(said: str, kept: str) -> None:
    assert clean(said) == kept


def test_names_of_the_metadata_are_taken_out_wherever_they_stand() -> None:
    assert clean("Kowalski here, is that KOWALSKI's line, Jo?", "Jo Kowalski", "C-7") == (
        "[name] here, is that [name]'s line, Jo?"
    )


@given(st.text(max_size=60))
def test_no_digit_and_no_address_stays(text: str) -> None:
    found = clean(text)
    assert not re.search(r"\d", found)
    assert not re.search(r"[^\s@]+@[^\s@]+\.[^\s@]+", found)


def test_what_is_longer_than_speech_is_cut_before_it_is_searched() -> None:
    began_s = time.perf_counter()
    found = clean(" ".join(["a." * 500_000, "dot ".join(["x-"] * 100_000), "1-" * 500_000]))
    assert len(found) <= MAX_CHARS
    assert time.perf_counter() - began_s < 5


def test_a_model_of_names_that_is_not_there_is_one_line_with_the_remedy() -> None:
    with pytest.raises(SettingsError, match=r"names_model = 'no-such-model' .*ser-batch\[names\]"):
        name_finder("no-such-model")
    assert name_finder(None) is None


def test_a_model_finds_names_that_nobody_introduces() -> None:
    spacy = pytest.importorskip("spacy")
    if not spacy.util.is_package("en_core_web_sm"):
        pytest.skip("the pipeline en_core_web_sm is not installed")
    text = "Then Laura Fischer told me to wait"
    found = redacted(text, known_names=(), find_names=name_finder("en_core_web_sm"))
    assert found == "Then [name] told me to wait"
