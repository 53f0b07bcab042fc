"""The list of objections, and pseudonyms of those who are on it."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_batch.config import Settings
from ser_batch.eligibility import channel_scoring
from ser_batch.errors import ObjectionListError, SettingsError
from ser_batch.stages.ingest import ingest
from ser_batch.store.lake import Lake
from ser_batch.tables import CALLS, METADATA, RECORDINGS
from ser_batch.testing.rows import recording

NIGHT = dt.datetime(2026, 3, 2, 23, 0)
KEY = "a key of pseudonyms, long enough"
LINES = (
    "file,call_id,customer,email\na.wav,c1,Kowalski,k@example.org\nb.wav,c2,Novak,n@example.org\n"
)


class Folder:
    """Two calls with metadata, and a list of objections."""

    def __init__(self, folder: Path) -> None:
        self.lake, self.audio = Lake(folder / "lake"), folder / "audio"
        self.export, self.listed = folder / "export.csv", folder / "objections.txt"
        self.audio.mkdir()
        for number, name in enumerate(("a.wav", "b.wav")):
            noise = np.random.default_rng(number).normal(0, 0.1, (8000, 2))
            soundfile.write(self.audio / name, noise, 8000)
        self.export.write_text(LINES)

    def night(self, **ingest_settings: object) -> dict[str, dict[str, object]]:
        """The calls by call_id, after a night."""
        settings = Settings(
            ingest={"min_age_s": 0, **ingest_settings},
            policy={"objections": str(self.listed)},
        )
        silent = lambda _done, _total: None  # noqa: E731
        ingest(self.lake, [self.audio], [self.export], settings, now=NIGHT, on_progress=silent)
        return {row["call_id"]: row for row in self.lake.read(CALLS).to_pylist()}

    def scored(self) -> list[str]:
        """The calls of which a channel may be scored."""
        calls = self.lake.read(CALLS)
        rows = RECORDINGS.from_rows([recording(i) for i in calls["recording_id"].to_pylist()])
        scoring = channel_scoring(calls, rows, Settings().policy).to_pylist()
        ids = {row["recording_id"] for row in scoring if row["not_scored_reason"] is None}
        return sorted(row["call_id"] for row in calls.to_pylist() if row["recording_id"] in ids)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(
    "entry",
    ["Kowalski", "c1", "sha256:" + hashlib.sha256(b"Kowalski").hexdigest().upper()],
)
def test_a_late_objection_keeps_the_call_from_being_scored_until_it_is_withdrawn(
    folder: Folder, entry: str
) -> None:
    folder.listed.write_text("somebody else\n")
    folder.night()
    assert folder.scored() == ["c1", "c2"]

    folder.listed.write_text(f"somebody else\n\n  {entry}\n")
    before = {part: folder.lake.tags(CALLS, part) for part in folder.lake.parts(CALLS)}
    calls = folder.night()

    assert (calls["c1"]["objected"], calls["c2"]["objected"]) == (True, None)
    assert folder.scored() == ["c2"]
    after = {part: folder.lake.tags(CALLS, part) for part in folder.lake.parts(CALLS)}
    assert all((before[part] or {})["scoring"] != (after[part] or {})["scoring"] for part in before)

    folder.listed.write_text("")
    folder.night()
    assert folder.scored() == ["c1", "c2"]


def test_nobody_is_scored_without_the_list(folder: Folder) -> None:
    with pytest.raises(ObjectionListError, match=r"objections\.txt"):
        folder.night()


@pytest.mark.parametrize("source", ["key", "key_file", "key_command"])
def test_customers_and_attributes_are_kept_under_pseudonyms(folder: Folder, source: str) -> None:
    key_file = folder.listed.with_name("key")
    key_file.write_text(f"{KEY}\n")
    given = {"key": KEY, "key_file": str(key_file), "key_command": f"cat {key_file}"}[source]
    folder.listed.write_text("Kowalski\n")

    calls = folder.night(pseudonymise=["customer", "email"], **{f"pseudonym_{source}": given})

    stored = str(folder.lake.read(METADATA).to_pylist()) + str(calls)
    assert not any(name in stored for name in ("Kowalski", "Novak", "example.org"))
    assert (
        calls["c1"]["customer"]
        == "p-"
        + hashlib.blake2b(
            b"Kowalski", key=hashlib.sha256(KEY.encode()).digest(), digest_size=12
        ).hexdigest()
    )
    assert calls["c1"]["objected"], "the list names customers as the export does"


def test_pseudonyms_need_a_key_and_touch_nothing_that_lines_are_joined_by(folder: Folder) -> None:
    folder.listed.touch()
    with pytest.raises(SettingsError, match="SER_INGEST__PSEUDONYM_KEY"):
        folder.night(pseudonymise=["customer"], pseudonym_key="short")
    with pytest.raises(SettingsError, match="pseudonym_key cannot be read from the file"):
        folder.night(pseudonymise=["customer"], pseudonym_key_file="/nowhere/key")
    with pytest.raises(ValueError, match="matched by"):
        Settings(ingest={"pseudonymise": ["call_id"]})
