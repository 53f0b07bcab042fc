"""The demo: a folder of simulated calls with metadata and truth, the same for the same seed.

All speech in it is synthetic.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ser_batch.audio import telephone
from ser_batch.config import digest
from ser_batch.lab.synthetic.dialogue import Mood, Part, converse, moods
from ser_batch.lab.synthetic.plan import AGENTS, PlannedCall, plan_calls
from ser_batch.lab.synthetic.scenes import Call, Scene, Utterance, write_call
from ser_batch.lab.synthetic.scripts import Deck, agent_line, customer_line
from ser_batch.lab.synthetic.voices import Voice, speak
from ser_batch.serialise import csv_text

MANIFEST_FILE = "manifest.json"
_TRUTH_COLUMNS: list[pa.Field[Any]] = [
    pa.field("file", pa.string()),  # path below the audio folder
    pa.field("call_id", pa.string()),
    pa.field("arc", pa.string()),  # one of dialogue.ARCS
    pa.field("kind", pa.string()),  # the columns from here to `text`: see scenes.TruthRow
    pa.field("channel", pa.int8()),
    pa.field("role", pa.string()),
    pa.field("start_s", pa.float64()),
    pa.field("end_s", pa.float64()),
    pa.field("turn_no", pa.int16()),
    pa.field("emotion", pa.string()),
    pa.field("intensity", pa.float64()),
    pa.field("text", pa.string()),
    pa.field("position", pa.float64()),  # of the start in the call, 0 to 1
]
TRUTH_SCHEMA = pa.schema(_TRUTH_COLUMNS)


@dataclass(frozen=True)
class DemoCalls:
    """Where the demo's files lie.

    Attributes:
        audio_dir: two-channel 8 kHz mu-law WAV files, channel 0 agent, channel 1 customer
        metadata_path: CSV, one row a call
        truth_path: Parquet in `TRUTH_SCHEMA`, one row an interval of speech, tone or silence
        n_calls: how many
        duration_s: of all calls together
    """

    audio_dir: Path
    metadata_path: Path
    truth_path: Path
    n_calls: int
    duration_s: float


@dataclass(frozen=True)
class ScriptedSpeaker:
    """A synthetic voice with lines to say.

    Attributes:
        voice: how the speaker sounds
        deck: lines not used yet
        rng: draws the voice's roughness
        topic: what a customer calls about, None for the agent
    """

    voice: Voice
    deck: Deck
    rng: np.random.Generator
    topic: str | None = None

    def utter(self, part: Part, mood: Mood) -> Utterance:
        """The next line: a customer's in the mood, an agent's in a neutral tone."""
        if self.topic is None:
            return speak(agent_line(self.deck, part, mood), self.voice, rng=self.rng)
        text = customer_line(self.deck, part, mood, topic=self.topic)
        return speak(text, self.voice, emotion=mood.emotion, intensity=mood.intensity, rng=self.rng)


def make_demo_calls(
    folder: Path,
    *,
    n_calls: int = 24,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> DemoCalls:
    """Make the demo's calls; where the folder holds them already, nothing is done.

    Args:
        folder: receives `audio/<date>/<call_id>.wav`, `metadata.csv` and `truth.parquet`
        n_calls: six a day, four days a week
        seed: the same seed gives the same bytes
        progress: called with how many calls are done, and of how many

    Raises:
        DependencyError: if the speech engine is not installed
    """
    plan = plan_calls(n_calls, seed=seed)
    key = digest([seed, n_calls, _recipe()])
    manifest = _read_manifest(folder)
    if manifest.get("key") != key or not _whole(folder, manifest):
        _forget(folder, manifest)
        manifest = {"key": key, **_make(folder, plan, seed=seed, progress=progress)}
        _write(folder / MANIFEST_FILE, json.dumps(manifest, indent=1).encode())
    return DemoCalls(
        audio_dir=folder / "audio",
        metadata_path=folder / "metadata.csv",
        truth_path=folder / "truth.parquet",
        n_calls=n_calls,
        duration_s=manifest["duration_s"],
    )


def speak_call(call: PlannedCall, *, seed: int) -> Call:
    """One planned call, spoken, over its line."""
    return speak_scene(call, seed=seed).render(call.line)


def speak_scene(call: PlannedCall, *, seed: int) -> Scene:
    """One planned call, spoken, before it goes over any line."""
    rng = np.random.default_rng([seed, call.number, 1])
    scene, deck = Scene(rng), Deck(rng)
    converse(
        scene,
        agent=ScriptedSpeaker(AGENTS[call.agent].voice, deck, rng),
        customer=ScriptedSpeaker(call.customer_voice, deck, rng, topic=call.topic),
        moods=moods(call.arc, call.n_turns),
        course=call.course,
    )
    return scene


def _recipe() -> str:
    """Digest of the code that makes the calls: a folder written by other code is regenerated."""
    sources = [*sorted(Path(__file__).parent.glob("*.py")), Path(telephone.__file__)]
    return hashlib.blake2b(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _make(
    folder: Path,
    plan: list[PlannedCall],
    *,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> dict[str, Any]:
    """Write all files; what the manifest says about them."""
    truth: list[dict[str, Any]] = []
    duration_s = 0.0
    for n_done, planned in enumerate(plan, start=1):
        call = speak_call(planned, seed=seed)
        write_call(folder / "audio" / planned.file, call)
        truth += _truth_rows(planned, call)
        duration_s += call.duration_s
        if progress is not None:
            progress(n_done, len(plan))
    _write(folder / "metadata.csv", _metadata_csv(plan))
    parquet = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(truth, schema=TRUTH_SCHEMA), parquet)
    _write(folder / "truth.parquet", parquet.getvalue())
    names = ["metadata.csv", "truth.parquet", *(f"audio/{call.file}" for call in plan)]
    return {"duration_s": duration_s, "files": {name: _digest(folder / name) for name in names}}


def _truth_rows(planned: PlannedCall, call: Call) -> list[dict[str, Any]]:
    """The call's truth in the columns of `TRUTH_SCHEMA`."""
    place = {"file": planned.file, "call_id": planned.call_id, "arc": planned.arc}
    return [
        {**place, **asdict(row), "position": row.start_s / call.duration_s} for row in call.truth
    ]


def _metadata_csv(plan: list[PlannedCall]) -> bytes:
    """One row a call, as a telephone system would export it."""
    rows = [
        {
            "file": call.file,
            "call_id": call.call_id,
            "started_at": call.started_at.isoformat(),
            "queue": call.topic,
            "agent": call.agent,
            "team": AGENTS[call.agent].team,
            "customer": call.customer,
            "language": call.customer_voice.accent,
            "notice_given": str(call.notice_given).lower(),
            "objected": str(call.objected).lower(),
            "product": call.product,
            "wait_s": call.wait_s,
            "synthetic": "true",
        }
        for call in plan
    ]
    return csv_text(list(rows[0]), (row.values() for row in rows)).encode()


def _read_manifest(folder: Path) -> dict[str, Any]:
    """What the folder says that it holds, nothing where it says nothing."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST_FILE).read_text())
    except (OSError, json.JSONDecodeError):
        return {}
    return manifest


def _whole(folder: Path, manifest: dict[str, Any]) -> bool:
    """Whether every file is there, unchanged."""
    files = manifest["files"].items()
    return all((folder / name).is_file() and _digest(folder / name) == made for name, made in files)


def _forget(folder: Path, manifest: dict[str, Any]) -> None:
    """Remove another set's files: they would count as calls of this one."""
    (folder / MANIFEST_FILE).unlink(missing_ok=True)
    for name in manifest.get("files", {}):
        (folder / name).unlink(missing_ok=True)


def _digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(data)
    unfinished.replace(path)
