"""Weights in an ONNX file under the names that they had before the export.

The export keeps the names of offsets, but calls transposed matrices `onnx::MatMul_123`: those are
named after the node that reads them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ser_batch.audio.onnx_file import read_graph, tensor

MATRIX_NODE = re.compile(r"/(layers\.\d+)/(?:(self_attn)/)?(\w+)/MatMul$")


def onnx_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Tensors of numbers by name, exported matrices as (outputs, inputs).

    Raises:
        ValueError: if it is no ONNX file
    """
    graph = read_graph(path)
    stored = {part.name: tensor(part) for part in graph.initializer}
    found = {name: values for name, values in stored.items() if values is not None}
    for node in graph.node:
        if (place := MATRIX_NODE.search(node.name)) and node.input[-1] in found:
            name = ".".join(part for part in place.groups() if part)
            found[f"{name}.weight"] = found[node.input[-1]].T
    return found
