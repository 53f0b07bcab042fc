"""The loop through a real Prefect: labels in, a challenger out, a champion that scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from ser_batch import warehouse
from ser_batch.config import Settings
from ser_batch.errors import LockedError, TooFewLabelsError
from ser_batch.scoring.choose import model_id
from ser_batch.scoring.models import set_shadow
from ser_batch.scoring.registry import Registry
from ser_batch.store.lake import Lake
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root
from ser_batch.tables import predictions_contract
from ser_batch.testing.callers import put_callers
from tests.bundles import put_bundle
from tests.pipelines.conftest import Run
from tests.training.test_retrain import put_labels
from tests.training.test_words import put_words

pytestmark = pytest.mark.xdist_group("prefect")

LIMITS = {
    "label_weight": 1,
    "min_measured": 20,
    "min_measured_callers": 4,
    "max_brier_rise": 1,
    "max_slice_fall": 1,
}


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path / "root")


@pytest.fixture
def retrain(prefect_server: None, root: Root, monkeypatch: pytest.MonkeyPatch):
    """Run the flow: `retrain(promote=False, min_labels=4)`."""
    from pipelines.retrain import retrain as flow

    def run(*, promote: bool = True, **limits: object) -> dict[str, Any]:
        with monkeypatch.context() as patch:
            patch.setenv("SER_RUN__WORKERS", "1")
            for name, value in {**LIMITS, **limits}.items():
                patch.setenv(f"SER_RETRAIN__{name.upper()}", str(value))
            result: dict[str, Any] = flow(root=str(root.path), promote=promote, quiet=True)
            return result

    return run


def test_labels_make_a_champion_that_scores_and_again_nothing_new(
    root: Root, retrain, monkeypatch: pytest.MonkeyPatch
):
    truth = put_callers(root, n_callers=30)
    put_labels(root, truth)
    bundled = model_id(root, Settings())

    first = retrain(promote=False)
    assert not first["promoted"]
    assert "asked not to be promoted" in first["reasons"][-1]
    assert model_id(root, Settings()) == bundled

    put_words(root, truth, right=1)
    monkeypatch.setenv("SER_POLICY__TRANSCRIPTS", "true")
    second = retrain()
    assert "words" not in first
    assert second["words"].get("auc_fused", 0) > 0.9 or "reason" in second["words"]
    assert second["model_id"] == first["model_id"]  # the same inputs, the same model
    assert second["promoted"]
    assert second["comparison"]["low"] > 0
    assert model_id(root, Settings()) == second["model_id"]
    assert sum(second["labels"].values()) == second["n_labels"] >= 40
    events = [entry.event for entry in Registry(root.models).entries()]
    assert events == ["registered", "promoted"]
    json.dumps(second, allow_nan=False)


def test_too_few_labels_stop_the_flow_and_nothing_is_written(root: Root, retrain):
    truth = put_callers(root, n_callers=6)
    put_labels(root, dict(list(truth.items())[:5]))
    with pytest.raises(TooFewLabelsError, match="are needed"):
        retrain()
    assert not root.models.exists()


def test_a_running_night_is_not_disturbed(root: Root, retrain):
    put_callers(root, n_callers=3)
    with only_run(root), pytest.raises(LockedError):
        retrain()


def test_the_command_says_which_numbers_are_too_small(prefect_server: None, root: Root):
    from pipelines.commands.retrain import retrain as command

    put_callers(root, n_callers=3)
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, ["--root", str(root.path), "--json"])
    assert isinstance(done.exception, TooFewLabelsError)
    assert "0 callers" in str(done.exception)


def invoke(root: Root, name: str, *arguments: str) -> dict[str, Any]:
    from pipelines.commands import retrain as commands

    app = typer.Typer()
    app.command()(getattr(commands, name))
    done = CliRunner().invoke(app, [*arguments, "--root", str(root.path), "--json"])
    assert done.exit_code == 0, done.exception
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_night_scores_in_shadow_compares_days_and_another_model_can_score_them_later(
    run: Run, audio: Path, root: Root, lake: Lake, monkeypatch: pytest.MonkeyPatch
):
    made = [put_bundle(root.models / name, seed=seed) for seed, name in enumerate(("a", "b"))]
    set_shadow(root, Settings(), "a", on=True, who="ann", why=("to see",))

    night = run(audio, model__min_confidence=0.5)

    shadow = lake.read(predictions_contract(made[0].model_id))
    assert shadow.num_rows == night["counts"]["segments_scored"]
    assert night["counts"]["segments_scored_in_shadow"] == shadow.num_rows
    assert night["model_id"] != made[0].model_id
    with warehouse.connect(root.warehouse) as con:
        subjects = con.sql("select distinct subject, status from drift").fetchall()
        compared = "select distinct other_model_id from model_comparison order by 1"
        assert con.sql(compared).fetchall() == [(made[0].model_id,)]
    assert ("scores", "too few") in subjects  # four calls decide nothing
    assert night["drift"] == []
    assert invoke(root, "drift")["drift"]

    monkeypatch.setenv("SER_MODEL__MIN_CONFIDENCE", "0.5")
    result = invoke(root, "rescore", "--model", "b")
    assert (result["model_id"], result["n_segments"]) == (made[1].model_id, shadow.num_rows)
    with warehouse.connect(root.warehouse) as con:
        assert len(con.sql(compared).fetchall()) == 2
        shown = "select distinct model_id from segment_emotion"
        assert con.sql(shown).fetchall() == [(night["model_id"],)]
    assert invoke(root, "rescore", "--model", "b")["n_shards"] == 0
    assert run(audio, model__min_confidence=0.5)["counts"].get("segments_scored", 0) == 0
