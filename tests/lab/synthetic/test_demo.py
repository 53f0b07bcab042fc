"""The demo's folder: audio, truth and metadata."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from ser_batch.emotions import EMOTIONS
from ser_batch.lab.synthetic import demo as demo_module
from ser_batch.lab.synthetic.demo import DemoCalls, make_demo_calls
from ser_batch.lab.synthetic.plan import plan_calls

FRAME = 160


def folder_digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_calls_are_two_channel_eight_khz_mu_law_of_a_calls_length(demo: DemoCalls):
    files = sorted(demo.audio_dir.rglob("*.wav"))
    assert len(files) == demo.n_calls == 3
    for path in files:
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (8000, 2, "ULAW")
        assert 40 < info.duration < 110
    assert sum(soundfile.info(path).duration for path in files) == pytest.approx(demo.duration_s)


def test_speech_is_where_the_truth_says_and_noise_elsewhere(demo: DemoCalls, truth: pl.DataFrame):
    for (file,), rows in truth.group_by("file", maintain_order=True):
        samples, rate = soundfile.read(demo.audio_dir / file)
        for channel in (0, 1):
            marked = np.zeros(len(samples), dtype=bool)
            for row in rows.filter(channel=channel).iter_rows(named=True):
                if row["kind"] not in ("silence", "overlap"):
                    marked[round(row["start_s"] * rate) : round(row["end_s"] * rate)] = True
            level_db = frame_levels_db(samples[:, channel])
            inside = frame_all(marked)
            outside = frame_all(~marked)
            noise_db = np.median(level_db[outside])
            # consonants' closures are silent, and the other side may bleed in faintly
            assert np.mean(level_db[inside] > noise_db + 6) > 0.75
            assert np.mean(level_db[outside] > noise_db + 6) < 0.01


def test_truth_of_tones_is_exact_to_the_sample(demo: DemoCalls, truth: pl.DataFrame):
    rings = truth.filter(kind="ring")
    assert len(rings) > 0
    for row in rings.iter_rows(named=True):
        samples, rate = soundfile.read(demo.audio_dir / row["file"])
        start, end = round(row["start_s"] * rate), round(row["end_s"] * rate)
        burst = np.abs(samples[start:end, row["channel"]])
        before = np.abs(samples[max(start - 400, 0) : start, row["channel"]])
        after = np.abs(samples[end : end + 400, row["channel"]])
        assert end - start in (8000, 16000)
        # a 425 Hz wave passes its half amplitude within 20 samples of either end
        assert burst[:60].max() > 4 * max(before.max(initial=0), after.max())
        assert burst[-60:].max() > 4 * after.max()


def test_overlap_rows_are_the_intersection_of_both_sides(truth: pl.DataFrame):
    assert truth.filter(kind="overlap").height > 0
    for (_file,), rows in truth.group_by("file", maintain_order=True):
        speech = np.zeros((2, 200 * 8000), dtype=bool)
        overlap = np.zeros_like(speech)
        for row in rows.iter_rows(named=True):
            mask = {"speech": speech, "overlap": overlap}.get(row["kind"])
            if mask is not None:
                mask[row["channel"], round(row["start_s"] * 8000) : round(row["end_s"] * 8000)] = 1
        assert np.array_equal(overlap[0], speech.all(axis=0))
        assert np.array_equal(overlap[1], overlap[0])


def test_only_customers_carry_an_emotion_and_it_follows_the_arc(truth: pl.DataFrame):
    speech = truth.filter(kind="speech")
    assert set(speech.filter(role="agent")["emotion"]) == {""}
    customers = speech.filter(role="customer")
    assert set(customers["emotion"]) <= set(EMOTIONS)
    angry = customers.filter(arc="calm_to_angry").sort("start_s")["emotion"].to_list()
    assert angry[0] == "neutral"
    assert angry[-1] == "anger"
    assert "anger" not in customers.filter(arc="calm")["emotion"].to_list()


def test_turns_of_one_speaker_never_overlap(truth: pl.DataFrame):
    for _, rows in truth.filter(kind="speech").group_by("file", "channel"):
        ordered = rows.sort("start_s")
        assert (ordered["start_s"][1:] >= ordered["end_s"][:-1]).all()


def test_metadata_names_every_file_once_with_real_world_awkwardness(
    demo: DemoCalls, metadata: pl.DataFrame
):
    files = {str(path.relative_to(demo.audio_dir)) for path in demo.audio_dir.rglob("*.wav")}
    assert set(metadata["file"]) == files
    assert metadata["call_id"].n_unique() == len(files)
    for row in metadata.iter_rows(named=True):
        assert dt.datetime.fromisoformat(row["started_at"]).date().isoformat() in row["file"]
        assert row["notice_given"] in ("true", "false")
        assert row["objected"] in ("true", "false")
    assert any(not name.isascii() for name in metadata["customer"])
    assert any("," in product for product in metadata["product"])


def test_the_whole_plan_spreads_over_queues_agents_days_and_arcs():
    plan = plan_calls(24, seed=1)
    count = {topic: sum(call.topic == topic for call in plan) for topic in {c.topic for c in plan}}
    assert count == {"billing": 6, "cancellation": 6, "delivery": 6, "technical": 6}
    assert len({call.agent for call in plan}) == 6
    assert len({call.started_at.date() for call in plan}) == 4
    assert {call.arc for call in plan} == {
        *("calm", "calm_to_angry", "angry_to_calm", "angry", "sad", "cheerful")
    }
    assert sum(call.objected for call in plan) == 1
    assert sum(not call.notice_given for call in plan) == 1
    assert all(call.product for call in plan)
    assert any('"' in call.product and "," in call.product for call in plan)
    assert [call.started_at for call in plan] == sorted(call.started_at for call in plan)


def test_same_seed_gives_the_same_bytes(demo: DemoCalls, tmp_path: Path):
    # memory that was used before is what makes the engine stray
    used = [np.full(3_000_000, 7, dtype=np.uint8).tobytes() for _ in range(4)]
    del used
    make_demo_calls(tmp_path, n_calls=1, seed=1)
    (wav,) = tmp_path.rglob("*.wav")
    assert wav.read_bytes() == (demo.audio_dir / wav.relative_to(tmp_path / "audio")).read_bytes()
    assert pl.read_parquet(tmp_path / "truth.parquet").equals(
        pl.read_parquet(demo.truth_path).filter(call_id=wav.stem)
    )


def test_a_folder_that_holds_the_calls_is_left_alone(demo: DemoCalls):
    times = {path: path.stat().st_mtime_ns for path in demo.metadata_path.parent.rglob("*")}
    told: list[int] = []
    again = make_demo_calls(
        demo.metadata_path.parent, n_calls=3, seed=1, progress=lambda done, _n: told.append(done)
    )
    assert again == demo
    assert told == []
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_another_set_replaces_the_one_before_and_mends_a_damaged_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("py_nanotts")
    make_demo_calls(tmp_path, n_calls=1, seed=2)
    first = folder_digests(tmp_path)
    wav = next(tmp_path.rglob("*.wav"))
    wav.write_bytes(wav.read_bytes()[:1000])
    make_demo_calls(tmp_path, n_calls=1, seed=2)
    assert folder_digests(tmp_path) == first
    told: list[tuple[int, int]] = []
    make_demo_calls(tmp_path, n_calls=1, seed=3, progress=lambda *now: told.append(now))
    assert told == [(1, 1)]
    assert len(list(tmp_path.rglob("*.wav"))) == 1
    assert demo_module.MANIFEST_FILE in folder_digests(tmp_path)


def frame_levels_db(samples: np.ndarray) -> np.ndarray:
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)


def frame_all(mask: np.ndarray) -> np.ndarray:
    return np.asarray(mask[: len(mask) // FRAME * FRAME].reshape(-1, FRAME).all(axis=1))
