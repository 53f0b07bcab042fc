"""Who is erased stands nowhere afterwards, also after another night; the others stay."""

from __future__ import annotations

import datetime as dt
import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest

from pipelines.cli import main
from ser_batch.clock import utc_now
from ser_batch.config import PolicySettings
from ser_batch.erasure.erase import PENDING, Erased, erase, finish_erasure
from ser_batch.erasure.plan import ErasureSubject, plan_erasure
from ser_batch.erasure.proof import search_traces
from ser_batch.errors import AmbiguousCallError, ErasurePlanError, UnknownPersonError
from ser_batch.stages.report import republish_without
from ser_batch.stages.transcripts import keep_transcripts
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, predictions_contract
from tests.centre import SETTINGS, Centre
from tests.kept import Kept

KOWALSKI = ErasureSubject("customer", "Kowalski")
WITH_WORDS = SETTINGS.model_copy(update={"policy": PolicySettings(transcripts=True)})
NAMES = ("Kowalski", "kowalski@", "k1.wav", "k2.wav", "id-k1", "id-k2", "id-k3", "never-came")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Centre, Kept]:
    folder = tmp_path_factory.mktemp("centre")
    return Centre(folder), Kept(folder)


@pytest.fixture
def centre(made: tuple[Centre, Kept]) -> Centre:
    centre, kept = made
    kept.put_back()
    return centre


def erased(centre: Centre, meant: ErasureSubject) -> Erased:
    plan = plan_erasure(centre.lake, SETTINGS, meant, with_audio=False)
    return erase(centre.root, plan, partial(republish_without, centre.root, SETTINGS))


def traces(centre: Centre) -> list[str]:
    """Names of Kowalski and of Kowalski's calls that stand anywhere under the root."""
    text = centre.text()
    return [name for name in (*NAMES, centre.ids["id-k1"], centre.ids["id-k2"]) if name in text]


def test_an_erased_customer_stands_nowhere_also_after_another_night(centre: Centre) -> None:
    scores = predictions_contract(centre.model)
    assert len(traces(centre)) == len(NAMES) + 2, "the test looks where they stand"

    done = erased(centre, KOWALSKI)

    assert traces(centre) == []
    assert (done.n_recordings, len(done.audio_left)) == (2, 3), "the copy is one recording with it"
    assert done.search.traces == ()
    assert done.search.n_files > 30
    assert centre.lake.read(scores).num_rows == 2
    assert centre.lines() == ["id-n1", "id-n2"]
    assert set(centre.listed().values()) == {("id-n1", "id-n2")}

    with centre.export.open("a", encoding="utf-8") as export:  # a longer export names them again
        export.write("n3.wav,id-n3,2026-11-04T11:00:00,Novak,novak@example.org,mobile\n")
    centre.put_audio("n3.wav", seed=9)
    found = centre.night()
    centre.show("third")

    assert (found.n_new, found.n_erased) == (1, 3)
    assert traces(centre) == []
    assert centre.lines() == ["id-n1", "id-n2", "id-n3"]


def test_one_call_is_erased_with_its_audio_and_words_and_its_customers_others_are_not(
    centre: Centre,
) -> None:
    for name, text in (("n1", "unforgivable"), ("n2", "splendid")):
        cue = f"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Customer>{text}\n"
        (centre.audio / f"{name}.vtt").write_text(cue)
    in_a_moment = utc_now() + dt.timedelta(seconds=5)
    keep_transcripts(centre.root, centre.lake.parts(CALLS), [], WITH_WORDS, in_a_moment)
    assert "unforgivable" in centre.text()

    plan = plan_erasure(centre.lake, WITH_WORDS, ErasureSubject("call", "id-n1"), with_audio=True)
    done = erase(centre.root, plan, partial(republish_without, centre.root, WITH_WORDS))

    assert (done.n_audio, done.audio_left) == (2, ())
    assert not (centre.audio / "n1.wav").exists()
    assert not (centre.audio / "n1.vtt").exists()
    assert "unforgivable" not in centre.text()
    assert "splendid" in centre.text()
    assert (centre.audio / "n2.wav").exists()
    text = centre.text()
    assert "id-n1" not in text
    assert centre.ids["id-n1"] not in text
    assert "Novak" in text
    assert set(centre.listed()) == {"first.html", "second.html", "latest.html", "by-hand.html"}
    assert set(centre.listed().values()) == {("id-k1", "id-k2", "id-n2")}


def test_an_erasure_that_was_killed_is_finished(centre: Centre) -> None:
    plan = plan_erasure(centre.lake, SETTINGS, KOWALSKI, with_audio=False)
    (centre.root.path / PENDING).write_text(json.dumps(asdict(plan)), encoding="utf-8")
    for part in centre.lake.parts(CALLS):  # what was found by them is not found any more
        centre.lake.remove(CALLS, part)

    republish = partial(republish_without, centre.root, SETTINGS)
    assert finish_erasure(centre.root, republish)
    assert traces(centre) == []
    assert finish_erasure(centre.root, republish) is None


@pytest.mark.parametrize("content", [b"\xff", b"{", b"[]", b'{"recordings": []}'])
def test_a_killed_erasure_that_cannot_be_read_is_one_line_and_nothing_goes(
    tmp_path: Path, content: bytes
) -> None:
    root = Root(tmp_path)
    (tmp_path / PENDING).write_bytes(content)
    with pytest.raises(ErasurePlanError) as error:
        finish_erasure(root, lambda: None)
    assert str(tmp_path / PENDING) in error.value.one_line()
    assert "run `ser-batch erase` again" in error.value.one_line()
    assert (tmp_path / PENDING).exists()


def test_who_is_not_known_or_not_clear_is_said_and_nothing_goes(centre: Centre) -> None:
    before = centre.text()
    with pytest.raises(UnknownPersonError, match="did you mean 'Kowalski'"):
        plan_erasure(
            centre.lake, SETTINGS, ErasureSubject("customer", "Kowalsky"), with_audio=False
        )
    centre.export.write_text("file,call_id\nn1.wav,id-n2\n", encoding="utf-8")
    centre.night()
    with pytest.raises(AmbiguousCallError, match=centre.ids["id-n2"]):
        plan_erasure(centre.lake, SETTINGS, ErasureSubject("call", "id-n2"), with_audio=False)
    assert all(name in before for name in NAMES)


def test_the_search_finds_what_was_erased_wherever_it_stands(centre: Centre) -> None:
    recording_id = centre.ids["id-k1"]
    found = set(search_traces(centre.root.path, [recording_id, "id-k1"]).traces)
    assert {path.split("/")[0] for path in found} == {"lake", "warehouse", "reports", "labels"}
    (centre.root.path / f"{recording_id}.txt").touch()
    (centre.root.path / "notes.txt").write_text(f"see id-k1, {recording_id}.wav")
    now = set(search_traces(centre.root.path, [recording_id, "id-k1"]).traces)
    assert now - found == {f"{recording_id}.txt", "notes.txt"}
    assert search_traces(centre.root.path, ["17"]).n_short == 1


def test_a_dry_run_says_what_would_go_and_changes_nothing(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = centre.text()
    options = ["--customer", "Kowalski", "--root", str(centre.root.path), "--dry-run"]
    monkeypatch.setattr(sys, "argv", ["ser-batch", "erase", *options])
    with pytest.raises(SystemExit) as caught:
        main()
    told = capsys.readouterr().out
    assert caught.value.code == 0
    assert "2 recordings and 3 lines of metadata of the customer 'Kowalski'" in told
    assert "call date 2026-11-03" in told
    assert centre.text() == before


def test_the_command_says_what_it_erased(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--customer", "Kowalski", "--root", str(centre.root.path), "--yes", "--json"]
    monkeypatch.setattr(sys, "argv", ["ser-batch", "erase", *options])
    with pytest.raises(SystemExit) as caught:
        main()
    result = json.loads(capsys.readouterr().out)
    assert caught.value.code == 0
    assert (result["customer"], result["n_recordings"], result["rows"]["calls"]) == (
        "Kowalski",
        2,
        2,
    )
    assert traces(centre) == []
