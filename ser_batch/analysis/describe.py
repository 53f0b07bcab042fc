"""What one worker process does: decode a few calls once, and describe their speech.

No intermediate audio is written. Features are computed only for the channels that may be scored.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.audio.analysis import CallAnalysis, analyse_calls
from ser_batch.audio.call_audio import CallFile, read_call
from ser_batch.audio.decode import Audio
from ser_batch.config import Role, Settings, Speaker
from ser_batch.errors import (
    FileError,
    GoneFileError,
    StopError,
    UnexpectedFileError,
    WorkerDiedError,
)
from ser_batch.features.sets import get_feature_set
from ser_batch.policy import channel_roles, why_not_scored

MOST_DECODED_BYTES = 256 << 20
"""Samples that are held before they are analysed together: with `audio.max_decoded_mb`, which
bounds the last one, they bound the memory of a worker process."""


@dataclass(frozen=True)
class CallJob:
    """One recording to describe.

    Attributes:
        recording_id: digest of its bytes
        files: the recording, or one a side, in the order of the channels
        size_bytes: their size
        roles: of the channels, if there are two
        single_role: where one signal carries the call
        first_speaker: of two who share one signal, None if nothing says so
        notice_given: as the metadata says
        objected: as the metadata says
        settings: all settings
        was_paired: both sides were analysed before
    """

    recording_id: str
    files: tuple[CallFile, ...]
    size_bytes: int
    roles: tuple[Role, ...]
    single_role: Role
    first_speaker: Speaker | None
    notice_given: bool | None
    objected: bool | None
    settings: Settings
    was_paired: bool = False

    def not_scored(
        self, *, n_channels: int, dual_mono: bool, diarized: bool
    ) -> tuple[str | None, ...]:
        """Code of the reason why each channel is not scored, None if it may be.

        Args:
            n_channels: channels in the file
            dual_mono: both carry the same signal
            diarized: two voices of one signal were diarized
        """
        roles = channel_roles(
            self.roles,
            self.single_role,
            self.first_speaker,
            n_channels=n_channels,
            dual_mono=dual_mono,
            diarized=diarized,
        )
        return tuple(
            why_not_scored(
                role,
                notice_given=self.notice_given,
                objected=self.objected,
                settings=self.settings.policy,
            )
            for role in roles
        )


@dataclass(frozen=True)
class CallOutcome:
    """What was detected, or why nothing could be.

    Attributes:
        recording_id: digest of the file's bytes
        error: why the file is left out, else None
        container: file format
        codec: sample coding
        sample_rate_hz: of the file
        n_channels: in the file, or files that make the call
        side_errors: by channel, why the file of a side cannot be used
        analysis: speech, segments and levels, without the samples
        features: by channel that may be scored, shape (n_segments, n_features)
        seconds: core seconds by step
    """

    recording_id: str
    error: FileError | None = None
    container: str = ""
    codec: str = ""
    sample_rate_hz: int = 0
    n_channels: int = 0
    side_errors: dict[int, FileError] = field(default_factory=dict)
    analysis: CallAnalysis | None = None
    features: dict[int, FloatArray] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def describe_calls(jobs: Sequence[CallJob]) -> list[CallOutcome]:
    """Decode, find speech, cut segments, denoise and compute features.

    Args:
        jobs: a few recordings, worked on together

    Returns:
        one outcome a job, in order; a bad file is an outcome, never an exception

    Raises:
        StopError: if no file could be described: weights of the feature set are not there, say
    """
    try:
        return _describe_together(jobs)
    except StopError:
        raise
    except Exception as error:
        if len(jobs) == 1:
            return [CallOutcome(jobs[0].recording_id, error=UnexpectedFileError(error))]
        return [outcome for job in jobs for outcome in describe_calls([job])]


def worker_crash_outcome(job: CallJob) -> CallOutcome:
    """The outcome of a recording that ends the process which reads it."""
    return CallOutcome(job.recording_id, error=WorkerDiedError())


@dataclass(frozen=True)
class _Decoded:
    """A call in memory.

    Attributes:
        job: whose
        audio: its recording
        side_errors: by channel, why the file of a side cannot be used
        seconds: core seconds that decoding took
    """

    job: CallJob
    audio: Audio
    side_errors: dict[int, FileError]
    seconds: float


def _describe_together(jobs: Sequence[CallJob]) -> list[CallOutcome]:
    outcomes: dict[str, CallOutcome] = {}
    waiting: list[_Decoded] = []
    for job in jobs:
        read = _decoded(job)
        if isinstance(read, CallOutcome):
            outcomes[job.recording_id] = read
        else:
            waiting.append(read)
        if sum(each.audio.samples.nbytes for each in waiting) >= MOST_DECODED_BYTES:
            outcomes |= _described(waiting)
            waiting = []
    outcomes |= _described(waiting)
    return [outcomes[job.recording_id] for job in jobs]


def _decoded(job: CallJob) -> _Decoded | CallOutcome:
    """A call's audio, or the outcome where there is none."""
    start = time.process_time()
    try:
        audio, errors = _read(job)
    except FileError as error:
        return CallOutcome(job.recording_id, error=error)
    if audio is None:
        return CallOutcome(job.recording_id, errors[0], side_errors=errors)
    return _Decoded(job, audio, errors, time.process_time() - start)


def _described(calls: Sequence[_Decoded]) -> dict[str, CallOutcome]:
    """Outcomes of some calls by recording_id."""
    if not calls:
        return {}
    start = time.process_time()
    audios = [call.audio for call in calls]
    worth = [_worth_cleaning(call.job, call.audio) for call in calls]
    shared = [call.job.first_speaker is not None for call in calls]
    analyses = analyse_calls(audios, calls[0].job.settings, worth, shared)
    speech_s = (time.process_time() - start) / len(calls)
    outcomes = {}
    for call, analysis in zip(calls, analyses, strict=True):
        start = time.process_time()
        features = _features(call.job, call.audio, analysis)
        seconds = {
            "decode": call.seconds,
            "speech": speech_s,
            "features": time.process_time() - start,
        }
        outcome = _outcome(call.job, call.audio, analysis, features, seconds)
        outcomes[call.job.recording_id] = replace(outcome, side_errors=call.side_errors)
    return outcomes


def _read(job: CallJob) -> tuple[Audio | None, dict[int, FileError]]:
    """The call's audio; a side that is gone does not undo the analysis of both."""
    audio, errors = read_call(job.files, job.settings.audio)
    gone = [error for error in errors.values() if isinstance(error, GoneFileError)]
    if gone and job.was_paired:
        raise gone[0]
    return audio, errors


def _worth_cleaning(job: CallJob, audio: Audio) -> set[int]:
    """Channels that may turn out to be scored; how many voices there are is not yet known."""
    n_channels = audio.samples.shape[0]
    return {
        channel
        for dual_mono, diarized in product((False, True), repeat=2)
        for channel in _scored(
            job.not_scored(n_channels=n_channels, dual_mono=dual_mono, diarized=diarized)
        )
    }


def _features(job: CallJob, audio: Audio, analysis: CallAnalysis) -> dict[int, FloatArray]:
    """Features of the channels that may be scored, and of no other."""
    feature_set = get_feature_set(job.settings.features.set)
    found = analysis.channels
    reasons = job.not_scored(
        n_channels=audio.samples.shape[0],
        dual_mono=analysis.dual_mono,
        diarized=analysis.diarized,
    )
    return {
        channel: feature_set.extract(found[channel].signal, found[channel].segments)
        for channel in _scored(reasons)
        if len(found[channel].segments)
    }


def _scored(reasons: Sequence[str | None]) -> list[int]:
    """Channels without a reason against it."""
    return [channel for channel, reason in enumerate(reasons) if reason is None]


def _outcome(
    job: CallJob,
    audio: Audio,
    analysis: CallAnalysis,
    features: dict[int, FloatArray],
    seconds: dict[str, float],
) -> CallOutcome:
    """The outcome without samples: only small arrays go back to the parent process."""
    nothing = np.zeros(0, np.float32)
    channels = tuple(replace(channel, signal=nothing) for channel in analysis.channels)
    return CallOutcome(
        recording_id=job.recording_id,
        container=audio.container,
        codec=audio.codec,
        sample_rate_hz=audio.sample_rate,
        n_channels=audio.samples.shape[0],
        analysis=replace(analysis, channels=channels),
        features=features,
        seconds=seconds,
    )
