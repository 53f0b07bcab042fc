"""Analyse: one shard of calls from samples to speech, segments and features.

The shard's rows are recomputed where the settings, the feature set or the calls' roles and
consents changed, and only for the recordings that this touches. `recordings` is written last and
carries the digest of everything that the shard was made from, and of each of its other parts: a
run that is killed before, and a part that is lost or damaged later, leave a shard that is simply
recomputed. It also carries what the run did: a task whose answer is lost on the way, as it is with
a machine that fails, gives the same answer when it runs again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace

from ser_batch.analysis.describe import CallJob, CallOutcome
from ser_batch.analysis.identity import analysis_id
from ser_batch.analysis.workers import Workers
from ser_batch.config import Settings, digest
from ser_batch.features.sets import get_feature_set
from ser_batch.ingest.issues import replace_issues
from ser_batch.stages.shard import Shard, features_of
from ser_batch.store.checked import unlike_before_by_day
from ser_batch.store.closed_days import open_shards_of
from ser_batch.store.commit import PARTS, deviations, issues_name, issues_part, members, parts_tag
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import CALLS, CHANNELS, QUARANTINE, RECORDINGS, SEGMENTS

MOST_CHUNK_CALLS = 8
MOST_CHUNK_BYTES = 48 << 20
DONE = "done"
"""Tag of the part written last: what the run of that time did for the shard, as JSON."""


@dataclass(frozen=True)
class AnalyseResult:
    """What was done for a shard.

    Attributes:
        n_analysed: recordings described in this run
        n_bad: recordings put into quarantine in this run
        n_lost: recordings whose stored rows were lost and whose file is gone
        audio_s: seconds of audio described in this run
        core_s: core seconds by step
    """

    n_analysed: int = 0
    n_bad: int = 0
    n_lost: int = 0
    audio_s: float = 0.0
    core_s: dict[str, float] = field(default_factory=dict)


def is_stale(lake: Lake, shard: Part, settings: Settings) -> bool:
    """Whether a shard was made from other inputs than those of now, or is not complete."""
    tags = lake.sound_tags(RECORDINGS, shard)
    if tags is None or tags.get("inputs") != inputs_of(lake, shard, settings):
        return True
    return bool(deviations(lake, tags, members(features_of(settings), shard)))


def stale_shards(lake: Lake, settings: Settings) -> list[Part]:
    """The open shards that must be analysed; what was complete and did not change is not read.

    The root is held.
    """
    features = features_of(settings)
    wanted, tables = _settings_id(settings), (CALLS, RECORDINGS, CHANNELS, SEGMENTS, features)
    issues = {part.name: state for part, state in lake.files(QUARANTINE).items()}
    return unlike_before_by_day(
        lake,
        "analysed",
        wanted,
        tables,
        lambda part: is_stale(lake, part, settings),
        parts_of=open_shards_of(lake),
        beside=lambda _date, name: issues.get(issues_name(name)),
    )


def analyse(
    lake: Lake,
    shard: Part,
    settings: Settings,
    workers: Workers[CallJob, CallOutcome],
    *,
    now: dt.datetime,
    on_calls: Callable[[int], None],
) -> AnalyseResult:
    """Bring one shard up to date.

    Args:
        lake: the lake; `calls` is already true
        shard: which one
        settings: all settings
        workers: processes that run `describe_calls`
        now: UTC; the same time asks for what the same run did
        on_calls: called with the number of calls that are done, as they are

    Raises:
        LakeError: if a part of the shard cannot be read
    """
    if (done := _done_by(lake, shard, settings, now)) is not None:
        return done
    before = Shard.read(lake, shard, settings)
    jobs = before.jobs(settings)
    on_calls(len(before.calls) - len(jobs))
    outcomes: list[CallOutcome] = []
    for some in workers.map(_chunks(jobs, workers.n_processes)):
        outcomes += some
        on_calls(len(some))
    after = before.updated(outcomes, settings)
    done = replace(_summary(outcomes), n_lost=len(after.lost() - before.lost()))
    _write(lake, shard, after, settings, now, done)
    return done


def _done_by(lake: Lake, part: Part, settings: Settings, now: dt.datetime) -> AnalyseResult | None:
    """What the run of a time did for a shard that is up to date, if it was the last to do so."""
    stated = json.loads((lake.sound_tags(RECORDINGS, part) or {}).get(DONE, "{}"))
    if stated.pop("at", None) != now.isoformat() or is_stale(lake, part, settings):
        return None
    return AnalyseResult(**stated)


def _write(
    lake: Lake,
    part: Part,
    shard: Shard,
    settings: Settings,
    now: dt.datetime,
    done: AnalyseResult,
) -> None:
    """All tables of a shard, `recordings` last."""
    tags = {"analysis_id": analysis_id(settings)}
    feature_set = get_feature_set(settings.features.set)
    contract = features_of(settings)
    lake.write(CHANNELS, part, shard.channels, tags)
    lake.write(SEGMENTS, part, shard.segments, tags)
    content = digest([tags, feature_set.digest, shard.feature_keys()])
    lake.write(
        contract, part, shard.features, {"feature_set": feature_set.digest, "content": content}
    )
    replace_issues(lake, issues_part(part).name, shard.issues, now, tags)
    made_from = {
        "inputs": inputs_of(lake, part, settings),
        PARTS: parts_tag(lake, members(contract, part)),
        DONE: json.dumps({"at": now.isoformat(), **asdict(done)}),
    }
    lake.write(RECORDINGS, part, shard.recordings, {**tags, **made_from})


def inputs_of(lake: Lake, part: Part, settings: Settings) -> str:
    """Digest of everything that the tables of a shard are made from."""
    calls = lake.sound_tags(CALLS, part) or {}
    return digest([*_settings_id(settings), calls.get("scoring")])


def _settings_id(settings: Settings) -> tuple[str, str, str]:
    """What every shard is made from, beside its calls."""
    feature_set = get_feature_set(settings.features.set)
    return analysis_id(settings), feature_set.digest, settings.policy.digest()


def _chunks(jobs: Sequence[CallJob], n_processes: int) -> list[list[CallJob]]:
    """Jobs in the order given, few enough at a time for the memory and for every process."""
    most_calls = max(1, min(MOST_CHUNK_CALLS, len(jobs) // (2 * n_processes)))
    chunks: list[list[CallJob]] = []
    size = MOST_CHUNK_BYTES
    for job in jobs:
        if size + job.size_bytes > MOST_CHUNK_BYTES or len(chunks[-1]) >= most_calls:
            chunks.append([])
            size = 0
        chunks[-1].append(job)
        size += job.size_bytes
    return chunks


def _summary(outcomes: Sequence[CallOutcome]) -> AnalyseResult:
    core_s: Counter[str] = Counter()
    for outcome in outcomes:
        core_s.update(outcome.seconds)
    analyses = [outcome.analysis for outcome in outcomes if outcome.analysis is not None]
    return AnalyseResult(
        n_analysed=len(analyses),
        n_bad=len(outcomes) - len(analyses),
        audio_s=sum(analysis.duration_s for analysis in analyses),
        core_s=dict(core_s),
    )
