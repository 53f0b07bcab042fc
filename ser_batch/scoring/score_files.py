"""Score a few files at once, without lake or flow: the first try on one's own calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ser_batch.analysis.describe import CallJob, CallOutcome, describe_calls
from ser_batch.analysis.warnings import not_diarized
from ser_batch.config import Role, Settings, Speaker
from ser_batch.emotions import UNCERTAIN, call_dissatisfaction, segment_dissatisfaction
from ser_batch.errors import FileError
from ser_batch.features.sets import get_feature_set
from ser_batch.policy import NOT_SCORED
from ser_batch.scoring.bundle import Bundle
from ser_batch.stages.score import decide


class NoSuchFileError(FileError):
    """A file that somebody named is not there."""

    code = "no_such_file"
    remedy = "Mend the path."

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no file {path}")


class FolderNamedError(FileError):
    """A folder was named where one recording is meant."""

    code = "folder"
    remedy = "Name recordings; `ser-batch nightly --audio FOLDER` takes a folder."

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is a folder")


@dataclass(frozen=True)
class ScoredSegment:
    """A stretch of the customer's speech.

    Attributes:
        channel: in the file
        start_s: seconds
        end_s: seconds
        emotion: likeliest, or uncertain
        confidence: probability of the likeliest
        dissatisfaction: 0..1; None where the emotion is uncertain
        reasons: what raised the likeliest emotion most, in words
    """

    channel: int
    start_s: float
    end_s: float
    emotion: str
    confidence: float
    dissatisfaction: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class FileScore:
    """One file, scored or not.

    Attributes:
        path: the file
        duration_s: its length; 0 if it cannot be read
        segments: of the channels that may be scored, in order of time
        dissatisfaction: of the call; None where nothing was scored
        not_scored: by channel, why it carries no emotion
        error: why the file cannot be read, else None
    """

    path: Path
    duration_s: float
    segments: tuple[ScoredSegment, ...]
    dissatisfaction: float | None
    not_scored: dict[int, str]
    error: FileError | None = None


def score_files(
    paths: Sequence[Path],
    bundle: Bundle,
    settings: Settings,
    *,
    customer_channel: int | None,
    first_speaker: Speaker | None,
) -> list[FileScore]:
    """Score files.

    Args:
        paths: the files
        bundle: the model
        settings: all settings
        customer_channel: channel of the customer, 0 or 1, also of a one-channel file;
            None: as the settings' roles say
        first_speaker: where both sides share one channel; None: as the settings' roles say
    """
    roles: tuple[Role, ...] = settings.roles.channels
    single: Role = settings.roles.single_channel
    first = first_speaker or settings.roles.first_speaker
    if customer_channel is not None:
        roles = ("customer", "agent") if customer_channel == 0 else ("agent", "customer")
    if customer_channel == 0 and first_speaker is None:
        single, first = "customer", None
    scores = []
    for path in paths:
        try:
            check_file(path)
        except FileError as error:
            scores.append(FileScore(path, 0.0, (), None, {}, error))
            continue
        size = path.stat().st_size
        job = CallJob(str(path), path, size, roles, single, first, None, None, settings)
        scores.append(_trial(job, describe_calls([job])[0], bundle))
    return scores


def check_file(path: Path) -> None:
    """Refuse what a person may name by mistake.

    Raises:
        FolderNamedError: if it is a folder
        NoSuchFileError: if nothing is there
    """
    if path.is_dir():
        raise FolderNamedError(path)
    if not path.exists():
        raise NoSuchFileError(path)


def _trial(job: CallJob, outcome: CallOutcome, bundle: Bundle) -> FileScore:
    if outcome.analysis is None:
        return FileScore(job.path, 0.0, (), None, {}, outcome.error)
    segments = sorted(_segments(job, outcome, bundle), key=lambda segment: segment.start_s)
    known = [
        (segment.dissatisfaction, segment.end_s - segment.start_s)
        for segment in segments
        if segment.dissatisfaction is not None
    ]
    call = call_dissatisfaction(*zip(*known, strict=True)) if known else float("nan")
    return FileScore(
        path=job.path,
        duration_s=outcome.analysis.duration_s,
        segments=tuple(segments),
        dissatisfaction=None if np.isnan(call) else call,
        not_scored=_not_scored(job, outcome),
    )


def _segments(job: CallJob, outcome: CallOutcome, bundle: Bundle) -> list[ScoredSegment]:
    assert outcome.analysis is not None
    rows = []
    settings = job.settings
    for channel, features in outcome.features.items():
        names = get_feature_set(settings.features.set).names
        probabilities = bundle.predict(features, names)
        ood_score = bundle.ood_score(features, names)
        least = settings.model.min_confidence
        emotions, confidence = decide(probabilities, ood_score, bundle.classes, least)
        reasons = bundle.reasons(features, names, [channel] * len(features))
        index = segment_dissatisfaction(
            probabilities, bundle.classes, settings.dissatisfaction.weights
        )
        spans = outcome.analysis.channels[channel].segments
        for number, emotion in enumerate(emotions):
            start_s, end_s = (float(edge) for edge in spans[number])
            value = None if emotion == UNCERTAIN else float(index[number])
            sure = float(confidence[number])
            rows.append(
                ScoredSegment(channel, start_s, end_s, emotion, sure, value, reasons[number])
            )
    return rows


def _not_scored(job: CallJob, outcome: CallOutcome) -> dict[int, str]:
    analysis = outcome.analysis
    assert analysis is not None
    reasons = job.not_scored(
        n_channels=outcome.n_channels, dual_mono=analysis.dual_mono, diarized=analysis.diarized
    )
    meanings = {
        channel: NOT_SCORED[code].meaning
        for channel, code in enumerate(reasons)
        if code is not None
    }
    if why := not_diarized(analysis):
        meanings[0] = why
    return meanings
