"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpus_dir() -> Path:
    """Folder of the development corpora, from SER_CORPUS_DIR."""
    folder = os.environ.get("SER_CORPUS_DIR")
    if not folder:
        pytest.skip("SER_CORPUS_DIR is not set: the development corpora are not here")
    return Path(folder)
