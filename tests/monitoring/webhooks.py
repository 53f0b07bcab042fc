"""A real HTTP server on this machine that answers webhooks as it is asked to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class WebhookServer:
    """Receives alerts.

    Attributes:
        received: JSON bodies in the order in which they came
        answers: status codes of the next answers, the last one from then on; 0: no answer at all
    """

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}/services/T0/secret"
        self.received: list[dict[str, Any]] = []
        self.answers = [200]
        self.closing = threading.Event()

    def next_answer(self) -> int:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def webhook_server() -> Iterator[WebhookServer]:
    """A server on a free port, until the block ends."""
    made: list[WebhookServer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made[0].received.append(json.loads(body))
            answer = made[0].next_answer()
            if not answer:
                made[0].closing.wait(30)
                return
            self.send_response(answer)
            if answer in (301, 302, 307):
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(b"ok")

        do_GET = do_POST

        def log_message(self, *_args: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.append(WebhookServer(server))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made[0]
    finally:
        made[0].closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
