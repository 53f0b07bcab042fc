"""What a bucket that refuses or does not answer says to a user: in one line, with the cause."""

from __future__ import annotations

import datetime as dt
import socket

import pytest

from ser_batch.errors import StoreUnreachableError

pytest.importorskip("obstore")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked for again; the keys are those of nobody."""
    monkeypatch.setattr("ser_batch.files.bucket.TRY_FOR", dt.timedelta(seconds=0.1))
    monkeypatch.setattr("ser_batch.files.bucket.MOST_TRIES", 0)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "nobody")


def test_a_closed_port_is_named_as_refused(impatient: None, monkeypatch: pytest.MonkeyPatch):
    from ser_batch.files.bucket import open_bucket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(StoreUnreachableError) as caught:
        open_bucket("calls", "site").list("")
    line = caught.value.one_line()
    assert line.startswith("s3://calls/site does not answer: Connection refused. Check the network")
