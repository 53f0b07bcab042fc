"""Shards worked on by a Dask cluster, of which the driver keeps the rest of a night.

Workers share the root with the driver by a shared file system or an object store, and the
recordings by a file system. Each keeps its own inner processes, as `pipelines.engine` opens them.
"""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import ser_batch
from pipelines.cluster_errors import (
    NoSchedulerError,
    NoWorkersError,
    SchedulerGoneError,
    ShardKilledError,
    UnfitWorkerError,
)
from pipelines.cluster_worker import WorkerNeeds
from pipelines.context import PUBLISH_EVERY_S, Done, NightContext
from pipelines.logs import log
from ser_batch.errors import DependencyError
from ser_batch.scoring.choose import model_folder
from ser_batch.store.lock import holder_of
from ser_batch.store.snapshots import Content
from ser_batch.store.working_copy import working_copy

if TYPE_CHECKING:
    from prefect import State, Task
    from prefect_dask import DaskTaskRunner
    from prefect_dask.task_runners import PrefectDaskFuture
    from pydantic import SecretStr

    from pipelines.night import Night

Result = TypeVar("Result")

CONNECT_S = 20.0
"""Until a scheduler counts as not answering."""
FETCH_S = 30.0
"""Until a result that lay on a worker counts as gone with it; its task runs again."""
POLL_S = 0.1
COUNT_WORKERS_EVERY_S = 2.0


def require_cluster() -> None:
    """Make sure that a cluster can be used, before any work.

    Raises:
        DependencyError: if the extra is not installed
    """
    if any(importlib.util.find_spec(name) is None for name in ("prefect_dask", "distributed")):
        raise DependencyError("--engine dask needs Dask: pip install 'ser-batch[cluster]'")


@contextmanager
def open_cluster(night: Night, scheduler: str | None, *, n_threads: int) -> Iterator[Cluster]:
    """The cluster that works on a night's shards.

    Args:
        night: the opened night
        scheduler: address; None: one worker process on this machine, for this night
        n_threads: of that one worker

    Raises:
        DependencyError: if the extra is not installed
        ClusterError: if no worker can do the work
    """
    require_cluster()
    from prefect_dask import DaskTaskRunner

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if scheduler is None:
        key = night.settings.encryption.key
        with _own_cluster(n_threads, key) as own, DaskTaskRunner(cluster=own) as runner:
            yield Cluster(runner, own.scheduler_address, night)
        return
    client = {"timeout": CONNECT_S}
    with DaskTaskRunner(address=scheduler, client_kwargs=client) as runner:
        try:
            runner.client  # noqa: B018  connects
        except (OSError, ValueError) as error:
            raise NoSchedulerError(scheduler, str(error).splitlines()[0]) from error
        yield Cluster(runner, scheduler, night)


@contextmanager
def _own_cluster(n_threads: int, key: SecretStr | None) -> Iterator[Any]:
    import dask
    from distributed import LocalCluster
    from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_LEVEL

    as_here = {each.name: str(each.value()) for each in (PREFECT_API_URL, PREFECT_LOGGING_LEVEL)}
    if key is not None:
        as_here["SER_ENCRYPTION__KEY"] = key.get_secret_value()
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        LocalCluster(
            n_workers=1,
            threads_per_worker=n_threads,
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            env=as_here,
        ) as cluster,
    ):
        yield cluster


class Cluster:
    """A Dask cluster as a night uses it.

    Args:
        runner: connected to the scheduler
        address: of the scheduler
        night: whose shards it works on

    Raises:
        NoWorkersError: if no worker comes
        UnfitWorkerError: if a worker could not do the work
    """

    def __init__(self, runner: DaskTaskRunner, address: str, night: Night) -> None:
        self._runner = runner
        self._address = address
        self._engine = night.engine
        self._root = night.root
        self._wait_s = night.settings.run.worker_wait_s
        self._seen_at = self._counted_at = time.monotonic()
        if self._n_workers() == 0:
            log(
                f"no Dask worker is at {address} yet: waiting for {self._wait_s:g} s at most",
                level=logging.WARNING,
                event="no_workers",
            )
        while self._n_workers() == 0:
            self._check_some_left()
            time.sleep(POLL_S)
        self._check_each(night)

    def map(
        self, task: Task[..., Done[Result]], arguments: Iterable[tuple[Any, ...]]
    ) -> list[Done[Result]]:
        """A task for each of several sets of arguments, on the workers; results in their order.

        What they put into an object store is published every minute, and at the end.

        Raises:
            NoWorkersError: if no worker is left, and none comes
            SchedulerGoneError: if the scheduler forgot a task
            ShardKilledError: if a task kills every worker that tries it; the others are done
        """
        submitted = [_Submitted(self._runner, task, _sent(values)) for values in arguments]
        self._engine.display.bar(stage := _stage(task), len(submitted), "shards")
        waiting, self._seen_at = submitted, time.monotonic()
        stored: dict[str, Content | None] = {}
        with self._engine.busy.working():
            try:
                while waiting:
                    left = [each for each in waiting if not each.is_fetched()]
                    self._engine.display.advance(stage, len(waiting) - len(left))
                    for each in waiting:
                        stored |= each.stored()
                    self._publish(stored, every_s=PUBLISH_EVERY_S)
                    if waiting := left:
                        self._check_some_left()
                        time.sleep(POLL_S)
            finally:
                self._publish(stored)
        return [each.result(self._address) for each in submitted]

    def _publish(self, stored: dict[str, Content | None], *, every_s: float = 0.0) -> None:
        """Publish what workers that do not share the root have put into its store, and forget it.

        Each version lists all files of the root, so that one a shard would cost a night more than
        the shards do.
        """
        copy = working_copy(self._root.path)
        if stored and copy is not None and time.monotonic() - copy.pushed_at >= every_s:
            copy.push(stored=stored)
            stored.clear()

    def _check_some_left(self) -> None:
        now = time.monotonic()
        if now - self._counted_at < COUNT_WORKERS_EVERY_S:
            return
        self._counted_at = now
        if self._n_workers():
            self._seen_at = now
        elif now - self._seen_at > self._wait_s:
            raise NoWorkersError(self._address, self._wait_s)

    def _n_workers(self) -> int:
        """Workers at the scheduler; none if it does not answer."""
        try:
            return len(self._runner.client.scheduler_info()["workers"])
        except (OSError, RuntimeError):  # a closed client raises the latter
            return 0

    def _check_each(self, night: Night) -> None:
        """Ask each worker that is there whether it could do the work."""
        from prefect.settings import PREFECT_API_URL

        wanted = WorkerNeeds(
            version=ser_batch.__version__,
            root=night.root,
            holder=holder_of(night.root),
            remote=night.context.remote,
            folders=(*night.audio, model_folder(night.root, night.settings)),
            api=str(PREFECT_API_URL.value()),
        )
        answers = self._runner.client.run(wanted.missing, on_error="return")
        for worker, answer in answers.items():
            if isinstance(answer, Exception):
                raise UnfitWorkerError(worker, f"does not answer: {answer!r}") from answer
            if answer is not None:
                raise UnfitWorkerError(worker, answer)


class _Submitted(Generic[Result]):
    """One run of a task on the cluster."""

    def __init__(
        self, runner: DaskTaskRunner, task: Task[..., Done[Result]], values: tuple[Any, ...]
    ) -> None:
        from prefect.utilities.callables import get_call_parameters

        parameters = get_call_parameters(task.fn, values, {})
        self._name = str(task.task_run_name).format(**parameters)
        self._future: PrefectDaskFuture[Done[Result]] = runner.submit(task, parameters)
        self._state: State[Done[Result]] | None = None

    def is_fetched(self) -> bool:
        """Whether it ended and its result is here; one that was lost is computed again."""
        from distributed import CancelledError

        future = self._future.wrapped_future
        if future.status == "finished":
            with suppress(TimeoutError, CancelledError):
                self._state = future.result(timeout=FETCH_S)
        return self._state is not None or future.status in ("error", "cancelled")

    def stored(self) -> Mapping[str, Content | None]:
        """What the task put into the object store; nothing if it failed."""
        if self._state is None or not self._state.is_completed():
            return {}
        return self._state.result().stored

    def result(self, scheduler: str) -> Done[Result]:
        """What the task returned; what it raised is raised."""
        from distributed import KilledWorker

        if self._state is not None:
            return self._state.result()
        future = self._future.wrapped_future
        if future.status == "cancelled":
            raise SchedulerGoneError(scheduler)
        error = future.exception(timeout=FETCH_S)
        if not isinstance(error, KilledWorker):
            raise error
        raised = ShardKilledError(self._name, error.allowed_failures + 1, error.last_worker.address)
        self._state_crashed(str(raised))
        raise raised from error

    def _state_crashed(self, why: str) -> None:
        """End the task run in a state: its workers could not say that they died."""
        import httpx
        from prefect import get_client
        from prefect.exceptions import ObjectNotFound
        from prefect.states import Crashed

        # the server knows no run whose workers died before they told it
        with suppress(ObjectNotFound, httpx.HTTPError), get_client(sync_client=True) as client:
            client.set_task_run_state(self._future.task_run_id, Crashed(message=why), force=True)


def _sent(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        each.without_secrets() if isinstance(each, NightContext) else each for each in values
    )


def _stage(task: Task[..., Any]) -> str:
    return str(task.task_run_name).split()[0]
