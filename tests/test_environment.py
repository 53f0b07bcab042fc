"""One module sets environment variables; what the user has set stays."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from ser_batch.environment import bypass_proxy, set_unless_given

CHECKOUT = Path(__file__).parents[1]
HOME = CHECKOUT / "ser_batch" / "environment.py"
READ_ONLY = {"get", "items", "keys", "copy"}


def changes_of(path: Path) -> list[int]:
    """Lines of a module on which `os.environ` is not only read."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parent = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("putenv", "unsetenv"):
            lines.append(node.lineno)
        if isinstance(node, ast.Attribute) and node.attr == "environ":
            use = parent[node]
            if isinstance(use, ast.Subscript) and not isinstance(use.ctx, ast.Load):
                lines.append(node.lineno)
            if isinstance(use, ast.Attribute) and use.attr not in READ_ONLY:
                lines.append(node.lineno)
    return lines


def test_only_one_module_changes_the_environment():
    modules = [
        path for name in ("ser_batch", "pipelines") for path in (CHECKOUT / name).rglob("*.py")
    ]
    assert [path for path in modules if changes_of(path)] == [HOME]


def test_what_is_set_stays_and_what_is_empty_does_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SER_TEST_GIVEN", "2")
    monkeypatch.setenv("SER_TEST_EMPTY", "")
    monkeypatch.setenv("SER_TEST_MISSING", "")
    monkeypatch.delenv("SER_TEST_MISSING")
    set_unless_given(dict.fromkeys(("SER_TEST_GIVEN", "SER_TEST_EMPTY", "SER_TEST_MISSING"), "1"))
    found = [os.environ[f"SER_TEST_{name}"] for name in ("GIVEN", "EMPTY", "MISSING")]
    assert found == ["2", "1", "1"]


def test_a_host_goes_past_the_proxy_beside_those_that_did(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("no_proxy", "example.org")
    monkeypatch.setenv("NO_PROXY", "")
    for _ in range(2):
        bypass_proxy("127.0.0.1")
    assert os.environ["no_proxy"] == "example.org,127.0.0.1"
    assert os.environ["NO_PROXY"] == "127.0.0.1"
