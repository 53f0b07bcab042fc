"""The web application on a socket of this machine."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

import uvicorn
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route

from ser_batch.errors import ServeError
from ser_batch.serve.access import Access
from ser_batch.serve.app import make_app

LOOPBACK = ("127.0.0.1", "::1", "localhost")
LOOPBACK_NAMES = ("127.0.0.1", "[::1]", "localhost")
"""As a Host header writes them."""

STOP_S = 5
"""s; requests at work may take so long to end when the server stops."""


class Server:
    """Serves some pages until it is stopped.

    Args:
        routes: of the pages
        host: address to listen on
        port: 0 takes a free one
        start: path of the page that the link opens
        asks_name: whether whoever enters says who they are before a page is shown
        on_entered: called when the link was used and another one replaced it

    Raises:
        ServeError: if the address is taken or none of this machine's
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute],
        *,
        host: str,
        port: int,
        start: str,
        asks_name: bool = False,
        on_entered: Callable[[], None] = lambda: None,
    ) -> None:
        self._host, self._start = host, start
        self._access = Access(on_entered)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family)
        except OSError as error:
            raise ServeError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        # asyncio sets it only on sockets that name their protocol; without it an answer waits 40 ms
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        home = Route("/", lambda _: RedirectResponse(start))  # unless a page lies there
        hosts = LOOPBACK_NAMES if host in LOOPBACK else ("*",)
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                make_app([*routes, home], self._access, hosts, asks_name=asks_name),
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,  # who labelled what is nobody's business on the terminal
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=STOP_S,
            )
        )

    @property
    def port(self) -> int:
        """On which it listens."""
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """The link: it works once, and is another one then."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}{self._start}?token={self._access.token}"

    def run(self) -> None:
        """Answer until `stop` is called or a signal comes.

        Raises:
            KeyboardInterrupt: if it was SIGINT; every answer is complete
        """
        self._uvicorn.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let `run` return; to be called from another thread."""
        self._uvicorn.should_exit = True
