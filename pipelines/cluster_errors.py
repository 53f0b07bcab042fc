"""What ends a night on a cluster."""

from __future__ import annotations

from ser_batch.errors import StopError


class ClusterError(StopError):
    """The cluster cannot work on a night."""

    code = "cluster"


class NoSchedulerError(ClusterError):
    """Nothing answers at the scheduler's address."""

    remedy = "Start it (`dask scheduler`), or correct --scheduler."

    def __init__(self, address: str, cause: str) -> None:
        super().__init__(f"no Dask scheduler answers at {address} ({cause})")


class NoWorkersError(ClusterError):
    """No worker is there, or none is left."""

    remedy = "Start workers (`ser-batch nightly --help` has the command); what was done is kept."

    def __init__(self, address: str, waited_s: float) -> None:
        super().__init__(f"no Dask worker was at {address} for {waited_s:g} s (run.worker_wait_s)")


class UnfitWorkerError(ClusterError):
    """A worker could not do the work."""

    remedy = "docs/cluster.md says what each worker needs."

    def __init__(self, worker: str, why: str) -> None:
        super().__init__(f"the Dask worker {worker} {why}")


class ShardKilledError(ClusterError):
    """A shard's task killed every worker that tried it."""

    remedy = "See the workers' logs; out of memory is the usual cause (run.workers, shard_calls)."

    def __init__(self, task: str, n_workers: int, last: str) -> None:
        super().__init__(f"{task}: {n_workers} Dask workers died on it, the last at {last}")


class SchedulerGoneError(ClusterError):
    """The scheduler forgot the work, or was restarted."""

    remedy = "Run the night again; what was done is kept."

    def __init__(self, address: str) -> None:
        super().__init__(f"the Dask scheduler at {address} was lost during the night")
