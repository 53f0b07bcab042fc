"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

# numba's cache is not safe for several processes at once: on a fresh machine, test processes that
# compiled librosa's functions side by side crashed in them. Set before anything imports librosa.
os.environ["NUMBA_CACHE_DIR"] = str(
    Path(__file__).parents[1]
    / ".pytest_cache"
    / f"numba-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
)

import pytest
from filelock import FileLock
from hypothesis import settings as hypothesis_settings

from ser_batch.lab.synthetic.demo import DemoCalls, make_demo_calls

hypothesis_settings.register_profile("no-deadline", deadline=None)  # a busy machine is no fault
hypothesis_settings.register_profile("fuzz", deadline=None, max_examples=20_000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "no-deadline"))

UMASK = os.umask(0o022)
os.umask(UMASK)
ROOT = Path(__file__).parents[1]
N_CALLS = 4
CHROMIUM = Path("/usr/bin/chromium")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A module runs in one process, which makes what its tests share once; so do grouped modules.

    pytest-xdist 3.8 loses its groups on pytest 9.2: they are read from the modules here.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByModule(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid.partition("::")[0])

    return ByModule(config, log)


@cache
def group_of(module: str) -> str:
    """The name in a module's `xdist_group` mark; without one, the module's own path."""
    named = re.search(r'xdist_group\("(\w+)"\)', (ROOT / module).read_text(encoding="utf-8"))
    return named[1] if named else module


@pytest.fixture(autouse=True)
def _umask_restored() -> Iterator[None]:
    """Commands set the umask of their process, which tests share."""
    os.umask(UMASK)
    yield
    os.umask(UMASK)


@pytest.fixture(scope="session")
def corpus_dir() -> Path:
    """Folder of the development corpora, from SER_CORPUS_DIR."""
    folder = os.environ.get("SER_CORPUS_DIR")
    if not folder:
        pytest.skip("SER_CORPUS_DIR is not set: the development corpora are not here")
    return Path(folder)


@pytest.fixture(scope="session")
def demo_calls(tmp_path_factory: pytest.TempPathFactory) -> DemoCalls:
    """A few synthetic calls with metadata and truth, made once for all test processes."""
    shared = tmp_path_factory.getbasetemp().parent / "demo-calls"
    with FileLock(shared.with_suffix(".lock")):
        return make_demo_calls(shared, n_calls=N_CALLS, seed=3)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Headless Chromium, one for all tests of this process: Playwright runs once in a thread."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield browser
        browser.close()
