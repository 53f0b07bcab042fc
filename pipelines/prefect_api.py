"""The Prefect server that a command's flow reports to: the configured one, or one of its own."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from pipelines.prefect_database import is_prepared, mark_prepared
from pipelines.prefect_server import STOP_S, PrefectWriteError, Server, freeze, start_server
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


class PrefectServerError(StopError):
    """The Prefect server does not answer."""

    code = "prefect_server"
    remedy = (
        "Start it (`prefect server start`), correct PREFECT_API_URL, or unset it: a run without it "
        "starts its own."
    )

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(f"no Prefect server answers at {url} ({cause})")


class SharedServerError(PrefectServerError):
    """The Prefect server that a cluster's driver and workers share does not answer."""

    remedy = (
        "Start it (`prefect server start --host 0.0.0.0`), or correct PREFECT_API_URL, which ends "
        "in /api."
    )


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
        PrefectWriteError: if the server started for this run cannot write what it is told
    """
    # thousands of classes are created and none is freed: collecting takes a fifth of the start
    gc.disable()
    with ExitStack() as stack:
        stack.callback(gc.enable)
        server = _server_for(root, stack, is_shared=is_shared)
        freeze()
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
        except httpx.HTTPStatusError as error:
            if not error.response.is_server_error:
                raise
            if server is not None:
                raise PrefectWriteError(server.home) from error
            url = str(PREFECT_API_URL.value())
            raise PrefectServerError(url, f"HTTP status {error.response.status_code}") from error
        finally:
            if server is not None:
                _send_events()


def _server_for(root: Root, stack: ExitStack, *, is_shared: bool) -> Server | None:
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
            _check_answer(url, SharedServerError if is_shared else PrefectServerError)
            return None
        if is_shared:
            raise NoSharedServerError
        server = stack.enter_context(start_server(home))
        if database is not None and not was_prepared:
            server.wait()
            mark_prepared(database)
    stack.enter_context(temporary_settings({PREFECT_API_URL: server.url}))
    return server


@contextmanager
def _quiet_prefect(*, was_prepared: bool) -> Iterator[None]:
    from prefect.logging.configuration import setup_logging
    from prefect.settings import temporary_settings

    with temporary_settings(set_defaults={**QUIET, **(PREPARED if was_prepared else {})}):
        setup_logging()
        # outside its own loggers: it counts what a flow that failed at once had no time to record
        logging.getLogger("EventsWorker").setLevel(logging.ERROR)
        yield


def _check_answer(url: str, no_answer: type[PrefectServerError]) -> None:
    import httpx

    try:
        answer = httpx.get(f"{url}/health", timeout=ANSWER_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise no_answer(url, str(error) or type(error).__name__) from error
    if answer.is_error and answer.status_code not in NEEDS_A_KEY:
        raise no_answer(url, f"HTTP status {answer.status_code}")


def _send_events() -> None:
    """Give the server the events that are still waiting: it records task runs from them."""
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all(timeout=STOP_S)
