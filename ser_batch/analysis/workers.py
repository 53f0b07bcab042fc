"""Processes that share the work of a shard, and survive a file that kills one of them."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import Generic, TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ser_batch.environment import ONE_THREAD, set_unless_given
from ser_batch.memory import keep_freed_memory
from ser_batch.resources import add_encoders, encoder_folders

Job = TypeVar("Job")
Result = TypeVar("Result")


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers(Generic[Job, Result]):
    """A pool of processes, one thread each, that is restarted when one of them dies.

    Args:
        function: what a process does with a chunk of jobs; must be importable by name
        died: the result of a job that kills the process which tries it
        n_processes: how many processes; 0: one a core
    """

    def __init__(
        self,
        function: Callable[[Sequence[Job]], list[Result]],
        died: Callable[[Job], Result],
        n_processes: int = 0,
    ) -> None:
        self.n_processes = n_processes or n_cores()
        self._function = function
        self._died = died
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Workers[Job, Result]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=kind is None, cancel_futures=True)
                self._pool = None

    def map(self, chunks: Sequence[Sequence[Job]]) -> Iterator[list[Result]]:
        """Results of each chunk, in the order in which they are ready.

        May be called from several threads at once. A chunk on which a process died is tried again
        job by job, each in a process of its own, so that only the guilty job is lost.
        """
        suspects: list[Sequence[Job]] = []
        futures: dict[Future[list[Result]], Sequence[Job]] = {}
        pool = self._running()
        for chunk in chunks:
            try:
                futures[pool.submit(self._function, chunk)] = chunk
            except BrokenProcessPool:
                suspects.append(chunk)
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                suspects.append(futures[future])
        if suspects:
            self._discard(pool)
        for chunk in suspects:
            yield [self._alone(job) for job in chunk]

    def _alone(self, job: Job) -> Result:
        with _make_pool(1) as pool:
            try:
                return pool.submit(self._function, [job]).result()[0]
            except BrokenProcessPool:
                return self._died(job)

    def _running(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = _make_pool(self.n_processes)
            return self._pool

    def _discard(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is broken:
                self._pool = None
        broken.shutdown(wait=False)


def _make_pool(n_processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        n_processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(encoder_folders(),),
    )


def _begin(encoders: Sequence[Path]) -> None:
    """In a new process: one thread, Ctrl-C left to the parent, an end with it even if killed."""
    set_unless_given(ONE_THREAD)
    threadpool_limits(1)  # of libraries that the main module has imported already
    keep_freed_memory()
    for folder in reversed(encoders):
        add_encoders(folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
