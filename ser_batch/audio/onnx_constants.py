"""The float constants of an ONNX file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.audio.onnx_file import messages, tensor


def onnx_constants(path: Path) -> dict[str, FloatArray]:
    """Names and values of the float constants of an ONNX file, those of its branches too.

    Args:
        path: the file

    Returns:
        values by name of the output that carries them

    Source: onnx.proto, ModelProto.graph = 7.
    """
    (graph,) = messages(path.read_bytes(), 7)
    return dict(_graph_constants(graph))


def _graph_constants(graph: bytes) -> Iterator[tuple[str, FloatArray]]:
    """Constants of a graph, then of the graphs in its branches.

    Source: onnx.proto, GraphProto.node = 1, NodeProto.output = 2, .attribute = 5,
    AttributeProto.t = 5, .g = 6.
    """
    for node in messages(graph, 1):
        for attribute in messages(node, 5):
            for part in messages(attribute, 5):
                values = tensor(part)
                if values is not None and values.dtype.kind == "f":
                    yield messages(node, 2)[0].decode(), values.astype(np.float32)
            for branch in messages(attribute, 6):
                yield from _graph_constants(branch)
