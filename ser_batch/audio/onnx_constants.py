"""The float constants of an ONNX file, read without the `onnx` package.

The file is a protocol buffers message; only what leads to the constants is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ser_batch.arrays import FloatArray


def onnx_constants(path: Path) -> dict[str, FloatArray]:
    """Names and values of the float constants of an ONNX file, those of its branches too.

    Args:
        path: the file

    Returns:
        values by name of the output that carries them

    Source: onnx.proto, ModelProto.graph = 7.
    """
    (graph,) = _messages(path.read_bytes(), 7)
    return dict(_graph_constants(graph))


def _graph_constants(graph: bytes) -> Iterator[tuple[str, FloatArray]]:
    """Constants of a graph, then of the graphs in its branches.

    Source: onnx.proto, GraphProto.node = 1, NodeProto.output = 2, .attribute = 5,
    AttributeProto.t = 5, .g = 6.
    """
    for node in _messages(graph, 1):
        for attribute in _messages(node, 5):
            for tensor in _messages(attribute, 5):
                values = _tensor(tensor)
                if values is not None:
                    yield _messages(node, 2)[0].decode(), values
            for branch in _messages(attribute, 6):
                yield from _graph_constants(branch)


def _tensor(message: bytes) -> FloatArray | None:
    """A float tensor, None if of another kind.

    Source: onnx.proto, TensorProto.dims = 1, .data_type = 2 (1 is float), .raw_data = 9.
    """
    fields = list(_protobuf_fields(message))
    if (2, 1) not in fields:
        return None
    shape = [value for number, value in fields if number == 1 and isinstance(value, int)]
    raw = _messages(message, 9)
    return np.frombuffer(raw[0], "<f4").astype(np.float32).reshape(shape) if raw else None


def _messages(message: bytes, number: int) -> list[bytes]:
    """The values of a field that holds messages, text or bytes."""
    return [
        value
        for field, value in _protobuf_fields(message)
        if field == number and isinstance(value, bytes)
    ]


def _protobuf_fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
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
        yield field, data[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """An integer of seven bits a byte, lowest first, and the position after it."""
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
