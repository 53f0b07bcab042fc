"""Log lines of a run: timestamped text, or one JSON object a line, on standard error."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ser_batch.progress import LogFormat

LOG = logging.getLogger("ser_batch")
"""Prefect forwards its records to a server where PREFECT_LOGGING_EXTRA_LOGGERS names it."""
LOG.setLevel(logging.INFO)

_WITH_WARNINGS = (LOG, logging.getLogger("py.warnings"))

_RUN_ID: ContextVar[str | None] = ContextVar("run_id", default=None)

Counts = Callable[[], Mapping[str, int]]


def start_log(form: LogFormat, *, quiet: bool) -> bool:
    """Send log lines to standard error in a format; whether progress bars take their place.

    Args:
        form: `auto`: bars on a terminal, else text
        quiet: with `auto`, neither
    """
    is_terminal = sys.stderr.isatty()
    if form == "auto":
        form = "off" if quiet else "bars" if is_terminal else "text"
    handler: logging.Handler = logging.NullHandler()
    if form in ("text", "json"):
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLine() if form == "json" else TextLine())
        logging.captureWarnings(True)
    for logger in _WITH_WARNINGS:
        logger.handlers = [handler]
        logger.propagate = False
    return form == "bars"


def writes_json() -> bool:
    """Whether log lines are JSON objects, so that nothing else may stand between them."""
    return any(isinstance(handler.formatter, JsonLine) for handler in LOG.handlers)


def log_error(text: str, **fields: Any) -> bool:
    """Log an error where log lines are written; whether they are."""
    is_on = any(isinstance(each, logging.StreamHandler) for each in LOG.handlers)
    if is_on:
        log(text, level=logging.ERROR, event="error", **fields)
    return is_on


def start_run(run_id: str) -> None:
    """Put a run's id on the lines that follow in this context."""
    _RUN_ID.set(run_id)


def log(text: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """One line; the fields stand beside the text in JSON."""
    run = {} if (run_id := _RUN_ID.get()) is None else {"run_id": run_id}
    LOG.log(level, "%s", text, extra={"fields": {**run, **fields}})


@contextmanager
def log_stage(name: str, counts: Counts = dict) -> Iterator[None]:
    """Lines as a stage begins and ends.

    Args:
        name: of the stage
        counts: what it did, called at its end
    """
    log(f"{name} begins", event="stage_begin", stage=name)
    start = time.perf_counter()
    yield
    done, seconds = counts(), time.perf_counter() - start
    figures = "".join(f", {key.replace('_', ' ')} {value}" for key, value in done.items())
    log(
        f"{name} ends after {seconds:.1f} s{figures}",
        event="stage_end",
        stage=name,
        seconds=round(seconds, 3),
        **done,
    )


def _time(record: logging.LogRecord) -> str:
    return dt.datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="seconds")


class TextLine(logging.Formatter):
    """Time with zone, level and text, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        text = " ".join(record.getMessage().split())
        return f"{_time(record)} {record.levelname.lower()} {text}"


class JsonLine(logging.Formatter):
    """One JSON object: time, level, message, and the fields of the record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line, ensure_ascii=False, default=str)
