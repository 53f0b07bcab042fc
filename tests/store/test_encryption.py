"""A root under a key: nothing of a call is read without it, everything works with it."""

from __future__ import annotations

import random
import shutil
import sys
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.centre
from pipelines.cli import main
from ser_batch import warehouse
from ser_batch.config import EncryptionSettings
from ser_batch.erasure.erase import erase
from ser_batch.erasure.plan import ErasureSubject, plan_erasure
from ser_batch.erasure.proof import search_traces
from ser_batch.errors import BrokenSealError, NotEncryptedError, WrongKeyError
from ser_batch.scoring.registry import Registry
from ser_batch.stages.report import republish_without
from ser_batch.stages.verify import verify
from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.content import read_bytes
from ser_batch.store.copies import restore_copies
from ser_batch.store.encrypt import begin, decrypt, encrypt, open_keys, replace_key
from ser_batch.store.keys import KEY_FILE, use_settings
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.store.sealed import SealedReader, is_sealed, seal
from ser_batch.tables import CALLS, LABELS, SEGMENTS
from ser_batch.warehouse.file import is_as_published
from tests.centre import SETTINGS, Centre

TEXT = "the key of a test, long enough"
KEY = EncryptionSettings(key=TEXT)
OTHER = EncryptionSettings(key="another key of a test, as long")
NAMES = ("Kowalski", "kowalski@", "id-k1", "id-n2", "k1.wav", "Zahlungsfragen", "fibre")
BLOCK = 1 << 16


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """An encrypted centre, which tests leave as it is."""
    folder = tmp_path_factory.mktemp("encrypted")
    first, *rest = tests.centre.LINES.splitlines()
    lines = [f"{first},queue", *(f"{line},Zahlungsfragen" for line in rest)]
    begin(Root(folder / "root"), KEY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tests.centre, "LINES", "\n".join(lines) + "\n")
        centre = Centre(folder)
    Registry(centre.root.models).add("registered", centre.model, "m", who="Kowalski", why=())
    return centre


@pytest.fixture
def encrypted(built: Centre, tmp_path: Path) -> Root:
    """A copy of it that may be changed."""
    root = Root(tmp_path / "root")
    shutil.copytree(built.root.path, root.path)
    use_settings(root, KEY)
    return root


@pytest.fixture
def plain(built: Centre, tmp_path: Path) -> Root:
    """A copy of it that was never encrypted."""
    root = Root(tmp_path / "plain")
    decrypt(built.root.path, root.path)
    return root


def found_raw(root: Path) -> set[str]:
    """Names that stand in some file's bytes or in a file's name."""
    text = [str(path.relative_to(root)) for path in root.rglob("*")]
    text += [path.read_bytes().decode("latin-1") for path in root.rglob("*") if path.is_file()]
    return {name for name in NAMES for each in text if name in each}


def command(
    patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    patch.setattr(sys, "argv", ["ser-batch", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    said = capsys.readouterr()
    return int(str(caught.value.code or 0)), said.out, said.err


@given(size=st.sampled_from([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK]), seed=st.integers())
def test_any_part_of_an_encrypted_file_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, size: int, seed: int
) -> None:
    data, key = random.Random(seed).randbytes(size), bytes(32)
    path = tmp_path_factory.mktemp("sealed") / "file"
    path.write_bytes(seal(data, key))
    begin = seed % (size + 1)
    with SealedReader(path, lambda _: key) as reader:
        assert reader.readall() == data
        reader.seek(begin - size, 2)
        assert reader.readall() == data[begin:]


@given(seed=st.integers())
def test_a_changed_shortened_or_extended_encrypted_file_is_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    rng = random.Random(seed)
    sealed = seal(rng.randbytes(rng.choice([0, 9, 2 * BLOCK, 2 * BLOCK + 9])), bytes(32))
    flipped = bytearray(sealed)
    flipped[rng.randrange(8, len(sealed))] ^= 1 << rng.randrange(8)
    second = sealed[24 + BLOCK + 16 : 24 + 2 * (BLOCK + 16)]
    path = tmp_path_factory.mktemp("sealed") / "file"
    for broken in (flipped, sealed[: rng.randrange(8, len(sealed))], sealed + second, sealed[:-9]):
        if broken == sealed:
            continue
        path.write_bytes(broken)
        with pytest.raises(BrokenSealError), SealedReader(path, lambda _: bytes(32)) as reader:
            reader.readall()


def test_no_file_of_an_encrypted_root_names_a_call_a_customer_or_a_queue(built: Centre) -> None:
    assert found_raw(built.root.path) == set()
    files = [path for path in built.root.path.rglob("*") if path.is_file()]
    kinds = {path.suffix for path in files if is_sealed(path)}
    assert kinds >= {".parquet", ".duckdb", ".html", ".json", ".csv", ".wav", ".xml", ".jsonl"}


def test_with_the_key_tables_warehouse_journals_and_snippets_are_read(built: Centre) -> None:
    calls = Lake(built.root.lake).read(CALLS).to_pylist()
    assert {row["customer"] for row in calls} == {"Kowalski", "Novak"}
    with warehouse.connect(built.root.warehouse) as con:
        rows = con.execute("select distinct queue from call_summary").fetchall()
    assert rows == [("Zahlungsfragen",)]
    assert [entry.who for entry in Registry(built.root.models).entries()] == ["Kowalski"]
    sounds = list(built.root.labels.rglob("*.wav"))
    assert sounds
    assert {read_bytes(sound)[:4] for sound in sounds} == {b"RIFF"}
    assert verify(built.root, SETTINGS) == []


@pytest.mark.parametrize(
    ("key", "code", "remedy"),
    [
        (None, "no key is given", "Set SER_ENCRYPTION__KEY"),
        ("not the key of this root", "does not open", "Give the key that it was encrypted with"),
        ("short", "less than 16 characters", ""),
    ],
)
@pytest.mark.parametrize("arguments", [("query", "from call_summary"), ("quarantine", "list")])
def test_without_the_key_a_command_is_one_line(
    built: Centre,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: str | None,
    code: str,
    remedy: str,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setattr("ser_batch.store.keys._settings", {})
    monkeypatch.setattr("ser_batch.store.keys._opened", {})
    if key is not None:
        monkeypatch.setenv("SER_ENCRYPTION__KEY", key)
    ends, out, err = command(monkeypatch, capsys, *arguments, "--root", str(built.root.path))
    assert (ends, out) == (1, "")
    assert len(err.strip().splitlines()) == 1
    assert code in err
    assert remedy in err


def test_damage_to_encrypted_files_is_found_and_second_copies_help(encrypted: Root) -> None:
    lake = Lake(encrypted.lake)
    [label] = lake.parts(LABELS)
    before = lake.read(LABELS)
    segments = lake.path(SEGMENTS, lake.parts(SEGMENTS)[0])
    for path in (lake.path(LABELS, label), segments):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    (encrypted.labels / "notes.csv").write_text("id-k1")
    found = {(each.path, each.action) for each in verify(encrypted, SETTINGS)}
    assert found >= {
        (lake.path(LABELS, label), "restore"),
        (segments, "recompute"),
        (encrypted.labels / "notes.csv", "encrypt"),
    }
    assert lake.read(LABELS) == before
    assert restore_copies(lake, deep=True) == 1
    assert is_sealed(lake.path(LABELS, label))
    (encrypted.path / KEY_FILE).unlink()  # its second copy takes its place
    assert lake.read(LABELS) == before


def test_erasure_leaves_nothing_that_the_key_could_show(encrypted: Root, tmp_path: Path) -> None:
    subject = ErasureSubject("call", "id-k1")
    plan = plan_erasure(Lake(encrypted.lake), SETTINGS, subject, with_audio=False)
    done = erase(encrypted, plan, partial(republish_without, encrypted, SETTINGS))
    assert (done.n_recordings, done.search.traces) == (1, ())
    assert done.search.n_files > 30
    assert decrypt(encrypted.path, tmp_path / "decrypted") > 30
    left = found_raw(tmp_path / "decrypted")
    assert "id-n2" in left, "the search would see it"
    assert not left & {"id-k1", "k1.wav"}
    assert found_raw(encrypted.path) == set()


def test_the_search_after_an_erasure_looks_into_encrypted_files(encrypted: Root) -> None:
    found = search_traces(encrypted.path, ["kowalski@example.org"]).traces
    assert {name.split("/")[0] for name in found} >= {"lake", "warehouse"}


def test_a_plain_root_is_refused_with_a_key_until_it_is_encrypted(
    plain: Root, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = Lake(plain.lake)
    before = [lake.read(table) for table in (CALLS, LABELS)]
    changed = {path: path.stat().st_mtime_ns for path in plain.lake.rglob("*.parquet")}
    with pytest.raises(NotEncryptedError) as refused:
        open_keys(plain, KEY)
    assert "ser-batch encrypt" in refused.value.one_line()

    def stop(n_done: int, _all: int) -> None:
        if n_done == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encrypt(plain, KEY, stop)
    assert [lake.read(table) for table in (CALLS, LABELS)] == before, "half of it is plain"
    monkeypatch.setenv("SER_ENCRYPTION__KEY", TEXT)
    ends, out, _ = command(monkeypatch, capsys, "encrypt", "--root", str(plain.path))
    assert (ends, "is encrypted" in out) == (0, True)
    assert found_raw(plain.path) == set()
    assert [lake.read(table) for table in (CALLS, LABELS)] == before
    assert changed == {path: path.stat().st_mtime_ns for path in changed}, "nothing is rebuilt"
    assert is_as_published(plain.warehouse)
    assert encrypt(plain, KEY) == 0


def test_another_key_takes_the_place_of_a_roots_key_without_rewriting_files(tmp_path: Path) -> None:
    root, note = Root(tmp_path), tmp_path / "lake" / "note.json"
    begin(root, KEY)
    write_text_atomic(note, "{}")
    before = note.read_bytes()
    replace_key(root, KEY, OTHER)
    use_settings(root, OTHER)
    assert (read_bytes(note), note.read_bytes()) == (b"{}", before)
    with pytest.raises(WrongKeyError):
        use_settings(root, KEY)


def test_reports_lie_open_only_if_the_settings_say_so(encrypted: Root) -> None:
    page = encrypted.reports / "latest.html"
    assert is_sealed(page)
    encrypt(encrypted, KEY.model_copy(update={"open_reports": True}))
    assert page.read_text(encoding="utf-8").startswith("<!")
    assert is_sealed(page.with_suffix(".json"))
    encrypt(encrypted, KEY)
    assert is_sealed(page)
    assert read_bytes(page).startswith(b"<!")
