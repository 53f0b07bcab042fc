"""What was detected once in one real call, given out as what is in every call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from ser_batch.analysis.describe import CallJob, CallOutcome, describe_calls
from ser_batch.analysis.workers import Workers
from ser_batch.audio.analysis import ChannelAnalysis
from ser_batch.audio.call_audio import CallFile
from ser_batch.config import Settings

SEGMENTS_A_CHANNEL = 4
"""Segments that are kept of each channel, so that a large history can be written."""


@dataclass(frozen=True)
class Recorded(Workers[CallJob, CallOutcome]):
    """The workers' interface in this process, without decoding.

    Attributes:
        outcome: of the call that was described
    """

    outcome: CallOutcome
    n_processes: int = 1

    @classmethod
    def of(cls, path: Path, settings: Settings) -> Recorded:
        """Describe a call of two channels."""
        job = CallJob(
            recording_id="",
            files=(CallFile(path),),
            size_bytes=0,
            roles=("agent", "customer"),
            single_role="unknown",
            first_speaker=None,
            notice_given=None,
            objected=None,
            settings=settings,
        )
        [outcome] = describe_calls([job])
        assert outcome.analysis is not None
        channels = tuple(map(_first_segments, outcome.analysis.channels))
        features = {name: rows[:SEGMENTS_A_CHANNEL] for name, rows in outcome.features.items()}
        analysis = replace(outcome.analysis, channels=channels)
        return cls(replace(outcome, analysis=analysis, features=features))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """There is no process to end."""

    def map(self, chunks: Sequence[Sequence[CallJob]]) -> Iterator[list[CallOutcome]]:
        """The same for each call of each chunk."""
        return (
            [replace(self.outcome, recording_id=job.recording_id) for job in chunk]
            for chunk in chunks
        )


def _first_segments(channel: ChannelAnalysis) -> ChannelAnalysis:
    return replace(
        channel,
        segments=channel.segments[:SEGMENTS_A_CHANNEL],
        measures={name: of[:SEGMENTS_A_CHANNEL] for name, of in channel.measures.items()},
        bandwidth_hz=channel.bandwidth_hz[:SEGMENTS_A_CHANNEL],
    )
