"""What Prefect's server shows of a night."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ser_batch.errors import LockedError
from ser_batch.errors.run import NoFolderError
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.store.lake import Lake
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS
from tests.pipelines.conftest import Run

pytestmark = pytest.mark.xdist_group("prefect")


def newest_run() -> Any:
    from prefect import get_client
    from prefect.client.schemas.sorting import FlowRunSort

    with get_client(sync_client=True) as client:
        [run] = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)
    return run


def running_run(tags: list[str]) -> Any:
    """A night whose program was killed, as the server knows it."""
    from prefect import get_client
    from prefect.states import Running

    from pipelines.nightly import nightly

    with get_client(sync_client=True) as client:
        return client.create_flow_run(nightly, tags=tags, state=Running()).id


def state_of(flow_run_id: Any) -> str:
    from prefect import get_client

    with get_client(sync_client=True) as client:
        return str(client.read_flow_run(flow_run_id).state_name)


def artifacts(flow_run_id: Any) -> list[Any]:
    from prefect import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    with get_client(sync_client=True) as client:
        found: list[Any] = client.read_artifacts(
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
        )
    return found


def test_a_night_is_named_by_its_call_dates_and_summed_up_in_one_artifact(
    run_flow: Run, audio: Path, demo_calls: DemoCalls, lake: Lake
) -> None:
    (audio / "letter.wav").write_text("Dear customer,")
    summary = run_flow(audio, demo_calls.metadata_path)

    shown = newest_run()
    dates = sorted(str(part.date) for part in lake.parts(CALLS))
    assert (shown.state_type.value, shown.state_name) == ("COMPLETED", "Partial")
    assert "1 rejected file (1 not_audio)" in shown.state.message
    [artifact] = artifacts(shown.id)
    assert summary["report"] in artifact.data
    assert f"| calls analysed | {demo_calls.n_calls} |" in artifact.data
    assert "| rejected: not_audio | 1 |" in artifact.data
    assert shown.name == f"nightly {' to '.join(dict.fromkeys((dates[0], dates[-1])))}"

    (audio / "letter.wav").unlink()
    killed, elsewhere = (running_run(tags) for tags in (shown.tags, ["root other:/data"]))
    run_flow(audio, demo_calls.metadata_path)
    shown = newest_run()
    assert (shown.state_name, shown.name) == ("Completed", "nightly nothing new")
    assert [state_of(run) for run in (killed, elsewhere)] == ["Crashed", "Running"]


def test_what_a_retry_cannot_change_is_not_tried_again(
    prefect_server: None, tmp_path: Path
) -> None:
    from pipelines.nightly import nightly

    patient = nightly.with_options(retries=2, retry_delay_seconds=0)
    with pytest.raises(NoFolderError):
        patient(audio=[str(tmp_path / "none")], root=str(tmp_path / "root"), quiet=True)
    shown = newest_run()
    assert (shown.state_name, shown.run_count) == ("Failed", 1)

    with only_run(Root(tmp_path / "root")), pytest.raises(LockedError):
        patient(audio=[str(tmp_path)], root=str(tmp_path / "root"), quiet=True)
    assert newest_run().run_count == 3, "a root that is held may be free in a moment"
