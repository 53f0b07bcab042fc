"""The float constants of an ONNX file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.audio.onnx_file import Message, read_graph, tensor


def onnx_constants(path: Path) -> dict[str, FloatArray]:
    """Float constants by name of the output that carries them, those of branches too.

    Raises:
        ValueError: if it is no ONNX file
    """
    return dict(_graph_constants(read_graph(path)))


def _graph_constants(graph: Message) -> Iterator[tuple[str, FloatArray]]:
    """Constants of a graph, then of the graphs in its branches."""
    for node in graph.node:
        for attribute in node.attribute:
            values = tensor(attribute.t) if attribute.HasField("t") else None
            if values is not None and values.dtype.kind == "f":
                yield node.output[0], values.astype(np.float32)
            if attribute.HasField("g"):
                yield from _graph_constants(attribute.g)
