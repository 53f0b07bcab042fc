"""Rescore: another model's scores beside those that are there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from ser_batch.config import Settings
from ser_batch.errors import ModelError
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.models import usable
from ser_batch.scoring.registry import Registry
from ser_batch.stages.retention import open_shards, unscored_days
from ser_batch.stages.score import is_unscored, score
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import RECORDINGS


@dataclass(frozen=True)
class RescoreResult:
    """What was done.

    Attributes:
        model_id: the model that scored
        n_shards: scored in this run
        n_segments: of them
        n_current: shards that it had scored before
        past_retention: call dates that it cannot score, for what it would read is deleted
    """

    model_id: str
    n_shards: int
    n_segments: int
    n_current: int
    past_retention: tuple[dt.date, ...] = ()


def rescore(
    lake: Lake,
    settings: Settings,
    bundle: Bundle,
    *,
    since: dt.date | None = None,
    until: dt.date | None = None,
    on_shard: Callable[[int, int], None] = lambda _done, _total: None,
) -> RescoreResult:
    """Score calls of some days with a model; other models' scores stay. The root is held.

    Args:
        lake: the lake
        settings: all settings
        bundle: the model
        since: first call date, None from the beginning
        until: last call date, None to the end
        on_shard: called with how many shards are done, of how many
    """
    wanted = open_shards(lake, shards_between(lake, since, until))
    stale = [shard for shard in wanted if is_unscored(lake, shard, bundle.model_id, settings)]
    n_segments = 0
    for number, shard in enumerate(stale, start=1):
        n_segments += score(lake, shard, bundle, settings).n_scored
        on_shard(number, len(stale))
    closed = [
        day
        for day in unscored_days(lake, bundle.model_id)
        if (since or day) <= day <= (until or day)
    ]
    return RescoreResult(
        bundle.model_id, len(stale), n_segments, len(wanted) - len(stale), tuple(closed)
    )


def shards_between(lake: Lake, since: dt.date | None, until: dt.date | None) -> list[Part]:
    """Analysed shards with calls of some days."""
    return [
        part
        for part in lake.parts(RECORDINGS)
        if part.date is not None and (since or part.date) <= part.date <= (until or part.date)
    ]


def shadow_models(root: Root, settings: Settings) -> tuple[list[Bundle], list[str]]:
    """Challengers that score every night beside the champion.

    A shadow must never stop a night: one that is gone, was changed or reads another feature set
    is left out.

    Returns:
        the models, and the names of those that are left out
    """
    bundles, left_out = [], []
    for name in Registry(root.models).shadows():
        try:
            bundles.append(usable(root, settings, name))
        except ModelError:
            left_out.append(name)
    return bundles, left_out
