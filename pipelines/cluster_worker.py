"""What a worker of a Dask cluster must have, asked on the worker itself."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import ser_batch
from ser_batch.store.lock import holder_of
from ser_batch.store.paths import Root

API_ANSWER_S = 10.0
"""Until a Prefect server counts as not answering."""


@dataclass(frozen=True)
class WorkerNeeds:
    """What a worker must have to work on a night's shards.

    Attributes:
        version: of ser-batch
        root: that it reads and writes
        holder: what the run that holds the root wrote there
        folders: that it reads
        api: URL of the Prefect server
    """

    version: str
    root: Root
    holder: str
    folders: tuple[Path, ...]
    api: str

    def missing(self) -> str | None:
        """What this process lacks, None if nothing."""
        if ser_batch.__version__ != self.version:
            return f"has ser-batch {ser_batch.__version__}, this machine {self.version}"
        if multiprocessing.current_process().daemon:
            return "may start no processes: start it with DASK_DISTRIBUTED__WORKER__DAEMON=False"
        if holder_of(self.root) != self.holder:
            return f"does not share the root {self.root.path}"
        if not os.access(self.root.path, os.W_OK):
            return f"may not write to {self.root.path}"
        for folder in self.folders:
            if not os.access(folder, os.R_OK | os.X_OK):
                return f"cannot read {folder}"
        return _api_fault(self.api)


def _api_fault(url: str) -> str | None:
    import httpx
    from prefect.settings import PREFECT_API_URL

    if not PREFECT_API_URL.value():
        return f"has no Prefect server: start it with PREFECT_API_URL={url}"
    try:
        httpx.get(f"{url}/health", timeout=API_ANSWER_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"does not reach the Prefect server at {url} ({error})"
    return None
