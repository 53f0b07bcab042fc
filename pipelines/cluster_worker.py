"""What a worker of a Dask cluster must have, asked on the worker itself."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import ser_batch
from pipelines.context import RemoteRoot
from ser_batch.errors import SerError
from ser_batch.files.inputs import is_remote, is_there, name_of
from ser_batch.store.lock import holder_of
from ser_batch.store.paths import Root

API_ANSWER_S = 10.0
"""Until a Prefect server counts as not answering."""
_NO_RECORDING = ".ser-batch"
"""A name that is asked for to see whether a folder of objects may be read."""


@dataclass(frozen=True)
class WorkerNeeds:
    """What a worker must have to work on a night's shards.

    Attributes:
        version: of ser-batch
        root: that it reads and writes
        holder: what the run that holds the root wrote there
        remote: the object store that holds the root, None if none does
        folders: that it reads
        api: URL of the Prefect server
    """

    version: str
    root: Root
    holder: str
    remote: RemoteRoot | None
    folders: tuple[Path, ...]
    api: str

    def missing(self) -> str | None:
        """What this process lacks, None if nothing."""
        if ser_batch.__version__ != self.version:
            return f"has ser-batch {ser_batch.__version__}, this machine {self.version}"
        if multiprocessing.current_process().daemon:
            return "may start no processes: start it with DASK_DISTRIBUTED__WORKER__DAEMON=False"
        is_elsewhere = self.remote is not None and self.remote.elsewhere() is not None
        if fault := _store_fault(self.remote) if is_elsewhere else _root_fault(self):
            return fault
        for folder in self.folders:
            if is_elsewhere and folder.is_relative_to(self.root.path):
                continue  # it is fetched
            if fault := _folder_fault(folder):
                return fault
        return _api_fault(self.api)


def _root_fault(needs: WorkerNeeds) -> str | None:
    if holder_of(needs.root) != needs.holder:
        return f"does not share the root {needs.root.path}"
    if not os.access(needs.root.path, os.W_OK):
        return f"may not write to {needs.root.path}"
    return None


def _store_fault(remote: RemoteRoot | None) -> str | None:
    copy = remote.elsewhere() if remote else None
    try:
        if remote and copy and copy.snapshots.newest().epoch != remote.epoch:
            return f"does not see this run at {remote.address}"
    except SerError as error:
        return f"cannot use the object store: {error.one_line()}"
    return None


def _folder_fault(folder: Path) -> str | None:
    if not is_remote(folder):
        return None if os.access(folder, os.R_OK | os.X_OK) else f"cannot read {folder}"
    try:
        is_there(folder / _NO_RECORDING)  # who may not read is refused, whether it is there or not
    except SerError as error:
        return f"cannot read {name_of(folder)}: {error.one_line()}"
    return None


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
