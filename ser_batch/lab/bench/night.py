"""A whole night against the clock: real time per core by stage, orchestration, memory.

The peer is the same work done plainly: each call by itself, one after the other, in one process,
without a flow.
"""

from __future__ import annotations

import resource
import shutil
import struct
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import soundfile

from ser_batch.analysis.describe import CallJob, describe_calls
from ser_batch.audio.call_audio import CallFile
from ser_batch.config import Settings

RunNight = Callable[[Path, Path], dict[str, Any]]
"""Runs a night on an audio folder under a root folder; returns its summary."""

MOST_PEER_CALLS = 12


def run(sources: Sequence[Path], hours: float, run_night: RunNight) -> dict[str, Any]:
    """Run a short and a long night on copies of some calls, and the peer on a sample of them.

    Args:
        sources: two-channel WAV recordings
        hours: of calls in the long night; the short one has a quarter
        run_night: the flow

    Returns:
        ours and peers in call-seconds per core-second, ratios, the orchestration's share of the
        long night, the seconds that Prefect takes before it begins, and peak memory of both nights
    """
    with tempfile.TemporaryDirectory(prefix="ser-batch-bench-") as folder:
        place = Path(folder)
        nights = [
            _night(sources, part * hours * 3600, place / name, run_night)
            for name, part in (("short", 0.25), ("long", 1.0))
        ]
        peer = _plainly(sources)
    short, long = nights
    audio_s, n_processes = long["audio_s"], long["n_processes"]
    core_s = {step: seconds for step, seconds in long["core_s"].items() if seconds}
    stages = {step: audio_s / seconds for step, seconds in core_s.items()}
    for name in ("ingest", "score", "publish", "report"):
        stages[name] = audio_s / max(long["stage_s"].get(name, 0.0), 1e-9)
    end_to_end = audio_s / (long["flow_s"] * n_processes)
    return {
        "unit": "call-seconds per core-second",
        "hours": audio_s / 3600,
        "n_calls": long["counts"]["calls_analysed"],
        "n_processes": n_processes,
        "ours": {"end_to_end": end_to_end, **stages},
        "peers": {"one_call_at_a_time_without_flow": peer},
        "ratios": {"one_call_at_a_time_without_flow": end_to_end / peer},
        "orchestration_share": long["orchestration_s"] / long["flow_s"],
        "before_flow_s": short["before_flow_s"],
        "peak_memory_mb": {"short_night": short["peak_mb"], "long_night": long["peak_mb"]},
    }


def copies(sources: Sequence[Path], seconds: float, folder: Path) -> int:
    """Copies of recordings with the same sound and bytes of their own; returns how many.

    A chunk that decoders skip makes each copy another recording.
    """
    folder.mkdir(parents=True)
    lengths = [soundfile.info(path).duration for path in sources]
    total, number = 0.0, 0
    while total < seconds:
        source = sources[number % len(sources)]
        target = folder / f"{number // 200:03d}" / f"{source.stem}-{number:06d}.wav"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, target)
        with target.open("r+b") as file:
            file.seek(0, 2)
            file.write(b"junk" + struct.pack("<II", 4, number))
            size = file.tell() - 8
            file.seek(4)
            file.write(struct.pack("<I", size))
        total += lengths[number % len(sources)]
        number += 1
    return number


def _night(
    sources: Sequence[Path], seconds: float, place: Path, run_night: RunNight
) -> dict[str, Any]:
    copies(sources, seconds, place / "audio")
    start = time.time()
    summary = run_night(place / "audio", place / "root")
    summary["before_flow_s"] = summary["began_at_s"] - start
    peak = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {**summary, "peak_mb": peak / 1024}


def _plainly(sources: Sequence[Path]) -> float:
    """The peer's call-seconds per core-second."""
    settings = Settings()
    jobs = [
        CallJob(
            recording_id=str(path),
            files=(CallFile(path),),
            size_bytes=0,
            roles=("agent", "customer"),
            single_role="unknown",
            first_speaker=None,
            notice_given=None,
            objected=None,
            settings=settings,
        )
        for path in sources[:MOST_PEER_CALLS]
    ]
    describe_calls(jobs[:1])  # imports and compiled code, which a long night pays once
    start = time.perf_counter()
    outcomes = [describe_calls([job])[0] for job in jobs]
    seconds = time.perf_counter() - start
    return sum(o.analysis.duration_s for o in outcomes if o.analysis is not None) / seconds
