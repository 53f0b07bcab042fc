"""ONNX models written without the `onnx` package: as much of the format as an encoder needs.

Source: onnx.proto, whose field numbers are named where they are used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

IR_VERSION = 9
OPSETS = {"": 20, "com.microsoft": 1}
"""The standard operators, and onnxruntime's own."""

TYPE_NUMBERS = {"float32": 1, "int8": 3, "int64": 7}

Attribute = int | float | Sequence[int]


def model(
    nodes: Sequence[bytes],
    constants: Mapping[str, NDArray[Any]],
    *,
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Sequence[str],
) -> bytes:
    """A model; inputs are float and their shapes may name sizes that vary.

    Source: ModelProto.ir_version = 1, .graph = 7, .opset_import = 8; GraphProto.node = 1,
    .name = 2, .initializer = 5, .input = 11, .output = 12.
    """
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _field(2, b"encoder"),
            *(_field(5, _tensor(name, values)) for name, values in constants.items()),
            *(_field(11, _float_value(name, shape)) for name, shape in inputs.items()),
            *(_field(12, _float_value(name, None)) for name in outputs),
        ]
    )
    opsets = b"".join(
        _field(8, _field(1, domain.encode()) + _number(2, version))
        for domain, version in OPSETS.items()
    )
    return _number(1, IR_VERSION) + _field(7, graph) + opsets


def node(
    operator: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    domain: str = "",
    **attributes: Attribute,
) -> bytes:
    """One operation; an input that is left out is an empty name.

    Source: NodeProto.input = 1, .output = 2, .op_type = 4, .attribute = 5, .domain = 7.
    """
    return b"".join(
        [
            *(_field(1, name.encode()) for name in inputs),
            *(_field(2, name.encode()) for name in outputs),
            _field(4, operator.encode()),
            *(_field(5, _attribute(name, value)) for name, value in attributes.items()),
            _field(7, domain.encode()),
        ]
    )


def _attribute(name: str, value: Attribute) -> bytes:
    """Source: AttributeProto.name = 1, .f = 2, .i = 3, .ints = 8, .type = 20."""
    if isinstance(value, float):
        content = _varint(2 << 3 | 5) + np.float32(value).tobytes() + _number(20, 1)
    elif isinstance(value, int):
        content = _number(3, value) + _number(20, 2)
    else:
        content = b"".join(_number(8, entry) for entry in value) + _number(20, 7)
    return _field(1, name.encode()) + content


def _tensor(name: str, values: NDArray[Any]) -> bytes:
    """Source: TensorProto.dims = 1, .data_type = 2, .name = 8, .raw_data = 9."""
    dims = b"".join(_number(1, size) for size in values.shape)
    kind = _number(2, TYPE_NUMBERS[values.dtype.name])
    return (
        dims + kind + _field(8, name.encode()) + _field(9, np.ascontiguousarray(values).tobytes())
    )


def _float_value(name: str, shape: Sequence[int | str] | None) -> bytes:
    """Source: ValueInfoProto.name = 1, .type = 2; TypeProto.tensor_type = 1; TypeProto.Tensor
    .elem_type = 1, .shape = 2; TensorShapeProto.dim = 1; Dimension.dim_value = 1, .dim_param = 2.
    """
    tensor = _number(1, TYPE_NUMBERS["float32"])
    if shape is not None:
        dims = [
            _number(1, size) if isinstance(size, int) else _field(2, size.encode())
            for size in shape
        ]
        tensor += _field(2, b"".join(_field(1, dim) for dim in dims))
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value % (1 << 64))


def _varint(value: int) -> bytes:
    """Seven bits a byte, lowest first."""
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])
