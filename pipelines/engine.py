"""What a process keeps for the tasks that it runs: worker processes, progress bars, the busy clock.

Tasks receive small values that can be pickled: a root, a shard, the settings. What cannot travel is
opened here, once a process. The process that runs the flow opens it for the run; a process that is
handed a single task opens its own, without progress bars, and keeps it until it ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from multiprocessing.util import Finalize
from pathlib import Path

from pydantic import SecretStr

from pipelines.display import Display
from ser_batch.analysis.describe import CallJob, CallOutcome, describe_calls, worker_crash_outcome
from ser_batch.analysis.workers import Workers
from ser_batch.config import EncryptionSettings, Settings
from ser_batch.errors import ModelError
from ser_batch.monitoring.busy import BusyClock
from ser_batch.scoring.bundle import Bundle
from ser_batch.store.caches import use_root
from ser_batch.store.keys import use_settings
from ser_batch.store.paths import Root
from ser_batch.store.permissions import follow_root

CallWorkers = Workers[CallJob, CallOutcome]


class Engine:
    """Live objects of one process.

    Args:
        workers: processes that describe calls
        display: progress bars
    """

    def __init__(self, workers: CallWorkers, display: Display) -> None:
        self.display = display
        self.busy = BusyClock()
        self.workers = workers


class _Opened:
    """The engine of this process, if there is one."""

    engine: Engine | None = None
    lock = threading.Lock()


@contextmanager
def open_engine(settings: Settings, *, quiet: bool) -> Iterator[Engine]:
    """The engine of this process for one run.

    Its worker processes end with the run; inside another open engine with as many workers, the run
    takes those.
    """
    before, workers = _Opened.engine, make_workers(settings)
    if before is not None and before.workers.n_processes == workers.n_processes:
        workers = before.workers
    with Display(quiet=quiet) as display, ExitStack() as stack:
        if before is None or workers is not before.workers:
            stack.enter_context(workers)
        _Opened.engine = Engine(workers, display)
        try:
            yield _Opened.engine
        finally:
            _Opened.engine = before


def engine_of(root: Root, settings: Settings) -> Engine:
    """The engine of this process; one of its own where no run has opened one."""
    use_settings(root, with_own_key(settings.encryption))
    with _Opened.lock:
        if _Opened.engine is None:
            use_root(root)
            follow_root(root)
            engine = Engine(make_workers(settings), Display(quiet=True))
            # before the process closes its queues and waits for its children: `atexit` comes later
            Finalize(None, engine.workers.__exit__, (None, None, None), exitpriority=100)
            _Opened.engine = engine
        return _Opened.engine


def with_own_key(settings: EncryptionSettings) -> EncryptionSettings:
    """Settings with the key that this process's environment holds, if they came without one."""
    if settings.key is None and (key := os.environ.get("SER_ENCRYPTION__KEY")):
        return settings.model_copy(update={"key": SecretStr(key)})
    return settings


def make_workers(settings: Settings) -> CallWorkers:
    """As many processes as the settings say; each starts when it has work."""
    return Workers(describe_calls, worker_crash_outcome, settings.run.workers)


@lru_cache(maxsize=4)
def load_bundle(folder: Path, model_id: str) -> Bundle:
    """A model, read once a process.

    Args:
        folder: of its bundle
        model_id: the model that must lie there

    Raises:
        BundleError: if its files do not fit
        ModelError: if another model lies in the folder
    """
    bundle = Bundle.load(folder)
    if bundle.model_id != model_id:
        raise ModelError(f"{folder} holds {bundle.model_id}, expected {model_id}")
    return bundle
