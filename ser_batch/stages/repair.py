"""Repair: put right what verifying found, as far as anything here can."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ser_batch.analysis.describe import CallJob, CallOutcome
from ser_batch.analysis.workers import Workers
from ser_batch.config import Settings
from ser_batch.ingest.call_table import refresh_calls
from ser_batch.ingest.file_index import FileIndex
from ser_batch.ingest.line_index import LineIndex
from ser_batch.scoring.choose import load_model
from ser_batch.stages.analyse import analyse, is_stale
from ser_batch.stages.publish import publish
from ser_batch.stages.rescore import shadow_models
from ser_batch.stages.retention import open_shards
from ser_batch.stages.score import is_unscored, score
from ser_batch.stages.verify import Finding
from ser_batch.store.copies import discard_damaged, restore_copies
from ser_batch.store.encrypt import encrypt
from ser_batch.store.keys import is_encrypted
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS


@dataclass(frozen=True)
class Repaired:
    """What was done.

    Attributes:
        n_restored: files that were restored from their other copy
        n_shards: shards that were analysed again
        n_calls: recordings that were decoded for it
        n_lost: recordings of which rows are lost, for their file is gone
        n_scored: shards that were scored again, counted once for each model
        is_rebuilt: the warehouse was built again
    """

    n_restored: int
    n_shards: int
    n_calls: int
    n_lost: int
    n_scored: int
    is_rebuilt: bool


def repair(
    root: Root,
    settings: Settings,
    findings: Sequence[Finding],
    workers: Workers[CallJob, CallOutcome],
    *,
    now: dt.datetime,
    on_calls: Callable[[int], None] = lambda _count: None,
) -> Repaired:
    """Restore copies, make damaged parts again and build the warehouse; the root is held.

    Args:
        root: whose
        settings: all settings
        findings: of `verify`
        workers: processes that describe calls
        now: UTC
        on_calls: called with the number of calls that are done, as they are
    """
    lake = Lake(root.lake)
    if is_encrypted(root.path):
        encrypt(root, settings.encryption)
    n_restored = restore_copies(lake, deep=True)
    damaged = [finding for finding in findings if finding.action == "recompute"]
    for finding in damaged:
        if finding.shard is None:
            discard_damaged(lake, finding.path)
    n_shards = n_calls = n_lost = n_scored = 0
    if damaged:
        files, lines = FileIndex(lake, settings.ingest), LineIndex(lake, settings)
        refresh_calls(lake, files, lines, settings, now)
        shards = open_shards(lake, lake.parts(CALLS))
        for shard in shards:
            if is_stale(lake, shard, settings):
                done = analyse(lake, shard, settings, workers, now=now, on_calls=on_calls)
                n_shards, n_calls = n_shards + 1, n_calls + done.n_analysed
                n_lost += done.n_lost
        n_scored = _score(root, lake, shards, settings)
    is_rebuilt = False
    if root.warehouse.exists():
        is_rebuilt = publish(root, settings, load_model(root, settings).model_id).built
    return Repaired(n_restored, n_shards, n_calls, n_lost, n_scored, is_rebuilt)


def _score(root: Root, lake: Lake, shards: Sequence[Part], settings: Settings) -> int:
    """Scores of the champion and its shadows for what was recomputed; how many parts it wrote."""
    n_scored = 0
    for bundle in (load_model(root, settings), *shadow_models(root, settings)[0]):
        for shard in shards:
            if is_unscored(lake, shard, bundle.model_id, settings):
                score(lake, shard, bundle, settings)
                n_scored += 1
    return n_scored
