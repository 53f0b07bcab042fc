"""The Prefect server that a command's flow reports to: the configured one, or one of its own.

A server of its own is a fork of the command: Prefect is imported once, the server starts while the
command imports the flow, and it ends with the command even if that is killed. A command that has
threads by then cannot be forked safely; its server is one more thread.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import copy_context
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Protocol, TypeVar

from filelock import FileLock

from pipelines.prefect_database import is_prepared, mark_prepared
from ser_batch.environment import NO_TYPE_CHECKS, bypass_proxy, set_unless_given
from ser_batch.errors import StopError
from ser_batch.store.paths import Root

Flow = TypeVar("Flow")

QUIET = {
    "logging.level": "CRITICAL",
    "server.analytics_enabled": False,
    "server.logging_level": "CRITICAL",
}
"""Prefect's settings, unless the user set them."""

PREPARED = {
    "server.database.migrate_on_start": False,
    "server.register_blocks_on_start": False,
    "server.memoize_block_auto_registration": False,
}
"""What a server need not do again on a database that it has set up."""

DATABASE_VARIABLES = (
    "PREFECT_SERVER_DATABASE_CONNECTION_URL",
    "PREFECT_API_DATABASE_CONNECTION_URL",
)

ANSWER_S = 5.0
NEEDS_A_KEY = (401, 403)
START_S = 120.0
STOP_S = 10.0


class PrefectServerError(StopError):
    """The Prefect server does not answer."""

    code = "prefect_server"
    remedy = (
        "Start it (`prefect server start`), correct PREFECT_API_URL, or unset it: a run without it "
        "starts its own."
    )

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(f"no Prefect server answers at {url} ({cause})")


class PrefectStartError(StopError):
    """Prefect's server cannot start in this process."""

    code = "prefect_start"
    remedy = "Check the folder's permissions and free space, or delete it: it holds a history only."

    def __init__(self, home: Path) -> None:
        super().__init__(f"Prefect's server does not start in {home}")


class NoSharedServerError(StopError):
    """Processes on other machines would each start a Prefect server of their own."""

    code = "prefect_server"
    message = "a Dask cluster needs a Prefect server that its workers reach"
    remedy = "Start one (`prefect server start --host 0.0.0.0`) and set PREFECT_API_URL."


@contextmanager
def prefect_api(
    root: Root, import_flow: Callable[[], Flow], *, is_shared: bool = False
) -> Iterator[Flow]:
    """Import a quiet Prefect and give a flow a server; before this, nothing may import Prefect.

    Args:
        root: under which Prefect's folder lies, unless PREFECT_HOME names another
        import_flow: imports and returns the flow; a server starts meanwhile
        is_shared: other machines need the server too, so that a configured one must be there

    Yields:
        the flow

    Raises:
        NoSharedServerError: if a shared server is needed and none is configured
        PrefectServerError: if a server is configured and nothing answers there
        PrefectStartError: if no server can start
    """
    # thousands of classes are created and none is freed: collecting takes a fifth of the start
    gc.disable()
    with ExitStack() as stack:
        stack.callback(gc.enable)
        server = _server_for(root, stack, is_shared=is_shared)
        _freeze()
        flow = import_flow()
        if server is not None:
            server.wait()
        gc.enable()
        import httpx
        from prefect.settings import PREFECT_API_URL

        try:
            yield flow
        except httpx.TransportError as error:  # it answered when the run began
            url = str(PREFECT_API_URL.value())
            raise PrefectServerError(url, str(error) or type(error).__name__) from error
        finally:
            if server is not None:
                _send_events()


def _server_for(root: Root, stack: ExitStack, *, is_shared: bool) -> _Server | None:
    """Let flows report to a server until the stack ends; None: it is the configured one."""
    root.path.mkdir(parents=True, exist_ok=True)
    is_ours = not any(os.environ.get(name) for name in ("PREFECT_HOME", *DATABASE_VARIABLES))
    home = Path(os.environ.get("PREFECT_HOME") or root.prefect).expanduser()
    home.mkdir(parents=True, exist_ok=True)
    database = home / "prefect.db" if is_ours else None
    with FileLock(home / "ser-batch-start.lock"):
        was_prepared = database is not None and is_prepared(database)
        set_unless_given({"PREFECT_HOME": str(home), **NO_TYPE_CHECKS})
        bypass_proxy("127.0.0.1")  # a proxy does not reach this machine's own server
        from prefect.settings import PREFECT_API_URL, temporary_settings

        stack.enter_context(_quiet_prefect(was_prepared=was_prepared))
        if url := PREFECT_API_URL.value():
            _check_answer(url)
            return None
        if is_shared:
            raise NoSharedServerError
        server = stack.enter_context(_start_server(home))
        if database is not None and not was_prepared:
            server.wait()
            mark_prepared(database)
    stack.enter_context(temporary_settings({PREFECT_API_URL: server.url}))
    return server


def _freeze() -> None:
    """Never collect what was created so far, not even when the process ends."""
    if "duckdb" not in sys.modules:  # which reports what is frozen as leaked
        gc.freeze()


@contextmanager
def _quiet_prefect(*, was_prepared: bool) -> Iterator[None]:
    from prefect.logging.configuration import setup_logging
    from prefect.settings import temporary_settings

    with temporary_settings(set_defaults={**QUIET, **(PREPARED if was_prepared else {})}):
        setup_logging()
        # outside its own loggers: it counts what a flow that failed at once had no time to record
        logging.getLogger("EventsWorker").setLevel(logging.ERROR)
        yield


def _check_answer(url: str) -> None:
    import httpx

    try:
        answer = httpx.get(f"{url}/health", timeout=ANSWER_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PrefectServerError(url, str(error) or type(error).__name__) from error
    if answer.is_error and answer.status_code not in NEEDS_A_KEY:
        raise PrefectServerError(url, f"HTTP status {answer.status_code}")


class _Server(Protocol):
    """Prefect's server on this machine, until the block ends."""

    url: str

    def wait(self) -> None:
        """Wait until it has started.

        Raises:
            PrefectStartError: if it does not start
        """

    def __enter__(self) -> _Server: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def _start_server(home: Path) -> _Server:
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


def _send_events() -> None:
    """Give the server the events that are still waiting: it records task runs from them."""
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all(timeout=STOP_S)


class _Thread:
    """Prefect's server in a thread of this process."""

    def __init__(self, home: Path, listener: socket.socket) -> None:
        import uvicorn
        from prefect.server.api.server import create_app

        self.url, self._home = _url_of(listener), home
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
                raise PrefectStartError(self._home)
            time.sleep(0.01)

    def __enter__(self) -> _Thread:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(STOP_S)


class _Child:
    """Prefect's server in a fork of this process."""

    def __init__(self, home: Path, listener: socket.socket) -> None:
        self.url, self._home = _url_of(listener), home
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
            raise PrefectStartError(self._home)

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
            _freeze()
            gc.enable()
            line.send(b"1")
            line.recv(1)
        status = 0
    finally:
        os._exit(status)  # what the parent does when it ends is not for the child
