"""Ranges of bytes that a request asks for (RFC 9110, 14)."""

from __future__ import annotations

import re

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class RangeError(Exception):
    """No byte of the content lies in the range."""


def byte_range(header: str | None, n_bytes: int) -> tuple[int, int] | None:
    """First and last byte that a `Range` header asks for; None: the whole content.

    A header of several ranges, or of another unit, counts as none.

    Args:
        header: the header's value, None without one
        n_bytes: size of the content

    Raises:
        RangeError: if it asks for bytes beyond the end
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return None
    first, last = (int(text) if text else None for text in match.groups())
    if first is None:
        first, last = max(n_bytes - (last or 0), 0), n_bytes - 1
    last = n_bytes - 1 if last is None else min(last, n_bytes - 1)
    if first >= n_bytes or last < first:
        raise RangeError
    return first, last
