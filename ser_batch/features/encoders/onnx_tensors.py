"""Weights in an ONNX file under the names that they had before the export.

The export keeps the names of offsets, but calls transposed matrices `onnx::MatMul_123`: those are
named after the node that reads them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ser_batch.audio.onnx_file import messages, tensor, text

MATRIX_NODE = re.compile(r"/(layers\.\d+)/(?:(self_attn)/)?(\w+)/MatMul$")


def onnx_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Tensors of floats and of eight-bit numbers by name, exported matrices as (outputs, inputs).

    Source: onnx.proto, ModelProto.graph = 7, GraphProto.node = 1, .initializer = 5,
    TensorProto.name = 8, NodeProto.input = 1, .name = 3.
    """
    graph = messages(path.read_bytes(), 7)[0]
    stored = {text(part, 8): tensor(part) for part in messages(graph, 5)}
    found = {name: values for name, values in stored.items() if values is not None}
    for node in messages(graph, 1):
        inputs = [name.decode() for name in messages(node, 1)]
        if (place := MATRIX_NODE.search(text(node, 3))) and inputs[-1] in found:
            name = ".".join(part for part in place.groups() if part)
            found[f"{name}.weight"] = found[inputs[-1]].T
    return found
