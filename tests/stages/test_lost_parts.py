"""Parts of the lake that are deleted or damaged: made again, restored, or named as lost."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from ser_batch import warehouse
from ser_batch.ingest.quarantine import release
from ser_batch.ingest.tombstones import put_tombstones, read_tombstones
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.scoring.choose import model_id
from ser_batch.stages.analyse import AnalyseResult, analyse
from ser_batch.stages.publish import publish
from ser_batch.stages.verify import verify
from ser_batch.store.copies import restore_copies
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import ERASED, LABELS, METADATA, QUARANTINE, RECORDINGS
from ser_batch.testing.rows import MIDDAY
from tests.stages.centre import SETTINGS, InThisProcess, everything, light_night

N_CALLS = 2


@pytest.fixture(scope="module")
def analysed(demo_calls: DemoCalls, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root after one night over two calls, beside their audio."""
    folder = tmp_path_factory.mktemp("analysed")
    audio = folder / "audio"
    audio.mkdir()
    for path in sorted(demo_calls.audio_dir.rglob("*.wav"))[:N_CALLS]:
        shutil.copy2(path, audio / path.name)
        os.utime(audio / path.name, (1_790_000_000, 1_790_000_000))
    shutil.copy2(demo_calls.metadata_path, folder / "metadata.csv")
    light_night(Root(folder / "root"), audio, [folder / "metadata.csv"])
    return folder


@pytest.fixture
def root(analysed: Path, tmp_path: Path) -> Root:
    shutil.copytree(analysed / "root", tmp_path / "root")
    return Root(tmp_path / "root")


def delete(path: Path) -> None:
    path.unlink()


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


HARMS = pytest.mark.parametrize("harm", [delete, flip_a_bit, cut])


def parts(root: Root, table: str) -> list[Path]:
    return sorted((root.lake / table).rglob("*.parquet"))


@pytest.mark.parametrize("table", ["features", "channels", "segments", "recordings", "calls"])
def test_a_deleted_part_is_made_again_by_the_next_night(analysed, root, table):
    before = everything(root)
    delete(parts(root, table)[0])
    light_night(root, analysed / "audio", number=2)
    assert everything(root) == before
    assert light_night(root, analysed / "audio", number=3).n_analysed == 0


def test_a_task_whose_answer_is_lost_answers_the_same_when_it_runs_again(analysed, root):
    lake = Lake(root.lake)
    [shard, *_] = lake.parts(RECORDINGS)
    delete(lake.path(RECORDINGS, shard))

    def again(hour: int) -> AnalyseResult:
        now = dt.datetime(2026, 11, 20, hour)
        return analyse(lake, shard, SETTINGS, InThisProcess(), now=now, on_calls=lambda _n: None)

    first = again(hour=1)
    written = lake.path(RECORDINGS, shard).stat().st_mtime_ns
    assert first.n_analysed > 0
    assert again(hour=1) == first
    assert lake.path(RECORDINGS, shard).stat().st_mtime_ns == written
    assert again(hour=2).n_analysed == 0, "another night did nothing"


@HARMS
def test_repair_makes_what_was_harmed_again_and_says_what(analysed, root, harm):
    before = everything(root)
    harmed = [parts(root, table)[0] for table in ("features", "segments", "predictions")]
    for path in harmed:
        harm(path)
    assert {finding.path for finding in verify(root, SETTINGS)} >= set(harmed[:2])
    settings = root.path / "ser-batch.toml"
    settings.write_text("[ingest]\nmin_age_s = 0\n[report]\nmin_calls = 1\n[run]\nworkers = 1\n")
    options = ["--root", str(root.path)]
    assert CliRunner().invoke(app, ["verify", *options]).exit_code == 1
    done = CliRunner().invoke(app, ["verify", "--repair", *options])
    assert done.exit_code == 0, done.output
    assert "1 part scored again" in done.output
    assert everything(root) == before
    assert CliRunner().invoke(app, ["verify", *options]).exit_code == 0


@HARMS
def test_what_nothing_can_make_again_is_read_and_restored_from_its_second_copy(
    analysed, root, harm
):
    lake = Lake(root.lake)
    put_tombstones(lake, ["a stone"], MIDDAY)
    label = {
        "label_id": "1", "recording_id": "r", "channel": 1, "segment_no": 0, "start_s": 0,
        "end_s": 1, "annotator": "ann", "emotion": "anger", "made_at": MIDDAY, "source": "page",
        "imported_at": MIDDAY,
    }  # fmt: skip
    lake.write(LABELS, Part(None, "page"), LABELS.from_rows([label]))
    before = everything(root)
    for contract in (ERASED, LABELS, METADATA):
        harm(parts(root, contract.name)[0])
    assert read_tombstones(lake) == {"a stone"}
    assert lake.read(LABELS).to_pylist()[0]["emotion"] == "anger"
    light_night(root, analysed / "audio", number=2)
    restore_copies(lake, deep=True)
    assert verify(root, SETTINGS) == []
    assert len(parts(root, LABELS.name)) == 1
    assert everything(root) == before


def test_both_copies_damaged_is_said_and_nothing_is_touched(root):
    lake = Lake(root.lake)
    [part] = lake.parts(METADATA)
    for place in lake.places(METADATA, part):
        flip_a_bit(place)
    [finding] = verify(root, SETTINGS)
    assert finding.action == "none"
    assert all(place.exists() for place in lake.places(METADATA, part))


def test_features_lost_without_audio_keep_their_scores_and_are_named(analysed, tmp_path):
    moved = Root(tmp_path / "moved" / "root")
    audio = move(analysed, moved)
    before = everything(moved)["predictions/" + model_id(moved, SETTINGS)]
    for part in parts(moved, "features"):
        delete(part)
    put_back = hide(audio)
    done = light_night(moved, audio, number=2)
    assert done.n_lost == 1
    assert everything(moved)["predictions/" + model_id(moved, SETTINGS)] == before
    codes = [row["code"] for row in Lake(moved.lake).read(QUARANTINE).to_pylist()]
    assert codes.count("analysis_lost") == 1
    put_back()
    assert release(moved, code="analysis_lost")
    assert light_night(moved, audio, number=3).n_analysed >= 1


def test_segments_lost_without_audio_show_the_call_as_lost(analysed, tmp_path):
    root = Root(tmp_path / "moved" / "root")
    audio = move(analysed, root)
    for part in parts(root, "segments"):
        delete(part)
    hide(audio)
    assert light_night(root, audio, number=2).n_lost == 1
    publish(root, SETTINGS, model_id(root, SETTINGS))
    with warehouse.connect(root.warehouse) as con:
        reasons = con.execute("select not_scored_reason from call_summary").fetchall()
    assert reasons.count(("analysis_lost",)) == 1


def move(analysed: Path, root: Root) -> Path:
    """A night of its own over a copy of the audio, which a test may take away."""
    audio = root.path.parent / "audio"
    shutil.copytree(analysed / "audio", audio)
    light_night(root, audio, [analysed / "metadata.csv"])
    return audio


def hide(audio: Path) -> Callable[[], Path]:
    """Take one of the recordings away; what puts it back."""
    path = min(audio.glob("*.wav"))
    elsewhere = path.rename(audio.parent / path.name)
    return lambda: elsewhere.rename(path)
