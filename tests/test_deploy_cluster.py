"""Units and pods of a cluster: programs, options, variables and names that exist."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from ser_batch.config import Settings
from tests.test_deploy import CLUSTER, parses

FILES = {file.name: file.read_text(encoding="utf-8") for file in CLUSTER.iterdir()}
KUBERNETES = FILES["kubernetes.yaml"]
OBJECTS = list(yaml.safe_load_all(KUBERNETES))
STARTS = re.compile(r"^ExecStart=/opt/ser-batch/bin/(.+)$", re.MULTILINE)


def objects(*kinds: str) -> list[dict[str, Any]]:
    return [each for each in OBJECTS if each["kind"] in kinds]


def names(*kinds: str) -> set[str]:
    return {each["metadata"]["name"] for each in objects(*kinds)}


def pods() -> list[dict[str, Any]]:
    """Templates of pods."""
    jobs = [each["spec"]["jobTemplate"] for each in objects("CronJob")]
    owners = [*objects("Deployment", "StatefulSet"), *jobs]
    return [each["spec"]["template"] for each in owners]


def commands(program: str) -> list[list[str]]:
    """Arguments of a program wherever a unit or a pod starts it."""
    of_units = [start.split() for text in FILES.values() for start in STARTS.findall(text)]
    of_pods = [each.get("command") for pod in pods() for each in pod["spec"]["containers"]]
    found = [words[1:] for words in [*of_units, *filter(None, of_pods)] if words[0] == program]
    assert found, program
    return found


def options(words: list[str]) -> set[str]:
    return {word for word in words if word.startswith("--")}


def test_nights_are_started_with_options_that_they_have():
    assert all(parses(*words) for words in commands("ser-batch"))


@pytest.mark.slow
def test_the_prefect_server_is_started_with_options_that_it_has():
    command = [sys.executable, "-m", "prefect", "server", "start", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for words in commands("prefect"):
        assert words[:2] == ["server", "start"]
        assert options(words) <= options(text.split())


@pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="pip install 'ser-batch[cluster]'"
)
def test_dask_is_started_with_options_that_it_has():
    for kind, *words in commands("dask"):
        cli = importlib.import_module(f"distributed.cli.dask_{kind}")
        known = {
            name for option in cli.main.params for name in (*option.opts, *option.secondary_opts)
        }
        assert options(words) <= known


def test_variables_are_settings():
    from prefect.settings import Settings as PrefectSettings
    from prefect.settings.legacy import _get_settings_fields

    found = set(re.findall(r"\b((?:SER|PREFECT)_[A-Z_]+)\b", "\n".join(FILES.values())))
    of_prefect = {name for name in found if name.startswith("PREFECT_")}
    assert of_prefect <= set(_get_settings_fields(PrefectSettings))
    settings = Settings()
    for name in found - of_prefect - {"SER_ROOT"}:
        section, field = name.removeprefix("SER_").lower().split("__")
        assert field in type(getattr(settings, section)).model_fields


def test_pods_find_the_claims_secrets_and_variables_that_they_name():
    head = KUBERNETES[: KUBERNETES.index("apiVersion")]
    made_before = re.findall(r"(?:secret generic |a claim `)([\w-]+)", head)
    named = re.findall(
        r"(?:MapRef|KeyRef|secretRef): {name: ([\w-]+)|claimName: ([\w-]+)", KUBERNETES
    )
    assert {name for pair in named for name in pair if name} == {
        *made_before,
        *names("ConfigMap", "PersistentVolumeClaim"),
    }


def test_pods_find_each_other():
    services = {each["metadata"]["name"]: each["spec"] for each in objects("Service")}
    for service in services.values():
        [pod] = [each for each in pods() if each["metadata"]["labels"] == service["selector"]]
        [container] = pod["spec"]["containers"]
        assert [each["containerPort"] for each in container["ports"]] == [
            each["port"] for each in service["ports"]
        ]
    reached = set(re.findall(r"[/@](ser-batch-[\w-]+):(\d+)", KUBERNETES))
    assert {host for host, _ in reached} == set(services)
    for host, port in reached:
        assert [each["port"] for each in services[host]["ports"]] == [int(port)]


def test_controllers_select_their_own_pods():
    for each in objects("Deployment", "StatefulSet"):
        selected = each["spec"]["selector"]["matchLabels"]
        assert selected == each["spec"]["template"]["metadata"]["labels"]
