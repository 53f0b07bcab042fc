"""The night as a Prefect flow: one task a step, one a shard of calls where a step has shards.

What the steps are stands in `pipelines.steps`. A passing fault is tried again a shard at a time;
processes inside a task share its work.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from prefect import State, Task, flow
from prefect.cache_policies import NO_CACHE
from prefect.futures import wait
from prefect.task_runners import ThreadPoolTaskRunner

from pipelines import steps
from pipelines.cluster import Cluster, open_cluster
from pipelines.flow_run import (
    final_state,
    hold,
    is_transient,
    name_by_dates,
    permanent_errors_end_it,
    publish_summary,
)
from pipelines.night import Night, open_night
from ser_batch.config import Settings

Result = TypeVar("Result")
Engine = Literal["threads", "dask"]

SHARDS_AT_ONCE = 2
"""While the last calls of one shard are worked on, the next one fills the other processes."""

TASK_NAMES: dict[Callable[..., Any], str] = {
    steps.ingest_files: "ingest",
    steps.delete_expired: "retention",
    steps.analyse_shard: "analyse {shard.date} {shard.name}",
    steps.keep_words: "transcripts",
    steps.score_shard: "score {shard.date} {shard.name} by {model_id}",
    steps.compare_days: "drift",
    steps.publish_warehouse: "publish",
    steps.report_page: "report",
}
TASKS = {
    step: Task(step, cache_policy=NO_CACHE, task_run_name=name) for step, name in TASK_NAMES.items()
}


class PrefectRunner:
    """Steps as tasks of the flow that runs.

    Args:
        settings: how often a shard is tried again
        cluster: that works on the shards; None: threads of this process
    """

    def __init__(self, settings: Settings, cluster: Cluster | None = None) -> None:
        self._settings = settings
        self._cluster = cluster

    def run(self, step: Callable[..., Result], *arguments: Any) -> Result:
        """One task."""
        return cast(Result, TASKS[step](*arguments))

    def map(
        self, step: Callable[..., Result], arguments: Iterable[tuple[Any, ...]]
    ) -> list[Result]:
        """Tasks side by side, each tried again after a passing fault."""
        tried_again = TASKS[step].with_options(
            retries=self._settings.run.retries,
            retry_delay_seconds=self._settings.run.retry_delay_s,
            retry_condition_fn=is_transient,
        )
        if self._cluster is not None:
            return cast(list[Result], self._cluster.map(tried_again, arguments))
        futures = [tried_again.submit(*values) for values in arguments]
        wait(futures)
        return [future.result() for future in futures]

    def name_run(self, dates: Collection[dt.date]) -> None:
        """The flow run's name."""
        name_by_dates(dates)


@flow(
    name="nightly",
    persist_result=False,  # Prefect would pickle it
    task_runner=ThreadPoolTaskRunner(max_workers=SHARDS_AT_ONCE),  # type: ignore[arg-type]
)
def nightly(
    audio: list[str] | None = None,
    metadata: list[str] | None = None,
    root: str = "data",
    settings_file: str | None = None,
    quiet: bool = False,
    engine: Engine = "threads",
    scheduler: str | None = None,
) -> State[dict[str, Any]] | dict[str, Any]:
    """Take in folders of recordings and publish what they say of customers' dissatisfaction.

    Args:
        audio: folders of recordings, or addresses; else those of the setting ingest.audio
        metadata: metadata files
        root: folder under which lake, warehouse, reports and models lie
        settings_file: TOML; else `ser-batch.toml` in the root or the current folder
        quiet: no progress bars
        engine: who works on the shards: threads and processes of this machine, or a Dask cluster
        scheduler: address of the cluster's scheduler; None: a cluster on this machine

    Returns:
        what was done, as `ser-batch nightly --json` prints it
    """
    files = [Path(file) for file in metadata or []]
    with (
        permanent_errors_end_it(),
        open_night(audio or [], files, Path(root), settings_file, quiet=quiet) as night,
        _cluster(night, engine, scheduler) as cluster,
    ):
        hold(night.root)
        summary = steps.run_night(night, PrefectRunner(night.settings, cluster))
        publish_summary(summary)
        return final_state(summary)


def _cluster(
    night: Night, engine: Engine, scheduler: str | None
) -> AbstractContextManager[Cluster | None]:
    if engine == "threads":
        return nullcontext()
    return open_cluster(night, scheduler, n_threads=SHARDS_AT_ONCE)
