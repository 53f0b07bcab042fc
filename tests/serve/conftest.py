"""A queue of segments with sound, and its page."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ser_batch.config import Settings
from ser_batch.labels.queue import open_session, queue_labels
from ser_batch.serve.access_log import AccessLog
from ser_batch.serve.pages.labels import PATH, LabelsPage
from ser_batch.serve.server import Server
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.callers import put_callers
from ser_batch.testing.lakes import MODEL_ID

N_QUEUED = 5


@pytest.fixture(scope="session")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a queue, for all tests to copy."""
    root = Root(tmp_path_factory.mktemp("queue"))
    put_callers(root, n_callers=4, with_audio=True)
    queue_labels(root, Settings(labels={"random_share": 0}), MODEL_ID, N_QUEUED)
    return root.path


@pytest.fixture
def queued(queue: Path, tmp_path: Path) -> Root:
    """A root with a queue, of the test's own."""
    return Root(Path(shutil.copytree(queue, tmp_path / "root")))


@pytest.fixture
def serve(queued: Root) -> Iterator[object]:
    """Serves the queue; may be called again, as when the program is started again."""
    running: list[tuple[Server, threading.Thread]] = []

    def start(root: Root = queued, **labels: object) -> Server:
        stop()
        server = labels_server(root, Settings(labels=labels))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        return server

    def stop() -> None:
        while running:
            server, thread = running.pop()
            server.stop()
            thread.join()

    yield start
    stop()


def labels_server(root: Root, settings: Settings, port: int = 0) -> Server:
    session = open_session(root, settings)
    routes = LabelsPage(lambda: session, AccessLog(Lake(root.lake))).routes
    return Server(routes, host="127.0.0.1", port=port, start=PATH)
