"""A small call centre whose operations can be repeated thousands of times.

Its recordings are real files that were described once; afterwards what was detected in them is
taken from memory, so that an operation is what it writes.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from ser_batch.analysis.describe import CallJob, CallOutcome, describe_calls
from ser_batch.analysis.workers import Workers
from ser_batch.config import Settings
from ser_batch.lab.bench.faults.retraining import Retraining
from ser_batch.lab.synthetic.demo import DemoCalls, make_demo_calls
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.choose import load_model
from ser_batch.stages.analyse import analyse, stale_shards
from ser_batch.stages.ingest import ingest
from ser_batch.stages.score import score, unscored_shards
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root

SETTINGS = Settings(
    ingest={"min_age_s": 0, "shard_calls": 1},
    features={"set": "descriptors_v1"},
    report={"min_calls": 1},
)
"""A call a shard, and descriptors alone: as many files as usual, a quarter of the columns."""

BEGAN_AT = dt.datetime(2026, 11, 3, 2)
WRITTEN_AT_S = 1_790_000_000
N_CALLS = 3


class Remembered(Workers[CallJob, CallOutcome]):
    """The workers' interface in this process; each recording is described once."""

    def __init__(self) -> None:
        self.n_processes = 1
        self._known: dict[str, CallOutcome] = {}

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """There is no process to end."""

    def map(self, chunks: Sequence[Sequence[CallJob]]) -> Iterator[list[CallOutcome]]:
        """What was detected in each call of each chunk."""
        for chunk in chunks:
            for job in chunk:
                if job.recording_id not in self._known:
                    [self._known[job.recording_id]] = describe_calls([job])
            yield [self._known[job.recording_id] for job in chunk]


@dataclass
class Centre:
    """Audio and metadata, and what a night does with them.

    Attributes:
        audio: the folder of recordings
        metadata: their lines
        later: a recording that comes in the second night
        bundle: the model that scores
        retraining: a model that can take over; None: it was not trained yet
    """

    audio: Path
    metadata: Path
    later: Path
    bundle: Bundle
    workers: Remembered = field(default_factory=Remembered)
    retraining: Retraining | None = None

    @classmethod
    def make(cls, folder: Path, demo: DemoCalls | None = None) -> Centre:
        """Take a few simulated calls, the last of which has not come yet.

        Args:
            folder: for the centre's own files
            demo: calls that are there; None: they are made
        """
        demo = demo or make_demo_calls(folder / "demo", n_calls=N_CALLS, seed=3)
        *first, last = sorted(demo.audio_dir.rglob("*.wav"))[:N_CALLS]
        bundle = load_model(Root(folder / "no root"), SETTINGS)
        centre = cls(folder / "audio", demo.metadata_path, last, bundle)
        for path in first:
            centre._receive(path)
        return centre

    def _receive(self, path: Path) -> None:
        target = self.audio / path.parent.name / path.name  # as the metadata names it
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        os.utime(target, (WRITTEN_AT_S, WRITTEN_AT_S))

    @property
    def first_call(self) -> str:
        """The id of the call whose recording comes first."""
        return min(self.audio.rglob("*.wav")).stem

    def receive_later(self) -> None:
        """The last recording comes."""
        self._receive(self.later)

    def night(self, root: Root, number: int, metadata: Sequence[Path] = ()) -> None:
        """A night up to its scores.

        Args:
            root: whose
            number: from 1; says what time it is
            metadata: files beside the first one
        """
        self.work(root, BEGAN_AT + dt.timedelta(days=number), metadata)

    def work(self, root: Root, now: dt.datetime, metadata: Sequence[Path] = ()) -> None:
        """A night up to its scores, at a time, UTC."""
        lake = Lake(root.lake)
        nothing: Any = lambda *_: None  # noqa: E731
        ingest(
            lake, [self.audio], [self.metadata, *metadata], SETTINGS, now=now, on_progress=nothing
        )
        for shard in stale_shards(lake, SETTINGS):
            analyse(lake, shard, SETTINGS, self.workers, now=now, on_calls=nothing)
        for shard in unscored_shards(lake, self.bundle.model_id, SETTINGS):
            score(lake, shard, self.bundle, SETTINGS)
