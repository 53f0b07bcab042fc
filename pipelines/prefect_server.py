"""A Prefect server of a command's own: a fork of it, or a thread where a fork is not safe.

Forked, Prefect is imported once, the server starts while the command imports the flow, and it ends
with the command even if that is killed. A command that has threads by then cannot be forked safely.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Protocol

from ser_batch.errors import StopError

START_S = 120.0
STOP_S = 10.0


class PrefectStartError(StopError):
    """Prefect's server cannot start in this process."""

    code = "prefect_start"
    remedy = "Check the folder's permissions and free space, or delete it: it holds a history only."

    def __init__(self, home: Path) -> None:
        super().__init__(f"Prefect's server does not start in {home}")


class PrefectWriteError(StopError):
    """Prefect's server of this run cannot record what the run does."""

    code = "prefect_write"
    remedy = "Free some space, or check the permissions, and run it again; what was done is kept."

    def __init__(self, home: Path) -> None:
        free_mb = shutil.disk_usage(home).free / 1e6
        super().__init__(
            f"Prefect's server cannot write to {home}, where {free_mb:.1f} MB of the disk are free"
        )


class Server(Protocol):
    """Prefect's server on this machine, until the block ends; its database lies in `home`."""

    url: str
    home: Path

    def wait(self) -> None:
        """Wait until it has started.

        Raises:
            PrefectStartError: if it does not start
        """

    def __enter__(self) -> Server: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def start_server(home: Path) -> Server:
    """Begin to start a server, in a process of its own where a fork is safe."""
    import fastapi  # noqa: F401  (the flow's process reads it too: once for both)

    listener = socket.create_server(("127.0.0.1", 0))
    return _Child(home, listener) if _has_one_thread() else _Thread(home, listener)


def _has_one_thread() -> bool:
    """Whether a fork would copy all of this process: a lock that a thread holds stays held in it.

    Threads of compiled libraries count; where the system does not list them, the answer is no.
    """
    tasks = Path("/proc/self/task")
    return tasks.is_dir() and len(list(tasks.iterdir())) == 1


def _url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/api"


class _Thread:
    """Prefect's server in a thread of this process."""

    def __init__(self, home: Path, listener: socket.socket) -> None:
        import uvicorn
        from prefect.server.api.server import create_app

        self.url, self.home = _url_of(listener), home
        app = create_app(ephemeral=True, ignore_cache=True)
        config = uvicorn.Config(app, lifespan="on", log_config=None, log_level="critical")
        self._server = uvicorn.Server(config)
        in_settings = copy_context()  # a new thread has none of its own
        self._thread = threading.Thread(
            target=lambda: in_settings.run(self._server.run, sockets=[listener]), daemon=True
        )
        self._thread.start()

    def wait(self) -> None:
        """Wait until it has started.

        Raises:
            PrefectStartError: if it does not start
        """
        give_up = time.monotonic() + START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > give_up:
                raise PrefectStartError(self.home)
            time.sleep(0.01)

    def __enter__(self) -> _Thread:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(STOP_S)


class _Child:
    """Prefect's server in a fork of this process."""

    def __init__(self, home: Path, listener: socket.socket) -> None:
        self.url, self.home = _url_of(listener), home
        self._line, line = socket.socketpair()
        self._has_started = False
        self._pid = os.fork()
        if not self._pid:
            self._line.close()
            _serve(home, listener, line)
        listener.close()
        line.close()
        self._line.settimeout(START_S)

    def wait(self) -> None:
        """Wait until it has started.

        Raises:
            PrefectStartError: if it does not start
        """
        if not self._has_started:
            with suppress(OSError):
                self._has_started = bool(self._line.recv(1))
        if not self._has_started:
            raise PrefectStartError(self.home)

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.settimeout(STOP_S)
        self._line.shutdown(socket.SHUT_WR)
        try:
            while self._line.recv(1):
                pass
        except OSError:
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._line.close()


def _serve(home: Path, listener: socket.socket, line: socket.socket) -> NoReturn:
    """In the child: serve until the parent ends, whatever signals the terminal sends to both."""
    status = 1
    try:
        for ignored in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ignored, signal.SIG_IGN)
        with _Thread(home, listener) as server:
            server.wait()
            freeze()
            gc.enable()
            line.send(b"1")
            line.recv(1)
        status = 0
    finally:
        os._exit(status)  # what the parent does when it ends is not for the child


def freeze() -> None:
    """Never collect what was created so far, not even when the process ends."""
    if "duckdb" not in sys.modules:  # which reports what is frozen as leaked
        gc.freeze()
