"""A whole night against the clock: real time per core by stage, start, orchestration, memory.

Each night is a command of its own, as the system's scheduler runs it.

The peer is the same work done plainly: each call by itself, one after the other, in one process,
without a flow.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from ser_batch.analysis.describe import describe_calls
from ser_batch.config import Settings
from ser_batch.lab.bench.growth.recorded import two_channel_job
from ser_batch.memory import keep_freed_memory

MOST_PEER_CALLS = 12
SPARSE_BYTES = 3 << 30
"""Of a recording that must not be read into memory."""
PUBLISHED = (0, 3)
"""Exit codes of a night that published: clean, partial."""


@dataclass(frozen=True)
class Night:
    """A night that a command ran.

    Attributes:
        summary: what it printed
        start_s: from the command to the first work
        wall_s: of the whole command
        core_s: of the command and all its processes
        peak_mb: of the largest of these
    """

    summary: dict[str, Any]
    start_s: float
    wall_s: float
    core_s: float
    peak_mb: float


def run(sources: Sequence[Path], hours: float, command: Sequence[str]) -> dict[str, Any]:
    """Run a short night on copies of some calls, the same among files whose headers lie about their
    length, a long one, and that again; and the peer.

    Args:
        sources: two-channel WAV recordings
        hours: of calls in the long night; the short one has a quarter
        command: that runs a night

    Returns:
        ours and peers in call-seconds per core-second, ratios, the orchestration's share of the
        long night, seconds from command to first work, core seconds that each night costs and
        those that an hour of calls adds (a line through the two nights), what a night costs that
        finds nothing new, and peak memory
    """
    with tempfile.TemporaryDirectory(prefix="ser-batch-bench-") as folder:
        place = Path(folder)
        copies(sources, 0.25 * hours * 3600, place / "short")
        copies(sources, hours * 3600, place / "long")
        short = measured_night(command, place / "short", place / "short-root")
        put_lying_files(place / "short")
        lying = measured_night(command, place / "short", place / "lying-root")
        first = measured_night(command, place / "long", place / "long-root")
        again = measured_night(command, place / "long", place / "long-root")
        peer = _plainly(sources)
    long = first.summary
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
        "start_s": {"first_night_of_a_root": first.start_s, "later_night": again.start_s},
        "core_s": _fitted(short, first),
        "nothing_new": {"core_s": again.core_s, "wall_s": again.wall_s},
        "peak_memory_mb": {
            "short_night": short.peak_mb,
            "short_night_among_lying_files": lying.peak_mb,
            "long_night": first.peak_mb,
        },
    }


def _fitted(short: Night, long: Night) -> list[dict[str, Any]]:
    """A row a step: core seconds of every night, and those of an hour of calls more.

    Steps are those of the analysis, measured in its processes; the rest is all else.
    """
    hours = [night.summary["audio_s"] / 3600 for night in (short, long)]
    rows = []
    for step in [*long.summary["core_s"], "rest", "all"]:
        seconds = [_core_s(night, step) for night in (short, long)]
        an_hour = (seconds[1] - seconds[0]) / (hours[1] - hours[0])
        rows.append(
            {
                "step": step,
                f"{hours[0]:.1f} h": seconds[0],
                f"{hours[1]:.1f} h": seconds[1],
                "fixed": seconds[1] - an_hour * hours[1],
                "an hour": an_hour,
            }
        )
    return rows


def _core_s(night: Night, step: str) -> float:
    """Core seconds of a step; of all, or of what is beside the analysis."""
    steps = night.summary["core_s"]
    others = {"all": night.core_s, "rest": night.core_s - sum(steps.values())}
    return float(steps.get(step, 0.0) if step in steps else others.get(step, 0.0))


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


def put_lying_files(folder: Path) -> None:
    """Put recordings into a folder that hold 3 GiB or say so: of open, of true and of wrong length.

    They are sparse and take no room on the disk.
    """
    for name, declared, held in (
        ("open", 2**32 - 1, SPARSE_BYTES),
        ("declared", SPARSE_BYTES, SPARSE_BYTES),
        ("lying", SPARSE_BYTES, 16_000),
    ):
        form = struct.pack("<HHIIHH", 1, 1, 8000, 16_000, 2, 16)
        with (folder / f"{name}.wav").open("wb") as file:
            file.write(b"RIFF" + struct.pack("<I", 2**32 - 1) + b"WAVEfmt ")
            file.write(struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", declared))
            file.truncate(file.tell() + held)


def measured_night(command: Sequence[str], audio: Path, root: Path, **variables: str) -> Night:
    """Run a night and measure its processes.

    Args:
        command: that runs a night
        audio: folder of recordings
        root: of the night
        variables: of its environment, beside those of this process

    Raises:
        subprocess.CalledProcessError: if it fails; its error is on standard error
    """
    arguments = [*command, "--audio", str(audio), "--root", str(root), "--json"]
    own = {
        "SER_INGEST__MIN_AGE_S": "0",
        "SER_INGEST__MAX_BAD_SHARE": "1",
        "PREFECT_HOME": "",
        "PYTHONDONTWRITEBYTECODE": "",  # an installed program is compiled
    }
    with tempfile.TemporaryFile("w+") as output:
        start = time.time()
        process = subprocess.Popen(arguments, stdout=output, env={**os.environ, **own, **variables})
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.time() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in PUBLISHED:
            raise subprocess.CalledProcessError(process.returncode, arguments)
        output.seek(0)
        summary = json.load(output)
    start_s = summary["began_at_s"] - start
    return Night(summary, start_s, wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _plainly(sources: Sequence[Path]) -> float:
    """The peer's call-seconds per core-second."""
    settings = Settings()
    jobs = [two_channel_job(path, settings) for path in sources[:MOST_PEER_CALLS]]
    keep_freed_memory()  # as worker processes do
    describe_calls(jobs[:1])  # imports and compiled code, which a long night pays once
    start = time.perf_counter()
    outcomes = [describe_calls([job])[0] for job in jobs]
    seconds = time.perf_counter() - start
    return sum(o.analysis.duration_s for o in outcomes if o.analysis is not None) / seconds
