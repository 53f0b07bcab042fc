"""The pages of `serve` over many calls: the time of each, against a plain query of its rows."""

from __future__ import annotations

import http.client
import json
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import numpy as np

from ser_batch.config import Settings
from ser_batch.scoring.bundle import default_bundle_path
from ser_batch.scoring.manifest import read_manifest
from ser_batch.serve.call_list import SORTS, CallFilter, next_keys
from ser_batch.serve.server import Server
from ser_batch.serve.site import Site
from ser_batch.stages.publish import publish
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.lakes import PRODUCTS, put_weeks
from ser_batch.warehouse import connect

QUEUES = ("billing", "technical", "sales", "delivery", "retention", None)
ROUNDS = 3
N_OVERVIEWS = 10
N_CALLS = 40
"""Pages of single calls that are asked for."""

SUMS = (
    "select count(*), count(dissatisfaction), count(*) filter (is_dissatisfied) from call_summary"
)


@dataclass(frozen=True)
class Question:
    """A page, and the query that gives its main rows.

    Attributes:
        page: its kind
        path: its URL
        sql: the query
        values: given to it
    """

    page: str
    path: str
    sql: str
    values: Sequence[object] = ()


def run(
    n_calls: int,
    n_days: int,
    settings: Settings,
    on_step: Callable[[str], None] = lambda _said: None,
) -> dict[str, Any]:
    """Make a lake of many calls without audio, publish it, and ask for its pages.

    Every page is asked for several times, the first time included, through a socket.

    Args:
        n_calls: over all days
        n_days: call dates
        settings: of the pages
        on_step: called with the step

    Returns:
        by kind of page: requests, median and 95th percentile in ms, that of the plain query in the
        same run, and their ratio
    """
    model_id = read_manifest(default_bundle_path()).model_id
    with tempfile.TemporaryDirectory(prefix="ser-batch-bench-") as folder:
        root = Root(Path(folder))
        on_step(f"making {n_calls} calls")
        put_weeks(Lake(root.lake), model_id, n_calls=n_calls, n_days=n_days, queues=QUEUES)
        on_step("publishing them")
        publish(root, settings, model_id)
        with connect(root.warehouse) as con:
            asked = _questions(con) * ROUNDS
            on_step(f"asking {len(asked)} plain queries")
            plain_ms = [_timed_ms(partial(_ask, con, q)) for q in asked]
        on_step(f"asking for {len(asked)} pages")
        pages_ms = _pages_ms(root, settings, asked)
    return {"n_calls": n_calls, "n_days": n_days, "pages": _figures(asked, pages_ms, plain_ms)}


def _questions(con: duckdb.DuckDBPyConnection) -> list[Question]:
    """Pages of every kind, spread over queues, days, orders and calls."""
    found = [Question("overview", "/", SUMS)] * N_OVERVIEWS
    for queue in QUEUES:
        where = " where queue is not distinct from ?"
        found.append(
            Question("queue", f"/queue?queue={queue or 'no+queue'}", SUMS + where, [queue])
        )
    days = con.execute("select distinct call_date from call_summary order by 1").fetchall()
    for (day,) in days:
        found.append(Question("day", f"/day?day={day}", f"{SUMS} where call_date = ?", [day]))
    for sort in SORTS:
        first = CallFilter(shown="all", sort=sort)
        rows = con.sql(first.page_query()[0]).to_arrow_table().to_pylist()
        far = CallFilter(shown="all", sort=sort, after=next_keys(rows[-2]))
        one_queue = CallFilter(sort=sort, queue=QUEUES[0])
        found += [_list("calls", each) for each in (first, far, one_queue)]
    for product in PRODUCTS:
        found.append(_list("search", CallFilter(shown="all", text=f"{product} {QUEUES[0]}")))
        by_attribute = CallFilter(shown="all", attributes=(("product", product),))
        found.append(_list("search", by_attribute))
    ids = con.execute(
        f"select recording_id from call_summary order by hash(recording_id) limit {N_CALLS}"
    ).fetchall()
    one = "select * from call_summary where recording_id = ?"
    found += [Question("call", f"/calls/{each}", one, [each]) for (each,) in ids]
    return found


def _list(page: str, wanted: CallFilter) -> Question:
    return Question(page, wanted.url(), *wanted.page_query())


def _ask(con: duckdb.DuckDBPyConnection, question: Question) -> None:
    con.execute(question.sql, list(question.values)).fetchall()


def _pages_ms(root: Root, settings: Settings, asked: Sequence[Question]) -> list[float]:
    """Time of each page, as one browser waits for it."""
    site = Site(root, settings)
    server = Server(site.routes, host="127.0.0.1", port=0, start="/", asks_name=True)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        return _browse(server, [question.path for question in asked])
    finally:
        server.stop()
        thread.join()
        site.close()


def _browse(server: Server, paths: Sequence[str]) -> list[float]:
    link = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(link.hostname), server.port)

    def get(path: str, method: str = "GET", body: str | None = None) -> http.client.HTTPResponse:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.read()
        if response.status >= 400:
            raise RuntimeError(f"{path}: {response.status}")
        return response

    headers = {"Origin": f"http://{link.netloc}"}
    entered = get(f"/?{link.query}")
    headers["Cookie"] = str(entered.headers["Set-Cookie"]).partition(";")[0]
    get("/name", "POST", json.dumps({"name": "bench"}))
    found = [_timed_ms(partial(get, path)) for path in paths]
    connection.close()
    return found


def _timed_ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _figures(
    asked: Sequence[Question], pages_ms: Sequence[float], plain_ms: Sequence[float]
) -> dict[str, dict[str, float]]:
    figures = {}
    for page in dict.fromkeys(question.page for question in asked):
        own = [number for number, question in enumerate(asked) if question.page == page]
        took, plain = (np.array(each)[own] for each in (pages_ms, plain_ms))
        p95, plain_p95 = (float(np.percentile(each, 95)) for each in (took, plain))
        figures[page] = {
            "n": len(own),
            "median_ms": float(np.median(took)),
            "p95_ms": p95,
            "slowest_ms": float(took.max()),
            "plain_p95_ms": plain_p95,
            "ratio": p95 / plain_p95,
        }
    return figures
