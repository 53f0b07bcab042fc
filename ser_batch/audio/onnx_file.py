"""ONNX files through the protocol buffers runtime, which onnxruntime brings along.

Only the messages and fields that weights and encoders need are declared; others are skipped. The
runtime bounds what a file can ask of it: sizes, the length of numbers, the depth of messages.

Source: onnx.proto, whose numbers these are.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # slow to import, and not needed by a night that computes nothing
    from google.protobuf.descriptor_pool import DescriptorPool

TYPES = {1: "<f4", 3: "|i1", 7: "<i8", 10: "<f2"}
"""Numbers that weights are kept in, by TensorProto.DataType."""

Message = Any
"""A message of a class that exists while the program runs."""

_FIELDS = {
    "Model": "ir_version=1:int64 graph=7:Graph opset_import=8:OperatorSet*",
    "OperatorSet": "domain=1:string version=2:int64",
    "Graph": "node=1:Node* name=2:string initializer=5:Tensor* input=11:Value* output=12:Value*",
    "Node": (
        "input=1:string* output=2:string* name=3:string op_type=4:string attribute=5:Attribute* "
        "domain=7:string"
    ),
    "Attribute": (
        "name=1:string f=2:float i=3:int64 t=5:Tensor g=6:Graph ints=8:int64* type=20:int32"
    ),
    "Tensor": "dims=1:int64* data_type=2:int32 name=8:string raw_data=9:bytes",
    "Value": "name=1:string type=2:Type",
    "Type": "tensor_type=1:TensorType",
    "TensorType": "elem_type=1:int32 shape=2:Shape",
    "Shape": "dim=1:Dimension*",
    "Dimension": "dim_value=1:int64 dim_param=2:string",
}
"""Fields by message: name=number:type, an asterisk where the field repeats."""


@cache
def onnx_message(name: str) -> Any:
    """The class of a message, by its name in `_FIELDS`."""
    from google.protobuf import message_factory

    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"onnx.{name}"))


def read_graph(path: Path) -> Message:
    """The graph of an ONNX file.

    Raises:
        ValueError: if it is none
    """
    from google.protobuf.message import DecodeError

    model = onnx_message("Model")()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise ValueError(f"not an ONNX file: {error}") from error
    if not model.HasField("graph"):
        raise ValueError("not an ONNX file: it holds no graph")
    return model.graph


def tensor(message: Message) -> NDArray[Any] | None:
    """A tensor of numbers that weights are kept in, if they lie in the file itself; else None.

    Raises:
        ValueError: if its shape and its size contradict each other
    """
    if message.data_type not in TYPES or not message.HasField("raw_data"):
        return None
    return shaped(message.raw_data, TYPES[message.data_type], list(message.dims))


def shaped(content: bytes, kind: str, shape: list[int]) -> NDArray[Any]:
    """Numbers out of a file, whose shape may lie.

    Args:
        content: the values
        kind: their type in numpy's notation
        shape: as the file states it

    Raises:
        ValueError: if the values do not fill the shape exactly
    """
    size = np.dtype(kind).itemsize * math.prod(shape)
    if min(shape, default=0) < 0 or size != len(content):
        raise ValueError("truncated, or sizes that contradict each other")
    return np.frombuffer(content, kind).reshape(shape)


@cache
def _pool() -> DescriptorPool:
    """The declarations of all messages."""
    from google.protobuf import descriptor_pb2, descriptor_pool

    file = descriptor_pb2.FileDescriptorProto(name="onnx.proto", package="onnx", syntax="proto2")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for declaration in fields.split():
            field, _, rest = declaration.partition("=")
            number, _, kind = rest.partition(":")
            added = message.field.add(name=field, number=int(number))
            added.label = added.LABEL_REPEATED if kind.endswith("*") else added.LABEL_OPTIONAL
            kind = kind.rstrip("*")
            if kind in _FIELDS:
                added.type, added.type_name = added.TYPE_MESSAGE, f".onnx.{kind}"
            else:
                added.type = getattr(added, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool
