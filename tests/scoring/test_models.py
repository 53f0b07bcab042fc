from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.commands.models import models_app
from ser_batch.config import Settings
from ser_batch.errors import BundleError, LockedError, ModelError
from ser_batch.scoring.choose import find_bundle, model_folder, model_id
from ser_batch.scoring.manifest import read_manifest
from ser_batch.scoring.models import known_models, promote, roll_back, set_shadow
from ser_batch.scoring.registry import Registry
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root
from tests.bundles import put_bundle

BY_ANN = {"who": "ann", "why": ("to test",)}


@pytest.fixture
def root(tmp_path: Path) -> Root:
    root = Root(tmp_path / "root")
    for seed, name in enumerate(("first", "second")):
        put_bundle(root.models / name, seed=seed)
    return root


def bundled_id(root: Root) -> str:
    return model_id(root, Settings(model={"name": "bundled"}))


def test_the_bundled_model_scores_until_one_is_promoted(root: Root):
    assert model_id(root, Settings()) == bundled_id(root)
    promote(root, Settings(), "first", **BY_ANN)
    assert model_id(root, Settings()) == read_manifest(root.models / "first").model_id
    assert model_id(root, Settings(model={"name": "bundled"})) == bundled_id(root)


def test_a_model_is_found_by_every_name_that_commands_print(root: Root):
    first = root.models / "first"
    for name in ("first", read_manifest(first).model_id, str(first)):
        assert find_bundle(root, name) == first
    assert read_manifest(find_bundle(root, bundled_id(root))).model_id == bundled_id(root)
    assert read_manifest(find_bundle(root, "bundled")).model_id == bundled_id(root)
    with pytest.raises(ModelError, match=r"no model 'frist'.*models list"):
        find_bundle(root, "frist")


def test_rolling_back_leads_to_the_champion_before(root: Root):
    for name in ("first", "second"):
        promote(root, Settings(), name, **BY_ANN)
    roll_back(root, Settings(), **BY_ANN)
    assert model_folder(root, Settings()) == root.models / "first"
    roll_back(root, Settings(), **BY_ANN)
    assert model_id(root, Settings()) == bundled_id(root)


def test_the_bundled_model_can_be_promoted(root: Root):
    for name in ("first", "bundled"):
        promote(root, Settings(), name, **BY_ANN)
    assert model_id(root, Settings()) == bundled_id(root)


def test_the_champion_is_not_promoted_again(root: Root):
    with pytest.raises(ModelError, match="champion already"):
        promote(root, Settings(), "bundled", **BY_ANN)
    for name in ("first", "second"):
        promote(root, Settings(), name, **BY_ANN)
    with pytest.raises(ModelError, match="champion already"):
        promote(root, Settings(), "second", **BY_ANN)
    roll_back(root, Settings(), **BY_ANN)
    assert model_folder(root, Settings()) == root.models / "first"


def test_a_champion_that_was_changed_or_deleted_is_said_not_replaced_in_silence(root: Root):
    promote(root, Settings(), "first", **BY_ANN)
    put_bundle(root.models / "first", seed=7)
    with pytest.raises(ModelError, match="not the model any more that was promoted"):
        model_id(root, Settings())
    for file in (root.models / "first").iterdir():
        file.unlink()
    with pytest.raises(BundleError):
        model_id(root, Settings())


@pytest.mark.parametrize("name", ["nothing", "../first", "", "."])
def test_only_models_of_the_root_can_be_promoted(root: Root, name: str):
    with pytest.raises(ModelError):
        promote(root, Settings(), name, **BY_ANN)
    assert Registry(root.models).entries() == []


def test_a_model_of_another_feature_set_is_not_promoted(root: Root):
    put_bundle(root.models / "wide", feature_set="descriptors_v1_wide")
    with pytest.raises(ModelError, match="descriptors_v1_wide"):
        promote(root, Settings(), "wide", **BY_ANN)


def test_the_list_says_who_scores_and_who_scores_along(root: Root):
    promote(root, Settings(), "first", **BY_ANN)
    set_shadow(root, Settings(), "second", on=True, **BY_ANN)
    status = {model.folder: model.status for model in known_models(root, Settings())}
    assert status == {"first": "champion", "second": "shadow", "bundled": "challenger"}
    with pytest.raises(ModelError, match="champion"):
        set_shadow(root, Settings(), "first", on=True, **BY_ANN)


def test_commands_promote_and_roll_back_with_a_log(root: Root):
    def run(*arguments: str) -> dict:
        done = CliRunner().invoke(models_app, [*arguments, "--root", str(root.path), "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    run("promote", "first", "--why", "better")
    run("rollback", "--why", "worse")
    log = run("log")["log"]
    assert [(line["event"], line["why"]) for line in log] == [
        ("promoted", ["better"]),
        ("rolled_back", ["worse"]),
    ]
    assert all(line["who"] for line in log)
    assert run("list")["models"][0]["folder"] == "bundled"


@pytest.mark.parametrize("command", ["promote", "shadow"])
def test_the_registry_is_not_changed_under_a_running_night(root: Root, command: str):
    with only_run(root):
        done = CliRunner().invoke(
            models_app, [command, "first", "--why", "now", "--root", str(root.path)]
        )
    assert isinstance(done.exception, LockedError)
    assert Registry(root.models).entries() == []
