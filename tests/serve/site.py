"""The pages of a root, asked without a socket or by a browser."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import soundfile
from starlette.testclient import TestClient

from ser_batch.config import Settings
from ser_batch.ingest.scan import content_id
from ser_batch.serve.access import Access
from ser_batch.serve.app import make_app
from ser_batch.serve.server import Server
from ser_batch.serve.site import Site
from ser_batch.store.paths import Root

ORIGIN = {"Origin": "http://testserver"}


def entered(site: Site, name: str = "ann") -> TestClient:
    """A browser that followed the link and said who uses it."""
    access = Access(lambda: None)
    client = TestClient(make_app(site.routes, access, ("testserver",), asks_name=True))
    client.get(f"/?token={access.token}")
    if name:
        assert client.post("/name", json={"name": name}, headers=ORIGIN).status_code == 200
    return client


def site_of(root: Root, **settings: object) -> Site:
    return Site(root, Settings(**settings))


@contextmanager
def serving(root: Root, start: str) -> Iterator[Server]:
    """The pages on a socket of this machine."""
    site = site_of(root)
    server = Server(site.routes, host="127.0.0.1", port=0, start=start, asks_name=True)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield server
    server.stop()
    thread.join()
    site.close()


def calls_on(page: str) -> list[str]:
    """The recording_ids of the calls that a page lists, in order."""
    return re.findall(r'<h3><a href="/calls/([^"]+)"', page)


def link(page: str, text: str) -> str:
    """Where the link with a text leads."""
    [found] = re.findall(rf'<a [^>]*href="([^"]+)"[^>]*>{re.escape(text)}</a>', page)
    return html.unescape(found)


def put_recording(
    root: Root, name: str, samples: np.ndarray, *, rate: int = 8000, **form: str
) -> dict[str, object]:
    """Write a recording into the audio folder: where it lies, and the digest of its bytes."""
    path = root.path / "audio" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **form)
    return {
        "recording_id": content_id(path),
        "audio_root": str(root.path / "audio"),
        "path": name,
    }


def tone(hz: float, seconds: float, rate: int = 8000) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)
