from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ser_batch.errors import ModelError, StateFileError
from ser_batch.scoring.registry import BUNDLED, Registry

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def promote(registry: Registry, *names: str) -> None:
    for name in names:
        registry.add("promoted", f"{name}-id", name, who="ann", why=["better"])


def test_nothing_promoted_means_no_champion(registry: Registry):
    assert registry.champion() is None
    with pytest.raises(ModelError, match="nothing to roll back"):
        registry.before()


def test_the_model_promoted_last_is_the_champion(registry: Registry):
    promote(registry, "a", "b")
    champion = registry.champion()
    assert (champion.folder, champion.who, champion.why) == ("b", "ann", ("better",))
    assert champion.at.endswith("+00:00")


def test_rolling_back_twice_leads_to_the_bundled_model(registry: Registry):
    promote(registry, "a", "b")
    assert registry.before() == "a"
    registry.add("rolled_back", "a-id", "a", who="ann", why=["worse"])
    assert registry.champion().folder == "a"
    assert registry.before() == BUNDLED
    registry.add("rolled_back", "x", BUNDLED, who="ann", why=["worse"])
    assert registry.champion() is None


def test_a_rolled_back_model_can_be_promoted_again(registry: Registry):
    promote(registry, "a", "b")
    registry.add("rolled_back", "a-id", "a", who="ann", why=["worse"])
    promote(registry, "b")
    assert (registry.champion().folder, registry.before()) == ("b", "a")


def test_a_model_promoted_twice_in_a_row_is_rolled_back_to_the_last_different_one(
    registry: Registry,
):
    promote(registry, "a", "b", "b")
    assert registry.before() == "a"
    registry.add("rolled_back", "a-id", "a", who="ann", why=["worse"])
    assert (registry.champion().folder, registry.before()) == ("a", BUNDLED)


def test_the_bundled_model_alone_has_nothing_before_it(registry: Registry):
    promote(registry, BUNDLED)
    with pytest.raises(ModelError, match="nothing to roll back"):
        registry.before()
    promote(registry, "a")
    assert registry.before() == BUNDLED


def test_every_line_stays(registry: Registry):
    promote(registry, "a")
    before = registry.path.read_text(encoding="utf-8")
    registry.add("refused", "b-id", "b", who="retrain", why=["not better"], figures={"low": -0.1})
    assert registry.path.read_text(encoding="utf-8").startswith(before)
    assert registry.entries()[1].figures == {"low": -0.1}
    assert registry.champion().folder == "a"


def test_a_line_cut_short_by_a_kill_never_counted_and_does_no_harm(registry: Registry):
    promote(registry, "a")
    with registry.path.open("a", encoding="utf-8") as file:
        file.write('{"event": "promoted", "model_id": "b-id", "fol')
    assert registry.champion().folder == "a"
    promote(registry, "c")
    assert [entry.folder for entry in registry.entries()] == ["a", "c"]


def test_a_log_that_was_changed_by_hand_is_not_guessed_at(registry: Registry):
    promote(registry, "a")
    with registry.path.open("a", encoding="utf-8") as file:
        file.write("promote b please\n")
    with pytest.raises(StateFileError, match="line 2"):
        registry.champion()


def test_programs_that_promote_at_once_lose_no_promotion(registry: Registry):
    code = (
        "import sys; from pathlib import Path; from ser_batch.scoring.registry import Registry\n"
        "for n in range(20): Registry(Path(sys.argv[1])).add('promoted', f'{sys.argv[2]}-{n}', "
        "sys.argv[2], who='ann', why=['better'])"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(registry.path.parent), name],
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )
        for name in "abc"
    ]
    assert [process.wait() for process in processes] == [0, 0, 0]
    ids = [entry.model_id for entry in registry.entries()]
    assert sorted(ids) == sorted(f"{name}-{n}" for name in "abc" for n in range(20))


def test_a_registry_that_is_not_utf_8_is_one_line_with_a_remedy(registry: Registry):
    promote(registry, "a", "b")
    registry.path.write_bytes(registry.path.read_bytes().replace(b"better", b"b\xe9tter", 1))
    with pytest.raises(StateFileError, match="line 1 is no JSON object in UTF-8") as error:
        registry.champion()
    assert "restore it from a backup" in error.value.one_line()


def test_a_shadow_scores_until_it_is_let_be_or_promoted(registry: Registry):
    for name in ("a", "b", "c"):
        registry.add("shadow_on", f"{name}-id", name, who="ann", why=["to see"])
    registry.add("shadow_off", "a-id", "a", who="ann", why=["seen"])
    promote(registry, "b")
    assert registry.shadows() == ["c"]
