"""Score a few files at once, without a night: the first try on one's own calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ser_batch.analysis.describe import CallJob, CallOutcome, describe_calls
from ser_batch.analysis.warnings import NO_SPEECH, not_diarized
from ser_batch.audio.call_audio import CallFile
from ser_batch.config import RoleSettings, Settings, Speaker
from ser_batch.emotions import (
    call_dissatisfaction,
    is_call_dissatisfied,
)
from ser_batch.errors import FileError
from ser_batch.features.sets import get_feature_set
from ser_batch.files.inputs import status_of
from ser_batch.ingest.folders import check_file
from ser_batch.ingest.scan import content_id
from ser_batch.policy import NOT_SCORED
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.decide import score_segments
from ser_batch.scoring.known_calls import known_calls, roles_of
from ser_batch.scoring.reasons import reasons
from ser_batch.store.lake import Lake
from ser_batch.store.packing import as_stored
from ser_batch.tables import features_contract


@dataclass(frozen=True)
class ScoredSegment:
    """A segment of the customer's speech.

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
        dissatisfaction: of the call; None with less scored speech than
            `dissatisfaction.min_scored_s`
        is_dissatisfied: the call is flagged; None where it has no dissatisfaction
        not_scored: by channel, why it carries no emotion
        options: of the command `score`, each with its meaning, that would score a channel whose
            speaker is unknown
        error: why the file cannot be read, else None
        is_known: the root has its call, and so says whether the customer objected or was informed
    """

    path: Path
    duration_s: float
    segments: tuple[ScoredSegment, ...]
    dissatisfaction: float | None
    is_dissatisfied: bool | None
    not_scored: dict[int, str]
    options: tuple[str, ...] = ()
    error: FileError | None = None
    is_known: bool = False


def score_files(
    paths: Sequence[Path],
    bundle: Bundle,
    settings: Settings,
    lake: Lake,
    *,
    customer_channel: int | None,
    first_speaker: Speaker | None,
) -> list[FileScore]:
    """Score files, but no customer of whom the lake says that they objected or were not informed.

    Args:
        paths: the files
        bundle: the model
        settings: all settings
        lake: knows the calls of earlier nights by the bytes of their files; it may be missing
        customer_channel: channel of the customer, 0 or 1, also of a one-channel file;
            None: as the lake says of the call, else the settings' roles
        first_speaker: where both sides share one channel; None: likewise

    Raises:
        DamagedPartError: if the lake's calls cannot be read
    """
    names = [_content_or_error(path) for path in paths]
    calls = known_calls(lake, {name for name in names if isinstance(name, str)}, settings)
    scores = []
    for path, name in zip(paths, names, strict=True):
        if isinstance(name, FileError):
            scores.append(FileScore(path, 0.0, (), None, None, {}, error=name))
            continue
        call = calls.get(name)
        roles = roles_of(call, name, settings.roles) if call else settings.roles
        roles = stated_roles(roles, customer_channel, first_speaker)
        job = CallJob(
            recording_id=name,
            files=(CallFile(path),),
            size_bytes=status_of(path).st_size,
            roles=roles.channels,
            single_role=roles.single_channel,
            first_speaker=roles.first_speaker,
            notice_given=call["notice_given"] if call else None,
            objected=call["objected"] if call else None,
            settings=settings,
        )
        scored = _trial(job, describe_calls([job])[0], bundle)
        scores.append(replace(scored, is_known=call is not None))
    return scores


def _content_or_error(path: Path) -> str | FileError:
    """Digest of a file's bytes, or why it cannot be read."""
    try:
        check_file(path)
        return content_id(path)
    except FileError as error:
        return error


def stated_roles(
    roles: RoleSettings, customer_channel: int | None, first_speaker: Speaker | None
) -> RoleSettings:
    """Roles with what options of the command line state about one call.

    Args:
        roles: of the settings
        customer_channel: channel of the customer, 0 or 1, also of a one-channel file
        first_speaker: where both sides share one channel
    """
    stated: dict[str, object] = {}
    if customer_channel is not None:
        pair = ("customer", "agent") if customer_channel == 0 else ("agent", "customer")
        stated["channels"] = pair
    if customer_channel == 0:
        stated |= {"single_channel": "customer", "first_speaker": None}
    if first_speaker is not None:
        stated["first_speaker"] = first_speaker
    return roles.model_copy(update=stated)


def _trial(job: CallJob, outcome: CallOutcome, bundle: Bundle) -> FileScore:
    if outcome.analysis is None:
        return FileScore(job.files[0].path, 0.0, (), None, None, {}, error=outcome.error)
    segments = sorted(_segments(job, outcome, bundle), key=lambda segment: segment.start_s)
    known = [
        (segment.dissatisfaction, segment.end_s - segment.start_s)
        for segment in segments
        if segment.dissatisfaction is not None
    ]
    value, seconds = zip(*known, strict=True) if known else ((), ())
    rules = job.settings.dissatisfaction
    is_scored = sum(seconds) >= max(rules.min_scored_s, 1e-9)
    return FileScore(
        path=job.files[0].path,
        duration_s=outcome.analysis.duration_s,
        segments=tuple(segments),
        dissatisfaction=call_dissatisfaction(value, seconds) if is_scored else None,
        is_dissatisfied=is_call_dissatisfied(value, seconds, **rules.flag) if is_scored else None,
        not_scored=_not_scored(job, outcome),
        options=_options(_reasons(job, outcome), job.first_speaker),
    )


def _segments(job: CallJob, outcome: CallOutcome, bundle: Bundle) -> list[ScoredSegment]:
    assert outcome.analysis is not None
    rows = []
    settings = job.settings
    feature_set = get_feature_set(settings.features.set)
    names, table = feature_set.names, features_contract(feature_set.name, feature_set.names)
    for channel, described in outcome.features.items():
        features = as_stored(table, described, names)
        scores = score_segments(bundle.predictor, features, names)
        emotions = scores.emotions(settings.model)
        is_uncertain = scores.is_uncertain(settings.model)
        callers = [channel] * len(features)
        said = reasons(bundle.predictor, features, names, callers, scores.winner)
        spans = outcome.analysis.channels[channel].segments
        for number, emotion in enumerate(emotions):
            start_s, end_s = (float(edge) for edge in spans[number])
            value = None if is_uncertain[number] else float(scores.dissatisfaction[number])
            sure = float(scores.confidence[number])
            rows.append(ScoredSegment(channel, start_s, end_s, emotion, sure, value, said[number]))
    return rows


def _not_scored(job: CallJob, outcome: CallOutcome) -> dict[int, str]:
    assert outcome.analysis is not None
    meanings = {
        channel: NOT_SCORED[code].meaning
        for channel, code in enumerate(_reasons(job, outcome))
        if code is not None
    }
    for channel, code in enumerate(_reasons(job, outcome)):
        if code is None and channel not in outcome.features:
            meanings[channel] = NO_SPEECH
    if why := not_diarized(outcome.analysis):
        meanings[0] = why
    return meanings


def _reasons(job: CallJob, outcome: CallOutcome) -> tuple[str | None, ...]:
    analysis = outcome.analysis
    assert analysis is not None
    return job.not_scored(
        n_channels=outcome.n_channels, dual_mono=analysis.dual_mono, diarized=analysis.diarized
    )


def _options(reasons: Sequence[str | None], first_speaker: Speaker | None) -> tuple[str, ...]:
    """Options that would score a recording on which a speaker is unknown, with their meaning."""
    if "unknown_role" not in reasons:
        return ()
    if len(reasons) > 1:
        return tuple(
            f"--customer-channel {channel}   the customer speaks on channel {channel}"
            for channel in range(len(reasons))
        )
    alone = "--customer-channel 0      only the customer speaks"
    if first_speaker is not None:  # tried: the two speakers were not distinguished
        return (alone,)
    return (
        "--first-speaker agent     two speakers, the agent first",
        "--first-speaker customer  two speakers, the customer first",
        alone,
    )
