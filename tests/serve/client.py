"""Requests to a running server, as a browser that followed its link makes them."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from ser_batch.serve.server import Server

_cookies: WeakKeyDictionary[Server, str] = WeakKeyDictionary()

Answer = tuple[int, bytes, http.client.HTTPMessage]


def request(server: Server, method: str, path: str, body: object = None, **headers: str) -> Answer:
    """With the cookie of one browser and this server's Origin, unless headers say otherwise."""
    if "Cookie" not in headers and server not in _cookies:
        _cookies[server] = enter(server)
    usual = {
        "Cookie": _cookies.get(server, ""),
        "Origin": f"http://127.0.0.1:{server.port}",
    }
    content = body if body is None or isinstance(body, bytes) else json.dumps(body)
    return plain_request(server, method, path, content, {**usual, **headers})


def plain_request(
    server: Server,
    method: str,
    path: str,
    body: bytes | str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    answer = response.status, response.read(), response.headers
    connection.close()
    return answer


def enter(server: Server) -> str:
    """Follow the link; the cookie that it gives."""
    link = urlsplit(server.url)
    status, _, headers = plain_request(server, "GET", f"{link.path}?{link.query}")
    assert (status, headers["Location"]) == (303, link.path)
    return headers["Set-Cookie"].partition(";")[0]
