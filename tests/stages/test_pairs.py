"""Calls whose sides are two files, beside the same calls in one file of two channels."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pydantic import ValidationError

from ser_batch import warehouse
from ser_batch.analysis.describe import CallJob, CallOutcome, describe_calls
from ser_batch.audio import call_audio
from ser_batch.config import Settings
from ser_batch.erasure.erase import erase
from ser_batch.erasure.plan import ErasureSubject, plan_erasure
from ser_batch.errors import TwoChannelSideError
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.labels.queue import queue_labels
from ser_batch.scoring.choose import load_model
from ser_batch.stages.analyse import AnalyseResult, analyse, is_stale
from ser_batch.stages.ingest import ingest
from ser_batch.stages.publish import publish
from ser_batch.stages.report import write_report
from ser_batch.stages.score import is_unscored, score
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    QUARANTINE,
    RECORDINGS,
    SEGMENTS,
    TableContract,
    predictions_contract,
)

PATTERN = r"(?P<call_id>[^/]+)_(?P<side>agent|customer)\.wav$"
N_CALLS = 2
LAYOUT = {"recording_id", "channel", "analysis_id"}
Row = dict[str, Any]


class InThisProcess:
    """The workers' interface without processes, which take seconds to start."""

    n_processes = 1

    def map(self, chunks: Sequence[Sequence[CallJob]]) -> Iterator[list[CallOutcome]]:
        return (describe_calls(chunk) for chunk in chunks)


class Centre:
    """A lake and its nights."""

    def __init__(self, folder: Path) -> None:
        self.root = Root(folder)
        self.lake = Lake(self.root.lake)
        self.nights = 0

    def night(self, *audio: Path, metadata: Sequence[Path] = (), **given: Any) -> AnalyseResult:
        """One night; how many calls were analysed and how many files were bad."""
        self.nights += 1
        now = dt.datetime(2026, 11, 3, 2) + dt.timedelta(days=self.nights)
        settings = self.settings(**given)
        ingest(
            self.lake, audio, metadata, settings, now=now, on_progress=lambda _done, _total: None
        )
        bundle = load_model(self.root, settings)
        n_analysed = n_bad = 0
        for shard in self.lake.parts(CALLS):
            if is_stale(self.lake, shard, settings):
                workers: Any = InThisProcess()
                done = analyse(
                    self.lake, shard, settings, workers, now=now, on_calls=lambda _count: None
                )
                n_analysed, n_bad = n_analysed + done.n_analysed, n_bad + done.n_bad
            if is_unscored(self.lake, shard, bundle.model_id, settings):
                score(self.lake, shard, bundle, settings)
        self.model_id = bundle.model_id
        return AnalyseResult(n_analysed, n_bad)

    def settings(self, **given: Any) -> Settings:
        names = {"min_age_s": 0, "pair_pattern": PATTERN, **given}
        return Settings(ingest=names, report={"min_calls": 1}, labels={"random_share": 0})

    def rows(self, contract: TableContract) -> list[Row]:
        """Rows of the current calls by recording_id, channel and segment_no."""
        current = {row["recording_id"] for row in self.lake.read(CALLS).to_pylist()}
        rows = [
            row for row in self.lake.read(contract).to_pylist() if row["recording_id"] in current
        ]
        return sorted(rows, key=lambda row: [str(row[name]).zfill(9) for name in contract.key])

    def issues(self) -> list[tuple[str, str]]:
        return sorted((r["code"], r["path"]) for r in self.lake.read(QUARANTINE).to_pylist())

    def everything(self) -> dict[str, list[Row]]:
        tables = (CALLS, RECORDINGS, CHANNELS, SEGMENTS, predictions_contract(self.model_id))
        return {table.name: self.rows(table) for table in tables}


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path / "root")


@pytest.fixture
def stereo(demo_calls: DemoCalls, tmp_path: Path) -> Path:
    """Two calls, channel 0 the agent and 1 the customer."""
    folder = tmp_path / "stereo"
    folder.mkdir()
    for number, path in enumerate(sorted(demo_calls.audio_dir.rglob("*.wav"))[:N_CALLS]):
        samples, rate = soundfile.read(path, dtype="float32")
        put(folder / f"call{number}.wav", samples, rate)
    return folder


def put(path: Path, samples: np.ndarray, rate: int) -> Path:
    """Write a recording whose file is a day old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="ULAW")
    os.utime(path, (1_790_000_000, 1_790_000_000))
    return path


def sides(path: Path) -> tuple[np.ndarray, np.ndarray, int]:
    samples, rate = soundfile.read(path, dtype="float32")
    return samples[:, 0], samples[:, 1], rate


def split(stereo: Path, folder: Path, only: str = "agent customer") -> Path:
    """Write the sides of each call as `<call>_<side>.wav`."""
    for path in stereo.glob("*.wav"):
        agent, customer, rate = sides(path)
        for side, samples in (("agent", agent), ("customer", customer)):
            if side in only:
                put(folder / f"{path.stem}_{side}.wav", samples, rate)
    return folder


def by_role(centre: Centre, contract: TableContract) -> list[Row]:
    """Rows of both layouts made comparable: call_id and role in place of recording and channel."""
    calls = {row["recording_id"]: row for row in centre.rows(CALLS)}
    rows = []
    for row in centre.rows(contract):
        call = calls[row["recording_id"]]
        plain = {name: value for name, value in row.items() if name not in LAYOUT}
        role = call["roles"][row["channel"]] if "channel" in row else ""
        rows.append({"call": call["call_id"], "role": role, **plain})
    return sorted(rows, key=lambda row: (row["call"], row["role"], row.get("segment_no", 0)))


def assert_alike(one: Row, other: Row) -> None:
    """Equal but for the rounding of sums."""
    for name, value in one.items():
        if isinstance(value, float):
            assert value == pytest.approx(other[name], rel=1e-4, abs=1e-4), name
        else:
            assert value == other[name], name


def test_a_pair_gives_what_the_two_channel_file_gives_and_each_file_is_decoded_once(
    stereo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    read = call_audio.read_audio

    def counted(path: Path, *rest: Any) -> Any:
        decoded.append(path.name)
        return read(path, *rest)

    whole, pairs = Centre(tmp_path / "whole"), Centre(tmp_path / "pairs")
    whole.night(stereo)
    monkeypatch.setattr(call_audio, "read_audio", counted)
    assert pairs.night(split(stereo, tmp_path / "split")).n_analysed == N_CALLS

    assert sorted(decoded) == sorted({path.name for path in (tmp_path / "split").iterdir()})
    assert {row["call_id"] for row in pairs.rows(CALLS)} == {"call0", "call1"}
    assert pairs.issues() == whole.issues() == []
    for contract in (CHANNELS, SEGMENTS, predictions_contract(whole.model_id)):
        mine, theirs = by_role(pairs, contract), by_role(whole, contract)
        assert len(mine) == len(theirs) > 0
        for one, other in zip(mine, theirs, strict=True):
            assert_alike(one, other)
    for one, other in zip(by_role(pairs, RECORDINGS), by_role(whole, RECORDINGS), strict=True):
        other["agent_channel"] = one["agent_channel"]  # counted from the other end
        assert_alike(one, other)


@pytest.mark.parametrize("late", ["agent", "customer"])
def test_a_side_that_comes_a_day_late_ends_with_the_rows_of_both_at_once(
    stereo: Path, tmp_path: Path, late: str
) -> None:
    (stereo / "call1.wav").unlink()
    at_once, in_turn = Centre(tmp_path / "at once"), Centre(tmp_path / "in turn")
    folder = split(stereo, tmp_path / "split")
    at_once.night(folder)
    second = (folder / f"call0_{late}.wav").rename(tmp_path / "late.wav")
    early = "customer" if late == "agent" else "agent"

    assert in_turn.night(folder).n_analysed == 1
    assert in_turn.issues() == [("missing_side", f"call0_{early}.wav")]
    first = in_turn.rows(predictions_contract(in_turn.model_id))
    assert bool(first) == (early == "customer"), "the side that is there is treated by its role"
    assert {row["channel"] for row in in_turn.rows(CHANNELS)} == {0}
    if early == "customer":  # labels made before keep their channel
        assert in_turn.rows(CALLS)[0]["recording_id"] == at_once.rows(CALLS)[0]["recording_id"]

    second.rename(folder / f"call0_{late}.wav")
    assert in_turn.night(folder).n_analysed == 1
    assert in_turn.everything() == at_once.everything()
    assert in_turn.issues() == []
    assert in_turn.night(folder).n_analysed == 0


def test_sides_are_aligned_by_the_start_that_metadata_states(
    stereo: Path, tmp_path: Path, centre: Centre
) -> None:
    whole = Centre(tmp_path / "whole")
    whole.night(stereo)
    folder, cut_s = tmp_path / "split", 2.25
    lines = ["file,call_id,side,started_at"]
    for path in stereo.glob("*.wav"):
        agent, customer, rate = sides(path)
        put(folder / f"{path.stem}-1.wav", agent, rate)
        put(folder / f"{path.stem}-2.wav", customer[round(cut_s * rate) :], rate)
        lines += [
            f"{path.stem}-1.wav,{path.stem},agent,2026-11-02T10:00:00",
            f"{path.stem}-2.wav,{path.stem},customer,2026-11-02T10:00:{cut_s:05.2f}",
        ]
    export = tmp_path / "export.csv"
    export.write_text("\n".join(lines), encoding="utf-8")

    centre.night(folder, metadata=[export], pair_pattern=None)

    assert {str(row["started_at"]) for row in centre.rows(CALLS)} == {"2026-11-02 10:00:00"}
    assert centre.issues() == []
    for one, other in zip(by_role(centre, RECORDINGS), by_role(whole, RECORDINGS), strict=True):
        assert one["duration_s"] == pytest.approx(other["duration_s"], abs=0.001)
        assert one["overtalk_s"] == pytest.approx(other["overtalk_s"], abs=0.1)
    mine, theirs = (
        np.array([row["start_s"] for row in by_role(each, SEGMENTS) if row["start_s"] > cut_s])
        for each in (centre, whole)
    )
    assert len(mine) == len(theirs)
    assert np.abs(mine - theirs).max() < 0.1
    answers = [
        {
            row["role"] + row["call"]: row["response_time_median_s"]
            for row in by_role(each, CHANNELS)
        }
        for each in (centre, whole)
    ]
    assert answers[0] == pytest.approx(answers[1], abs=0.1)


def test_sides_below_two_audio_folders_make_one_call(
    stereo: Path, tmp_path: Path, centre: Centre
) -> None:
    agents, customers = tmp_path / "agent", tmp_path / "customer"
    for path in stereo.glob("*.wav"):
        agent, customer, rate = sides(path)
        put(agents / path.name, agent, rate)
        put(customers / path.name, customer, rate)

    done = centre.night(
        agents, customers, pair_pattern=r"/(?P<side>agent|customer)/(?P<call_id>.+)\.wav$"
    )

    assert done.n_analysed == N_CALLS
    assert [row["roles"] for row in centre.rows(CALLS)] == [["customer", "agent"]] * N_CALLS
    assert centre.issues() == []
    publish(centre.root, centre.settings(), centre.model_id)
    with warehouse.connect(centre.root.warehouse) as con:
        sql = "select role, audio_root from call_side order by call_id, role"
        files = con.execute(sql).fetchall()
    assert files == [("agent", str(agents)), ("customer", str(customers))] * N_CALLS


def test_a_side_that_cannot_be_read_is_rejected_and_the_other_is_scored(
    stereo: Path, tmp_path: Path, centre: Centre
) -> None:
    (stereo / "call1.wav").unlink()
    folder = split(stereo, tmp_path / "split")
    agent = folder / "call0_agent.wav"
    sound = agent.read_bytes()
    agent.write_text("no audio")
    os.utime(agent, (1_790_000_000, 1_790_000_000))

    centre.night(folder)
    assert ("not_audio", "call0_agent.wav") in centre.issues()
    assert centre.rows(predictions_contract(centre.model_id))
    assert centre.night(folder).n_analysed == 0

    agent.write_bytes(sound)
    os.utime(agent, (1_790_000_001, 1_790_000_001))
    assert centre.night(folder).n_analysed == 1
    assert centre.issues() == []
    assert {row["is_dead"] for row in centre.rows(CHANNELS)} == {False}


def test_a_side_that_was_deleted_does_not_undo_the_pair(
    stereo: Path, tmp_path: Path, centre: Centre
) -> None:
    (stereo / "call1.wav").unlink()
    folder = split(stereo, tmp_path / "split")
    centre.night(folder)
    before = centre.everything()
    (folder / "call0_agent.wav").unlink()
    settings = centre.settings
    centre.settings = lambda **given: settings(**given).model_copy(  # type: ignore[method-assign]
        update={"segments": settings().segments.model_copy(update={"max_segment_s": 5})}
    )
    centre.night(folder)
    assert centre.issues() == [("kept_earlier", "call0_customer.wav")]
    assert centre.everything() == before


def test_sides_that_are_there_twice_or_have_no_role_are_reported(
    stereo: Path, tmp_path: Path, centre: Centre
) -> None:
    folder = tmp_path / "split"
    agent, customer, rate = sides(stereo / "call0.wav")
    put(folder / "a" / "1_customer.wav", customer, rate)
    put(folder / "b" / "1_customer.wav", agent, rate)
    put(folder / "2_tx.wav", customer[:-800], rate)
    put(folder / "2_rx.wav", agent[:-800], rate)
    pattern = r"(?P<call_id>\d+)_(?P<side>\w+)\.wav$"

    centre.night(folder, pair_pattern=pattern)
    codes = [code for code, _ in centre.issues()]
    assert codes.count("ambiguous_side") == 2
    assert codes.count("unknown_side") == 2
    assert len(centre.rows(CALLS)) == 3

    centre.night(folder, pair_pattern=pattern, side_roles={"tx": "customer", "rx": "agent"})
    (pair,) = [row for row in centre.rows(CALLS) if row["sides"]]
    assert (pair["roles"], Path(pair["path"]).name) == (["customer", "agent"], "2_tx.wav")
    assert "unknown_side" not in [code for code, _ in centre.issues()]


def test_erasure_reaches_the_files_of_both_sides(
    stereo: Path, tmp_path: Path, centre: Centre
) -> None:
    folder = split(stereo, tmp_path / "split")
    (folder / "call0_customer.wav").rename(tmp_path / "customer.wav")
    centre.night(folder)  # the agent's side has rows of its own for a night
    (tmp_path / "customer.wav").rename(folder / "call0_customer.wav")
    centre.night(folder)
    settings = centre.settings()
    plan = plan_erasure(centre.lake, settings, ErasureSubject("call", "call0"), with_audio=True)
    gone = set(plan.recordings)

    done = erase(centre.root, plan, lambda: None)

    assert (done.n_recordings, done.n_audio) == (2, 2)
    assert sorted(path.name for path in folder.iterdir()) == [
        "call1_agent.wav",
        "call1_customer.wav",
    ]
    for contract in (CALLS, RECORDINGS, CHANNELS, SEGMENTS):
        left = centre.lake.read(contract).to_pylist()
        assert left
        assert gone.isdisjoint(row["recording_id"] for row in left)
    split(stereo, folder)
    centre.night(folder)
    assert [row["call_id"] for row in centre.rows(CALLS)] == ["call1"]


def test_the_call_page_and_snippets_show_both_sides(
    stereo: Path, tmp_path: Path, centre: Centre
) -> None:
    (stereo / "call1.wav").unlink()
    centre.night(split(stereo, tmp_path / "split"))
    settings = centre.settings()
    all_listed = settings.dissatisfaction.model_copy(update={"call_threshold": 0.0})
    settings = settings.model_copy(update={"dissatisfaction": all_listed})
    publish(centre.root, settings, centre.model_id)
    write_report(centre.root, settings, "run")
    (page,) = (centre.root.reports / "run-calls").glob("*.html")
    html = page.read_text(encoding="utf-8")
    assert html.count("data:image/png") == 2
    assert all(f"call0_{side}.wav</code>" in html for side in ("agent", "customer"))

    queued = queue_labels(centre.root, settings, centre.model_id, 2)
    assert (queued.n_queued, queued.n_without_audio) == (2, 0)
    assert queued.folder is not None
    _, customer, _ = sides(stereo / "call0.wav")
    for path in (queued.folder / "snippets").glob("*.wav"):
        snippet, _ = soundfile.read(path, dtype="float32")
        found = np.correlate(customer, snippet, "valid").max()
        assert found == pytest.approx(float(snippet @ snippet), rel=1e-3)


def test_a_pattern_without_its_groups_is_a_settings_error() -> None:
    with pytest.raises(ValidationError, match="it has no group side"):
        Settings(ingest={"pair_pattern": r"(?P<call_id>\d+)"})


@pytest.mark.parametrize(
    ("starts_s", "durations_s", "gap_s"),
    [
        ((None, None), (60.0, 50.0), 0.0),
        ((0.0, None), (60.0, 50.0), 0.0),
        ((0.0, 0.0), (60.0, 50.0), 0.0),
        ((0.0, 2.25), (60.0, 57.9), 2.25),
        ((0.0, 2.0), (60.0, 57.4), 2.6),
        ((1.0, 0.0), (60.0, 60.0), 0.0),
        ((0.0, 9.0), (60.0, 20.0), 9.0),
    ],
)
def test_the_gap_between_two_starts_is_as_exact_as_what_is_stated(
    starts_s: tuple[float | None, float | None], durations_s: tuple[float, float], gap_s: float
) -> None:
    assert call_audio.start_gap_s(starts_s, durations_s) == pytest.approx(gap_s)


def test_sides_of_two_rates_become_channels_of_one_recording(tmp_path: Path) -> None:
    files = [
        call_audio.CallFile(put(tmp_path / f"{rate}.wav", np.full(rate * 2, 0.1), rate), start_s)
        for rate, start_s in ((8000, 0.5), (16000, 0.0))
    ]
    audio = call_audio.require_call(files, Settings().audio)
    assert (audio.sample_rate, audio.samples.shape) == (16000, (2, 40000))
    assert not audio.samples[0, :7900].any()
    assert audio.samples[0, 12000] == pytest.approx(0.1, abs=0.01)
    stereo = put(tmp_path / "stereo.wav", np.random.default_rng(0).normal(0, 0.1, (8000, 2)), 8000)
    with pytest.raises(TwoChannelSideError):
        call_audio.require_call([files[0], call_audio.CallFile(stereo)], Settings().audio)
