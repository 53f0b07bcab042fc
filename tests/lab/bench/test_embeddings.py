from __future__ import annotations

from pathlib import Path

import pytest

from ser_batch.features.encoders import sets
from ser_batch.features.encoders.fetch import adopt
from ser_batch.lab.bench import embeddings
from tests.features.encoders.made_up import made_up_weights


def test_figures_have_a_ratio_to_each_peer_and_say_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    weights = made_up_weights(tmp_path)
    adopt(weights, tmp_path / "made_up.safetensors")
    small = sets.embedding_set(weights, (1, 2))
    monkeypatch.setitem(sets.EMBEDDING_SETS, small.name, small)

    found = embeddings.run([small.name], repeats=1)

    assert set(found["ratios"]) == set(found["peers"])
    speed, padded = found["ours"][small.name], found["peers"]["padded_to_30_s"]
    assert found["ratios"]["padded_to_30_s"] == pytest.approx(speed / padded)
    assert embeddings.PEER in {**found["peers"], **found["missing"]}
