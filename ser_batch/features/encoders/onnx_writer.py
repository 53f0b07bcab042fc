"""ONNX models out of operations and constants: as much of the format as an encoder needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_batch.audio.onnx_file import TYPES, Message, onnx_message

IR_VERSION = 9
OPSETS = {"": 20, "com.microsoft": 1}
"""The standard operators, and onnxruntime's own."""

FLOAT, INT, INTS = 1, 2, 7
"""AttributeProto.AttributeType."""

Attribute = int | float | Sequence[int]


def model(
    nodes: Sequence[Message],
    constants: Mapping[str, NDArray[Any]],
    *,
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Sequence[str],
) -> bytes:
    """A model; inputs are float and their shapes may name sizes that vary."""
    graph = onnx_message("Graph")(
        node=nodes,
        name="encoder",
        initializer=[_tensor(name, values) for name, values in constants.items()],
        input=[_float_value(name, shape) for name, shape in inputs.items()],
        output=[_float_value(name, None) for name in outputs],
    )
    opsets = [{"domain": domain, "version": version} for domain, version in OPSETS.items()]
    whole = onnx_message("Model")(ir_version=IR_VERSION, graph=graph, opset_import=opsets)
    return bytes(whole.SerializeToString(deterministic=True))


def node(
    operator: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    domain: str = "",
    **attributes: Attribute,
) -> Message:
    """One operation; an input that is left out is an empty name."""
    return onnx_message("Node")(
        input=inputs,
        output=outputs,
        op_type=operator,
        attribute=[_attribute(name, value) for name, value in attributes.items()],
        domain=domain,
    )


def _attribute(name: str, value: Attribute) -> Message:
    attribute = onnx_message("Attribute")
    if isinstance(value, float):
        return attribute(name=name, f=value, type=FLOAT)
    if isinstance(value, int):
        return attribute(name=name, i=value, type=INT)
    return attribute(name=name, ints=value, type=INTS)


def _tensor(name: str, values: NDArray[Any]) -> Message:
    kinds = {np.dtype(kind): number for number, kind in TYPES.items()}
    return onnx_message("Tensor")(
        dims=values.shape,
        data_type=kinds[values.dtype],
        name=name,
        raw_data=np.ascontiguousarray(values).tobytes(),
    )


def _float_value(name: str, shape: Sequence[int | str] | None) -> Message:
    tensor = onnx_message("TensorType")(elem_type=FLOAT)
    for size in shape or ():
        tensor.shape.dim.add(**{"dim_value" if isinstance(size, int) else "dim_param": size})
    return onnx_message("Value")(name=name, type={"tensor_type": tensor})
