"""Transcripts of the simulated calls, from what their truth says was spoken."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq


def turns(truth: Path) -> dict[str, list[dict]]:
    """Turns by file: role, start_s, end_s and text; one with pauses inside is one turn."""
    found: dict[str, dict[int, dict]] = defaultdict(dict)
    for row in pq.read_table(truth).to_pylist():
        if row["kind"] == "speech":
            turn = found[row["file"]].setdefault(row["turn_no"], dict(row))
            turn["end_s"] = max(turn["end_s"], row["end_s"])
    return {file: list(own.values()) for file, own in found.items()}


def write_transcripts(truth: Path, folder: Path) -> None:
    """A file a call, as a recogniser that diarizes writes it: the labels say no role."""
    for file, own in turns(truth).items():
        segments = []
        for turn in own:
            words = turn["text"].split()
            step_s = (turn["end_s"] - turn["start_s"]) / len(words)
            speaker = "SPEAKER_00" if turn["role"] == "customer" else "SPEAKER_01"
            starts = [turn["start_s"] + number * step_s for number in range(len(words))]
            timed = [
                {"word": word, "start": start, "end": start + step_s, "speaker": speaker}
                for word, start in zip(words, starts, strict=True)
            ]
            segments.append({"start": starts[0], "end": turn["end_s"], "words": timed})
        target = folder / Path(file).with_suffix(".json")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps({"segments": segments}), encoding="utf-8")
