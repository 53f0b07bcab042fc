"""What Prefect shows of a night: its name, its summary, how it ended; and what is tried again."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prefect import Task, get_client
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, FlowRunPolicy, State, StateType, TaskRun
from prefect.context import FlowRunContext
from prefect.states import Completed, Crashed

from pipelines.context import RemoteRoot
from pipelines.night import outcome
from ser_batch.errors import LockedError, SerError
from ser_batch.store.paths import Root

ARTIFACT_KEY = "ser-batch-night"


def is_passing(error: BaseException) -> bool:
    """Whether the same run may succeed later: a fault of the system, or a root that is held."""
    if isinstance(error, SerError):
        return isinstance(error, LockedError)
    return isinstance(error, OSError | MemoryError)


def is_transient(_task: Task[Any, Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task is tried again."""
    try:
        state.result()
    except Exception as error:
        return is_passing(error)
    return False


@contextmanager
def permanent_errors_end_it() -> Iterator[None]:
    """Take the remaining retries from a flow run that fails by what a retry cannot change."""
    try:
        yield
    except Exception as error:
        if (run := _flow_run()).empirical_policy.retries and not is_passing(error):
            with get_client(sync_client=True) as client:
                client.update_flow_run(run.id, empirical_policy=FlowRunPolicy(retries=0))
        raise


def hold(root: Root) -> None:
    """Tag the flow run with the root that it holds; earlier runs that never ended have crashed.

    Prefect shows a run whose program was killed as running until somebody says otherwise.
    """
    run, tag = _flow_run(), root_tag(root)
    died: State[Any] = Crashed(message="its program ended before it did")
    filters = {"tags": {"all_": [tag]}, "state": {"type": {"any_": [StateType.RUNNING]}}}
    with get_client(sync_client=True) as client:
        earlier = client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(filters))
        client.update_flow_run(run.id, tags=[*run.tags, tag])
        for other in earlier:
            if other.id != run.id:  # this one, tried again
                client.set_flow_run_state(other.id, died, force=True)


def root_tag(root: Root) -> str:
    """What flow runs that hold a root are tagged with."""
    remote = RemoteRoot.of(root)
    place = remote.address if remote else f"{socket.gethostname()}:{root.path.resolve()}"
    return f"root {place}"


def name_by_dates(dates: Collection[dt.date]) -> None:
    """Name the flow run by the call dates that it computes."""
    days = sorted({f"{date:%Y-%m-%d}" for date in dates})
    what = " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "nothing new"
    with get_client(sync_client=True) as client:
        client.update_flow_run(_flow_run().id, name=f"nightly {what}")


def publish_summary(night: Mapping[str, Any]) -> None:
    """Keep a night's summary as the one artifact of its flow run."""
    create_markdown_artifact(
        markdown=summary_markdown(night),
        key=ARTIFACT_KEY,
        description=f"Night {night['run_id']}: {night['status']}",
    )


def final_state(night: dict[str, Any]) -> State[dict[str, Any]] | dict[str, Any]:
    """How Prefect shows a night's end: `Completed` only if it is clean, else `Partial`."""
    if night["status"] == "clean":
        return night
    return Completed(name=night["status"].capitalize(), message=outcome(night), data=night)


def summary_markdown(night: Mapping[str, Any]) -> str:
    """A night's counts, times and places as Markdown."""
    counts = {name.replace("_", " "): count for name, count in night["counts"].items() if count}
    rejected = {f"rejected: {code}": count for code, count in night["rejected"].items()}
    not_scored = {
        f"not scored: {row['meaning']}": row["count_calls"] for row in night["not_scored"]
    }
    seconds = {name: f"{value:.1f} s" for name, value in night["stage_s"].items()}
    lines = [
        f"# Night {night['run_id']}: {night['status']}",
        f"{outcome(night)}.",
        *(f"**{text}**" for text in [night["completeness"]["remedy"]] if text),
        _table("count", counts | rejected | not_scored),
        _table("stage", {**seconds, "audio": f"{night['audio_s'] / 3600:.2f} h"}),
        *(f"- drift in {row['subject']}, {row['name']}: {row['advice']}" for row in night["drift"]),
        f"Report: `{night['report']}`",
        f"Warehouse: `{night['warehouse']}`",
        f"Model: `{night['model_id']}`",
    ]
    return "\n\n".join(lines) + "\n"


def _table(title: str, rows: Mapping[str, object]) -> str:
    body = [f"| {name} | {value} |".replace("\n", " ") for name, value in rows.items()]
    return "\n".join([f"| {title} | |", "|---|---:|", *body])


def _flow_run() -> FlowRun:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("called outside a flow run")
    return context.flow_run
