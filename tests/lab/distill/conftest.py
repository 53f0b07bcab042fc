"""Made speech for all tests of the training."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of made sentences."""
    pytest.importorskip("py_nanotts", reason="the speech engine is not installed: [demo]")
    from tests.lab.distill.made import write_speech

    return write_speech(tmp_path_factory.mktemp("speech") / "said")
