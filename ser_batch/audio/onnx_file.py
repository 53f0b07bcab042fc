"""What an ONNX file holds, read without the `onnx` package: it is a protocol buffers message.

Only what leads to numbers is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

TYPES = {1: "<f4", 3: "|i1", 10: "<f2"}
"""Numbers that weights are kept in."""


def tensor(message: bytes) -> NDArray[Any] | None:
    """A tensor of numbers that weights are kept in, if they lie in the file itself; else None.

    Source: onnx.proto, TensorProto.dims = 1, .data_type = 2, .raw_data = 9.
    """
    fields = list(_fields(message))
    kind = next((value for field, value in fields if field == 2), None)
    raw = messages(message, 9)
    if not raw or not isinstance(kind, int) or kind not in TYPES:
        return None
    shape: list[int] = []
    for field, value in fields:
        if field == 1:
            shape += [value] if isinstance(value, int) else _varints(value)
    return np.frombuffer(raw[0], TYPES[kind]).reshape(shape)


def messages(message: bytes, number: int) -> list[bytes]:
    """The values of a field that holds messages, text or bytes."""
    return [v for field, v in _fields(message) if field == number and isinstance(v, bytes)]


def text(message: bytes, number: int) -> str:
    """The first value of a field that holds text; empty if there is none."""
    return next((value.decode() for value in messages(message, number)), "")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a protocol buffers message."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        field, wire_type = key >> 3, key & 7
        if wire_type == 0:
            value, position = _varint(data, position)
            yield field, value
            continue
        if wire_type == 2:
            size, position = _varint(data, position)
        else:
            size = {1: 8, 5: 4}[wire_type]
        if position + size > len(data):
            raise ValueError("truncated")
        yield field, data[position : position + size]
        position += size


def _varints(data: bytes) -> list[int]:
    """Integers packed one after the other."""
    values, position = [], 0
    while position < len(data):
        value, position = _varint(data, position)
        values.append(value)
    return values


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """An integer of seven bits a byte, lowest first, and the position after it."""
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
