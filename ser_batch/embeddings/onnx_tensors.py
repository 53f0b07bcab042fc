"""Weights in an ONNX file under the names that they had before the export.

The export keeps the names of offsets, but calls transposed matrices `onnx::MatMul_123`: those are
named after the node that reads them. The file is a protocol buffers message and read without the
`onnx` package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TYPES = {1: "<f4", 3: "|i1", 10: "<f2"}
MATRIX_NODE = re.compile(r"/(layers\.\d+)/(?:(self_attn)/)?(\w+)/MatMul$")


def onnx_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Tensors of floats and of eight-bit numbers by name, exported matrices as (outputs, inputs).

    Source: onnx.proto, ModelProto.graph = 7, GraphProto.node = 1, .initializer = 5,
    TensorProto.name = 8, NodeProto.input = 1, .name = 3.
    """
    graph = _messages(path.read_bytes(), 7)[0]
    stored = {_text(tensor, 8): _tensor(tensor) for tensor in _messages(graph, 5)}
    found = {name: values for name, values in stored.items() if values is not None}
    for node in _messages(graph, 1):
        inputs = [name.decode() for name in _messages(node, 1)]
        if (place := MATRIX_NODE.search(_text(node, 3))) and inputs[-1] in found:
            name = ".".join(part for part in place.groups() if part)
            found[f"{name}.weight"] = found[inputs[-1]].T
    return found


def _tensor(message: bytes) -> NDArray[Any] | None:
    """A tensor of numbers that weights are kept in, if they lie in the file itself; else None.

    Source: onnx.proto, TensorProto.dims = 1, .data_type = 2, .raw_data = 9.
    """
    fields = list(_fields(message))
    kind = next((value for field, value in fields if field == 2), None)
    raw = _messages(message, 9)
    if not raw or not isinstance(kind, int) or kind not in TYPES:
        return None
    shape: list[int] = []
    for field, value in fields:
        if field == 1:
            shape += [value] if isinstance(value, int) else _varints(value)
    return np.frombuffer(raw[0], TYPES[kind]).reshape(shape)


def _messages(message: bytes, number: int) -> list[bytes]:
    """The values of a field that holds messages, text or bytes."""
    return [v for field, v in _fields(message) if field == number and isinstance(v, bytes)]


def _text(message: bytes, number: int) -> str:
    return next((value.decode() for value in _messages(message, number)), "")


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
