"""The Prefect server that a command's flow reports to: the configured one, or one of its own.

A server of its own runs in a thread of the command: it imports Prefect once, starts in a fraction
of the time of a second process, and ends with the command even if that is killed.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from contextvars import copy_context
from pathlib import Path

from filelock import FileLock

from pipelines.prefect_database import is_prepared, mark_prepared
from ser_batch.environment import bypass_proxy, set_unless_given
from ser_batch.errors import StopError
from ser_batch.store.paths import Root

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
def prefect_api(root: Root, *, is_shared: bool = False) -> Iterator[None]:
    """Import a quiet Prefect and give its flows a server; before this, nothing may import it.

    Args:
        root: under which Prefect's folder lies, unless PREFECT_HOME names another
        is_shared: other machines need the server too, so that a configured one must be there

    Raises:
        NoSharedServerError: if a shared server is needed and none is configured
        PrefectServerError: if a server is configured and nothing answers there
        PrefectStartError: if no server can start in this process
    """
    root.path.mkdir(parents=True, exist_ok=True)
    is_ours = not any(os.environ.get(name) for name in ("PREFECT_HOME", *DATABASE_VARIABLES))
    home = Path(os.environ.get("PREFECT_HOME") or root.prefect).expanduser()
    home.mkdir(parents=True, exist_ok=True)
    database = home / "prefect.db" if is_ours else None
    # thousands of classes are created and none is freed: collecting takes a fifth of the start
    gc.disable()
    with ExitStack() as stack:
        stack.callback(gc.enable)
        with FileLock(home / "ser-batch-start.lock"):
            was_prepared = database is not None and is_prepared(database)
            set_unless_given({"PREFECT_HOME": str(home)})
            bypass_proxy("127.0.0.1")  # a proxy does not reach this machine's own server
            import httpx
            from prefect.settings import PREFECT_API_URL, temporary_settings

            stack.enter_context(_quiet_prefect(was_prepared=was_prepared))
            if url := PREFECT_API_URL.value():
                _check_answer(url)
                server = None
            elif is_shared:
                raise NoSharedServerError
            else:
                server = _Server(home)
                url = server.url
                if database is not None and not was_prepared:
                    mark_prepared(database)
        if "duckdb" not in sys.modules:  # which reports what is frozen as leaked
            gc.freeze()  # neither is it collected when the process ends
        gc.enable()
        with temporary_settings({PREFECT_API_URL: url}), server or nullcontext():
            try:
                yield
            except httpx.TransportError as error:  # it answered when the run began
                raise PrefectServerError(url, str(error) or type(error).__name__) from error


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


class _Server:
    """Prefect's server in a thread, until the block ends.

    Raises:
        PrefectStartError: if it does not start
    """

    def __init__(self, home: Path) -> None:
        import uvicorn
        from prefect.server.api.server import create_app

        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/api"
        app = create_app(ephemeral=True, ignore_cache=True)
        config = uvicorn.Config(app, lifespan="on", log_config=None, log_level="critical")
        self._server = uvicorn.Server(config)
        in_settings = copy_context()  # a new thread has none of its own
        self._thread = threading.Thread(
            target=lambda: in_settings.run(self._server.run, sockets=[listener]), daemon=True
        )
        self._thread.start()
        give_up = time.monotonic() + START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > give_up:
                raise PrefectStartError(home)
            time.sleep(0.01)

    def __enter__(self) -> None:
        """It runs already."""

    def __exit__(self, *_: object) -> None:
        from prefect.events.worker import EventsWorker

        EventsWorker.drain_all(timeout=STOP_S)  # task runs are recorded from events
        self._server.should_exit = True
        self._thread.join(STOP_S)
