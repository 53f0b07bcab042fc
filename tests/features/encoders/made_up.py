"""A made-up encoder of few numbers, and writers of the containers that people have."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_batch.features.encoders.weights import WEIGHTS, Weights, content_sha256

WIDTH, N_HEADS, N_BLOCKS, N_POSITIONS = 16, 2, 2, 100

Tensors = dict[str, NDArray[Any]]


def speechlike(seconds: float, sample_rate: int, *, gain: float = 0.1) -> NDArray[np.float32]:
    """Harmonics of a gliding pitch with syllables; all below 3.2 kHz."""
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * np.cumsum(120 + 40 * np.sin(2 * np.pi * 0.7 * t)) / sample_rate
    voice = sum(np.sin(k * phase) / k for k in range(1, 20))
    return (gain * voice * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))).astype(np.float32)


def transformers_tensors(seed: int = 0) -> Tensors:
    """Random weights under the names of the transformers library, half precision."""
    rng = np.random.default_rng(seed)

    def values(*shape: int) -> NDArray[np.float16]:
        return (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float16)

    found: Tensors = {
        "conv1.weight": values(WIDTH, 80, 3),
        "conv1.bias": values(WIDTH),
        "conv2.weight": values(WIDTH, WIDTH, 3),
        "conv2.bias": values(WIDTH),
        "embed_positions.weight": values(N_POSITIONS, WIDTH),
    }
    shapes = {
        "self_attn.q_proj": (WIDTH, WIDTH),
        "self_attn.k_proj": (WIDTH, WIDTH),
        "self_attn.v_proj": (WIDTH, WIDTH),
        "self_attn.out_proj": (WIDTH, WIDTH),
        "fc1": (4 * WIDTH, WIDTH),
        "fc2": (WIDTH, 4 * WIDTH),
        "self_attn_layer_norm": (WIDTH,),
        "final_layer_norm": (WIDTH,),
    }
    for block in range(N_BLOCKS):
        for name, shape in shapes.items():
            found[f"layers.{block}.{name}.weight"] = values(*shape)
            if name != "self_attn.k_proj":
                found[f"layers.{block}.{name}.bias"] = values(shape[0])
    return found


def write_safetensors(path: Path, tensors: Tensors, *, prefix: str = "model.encoder.") -> Path:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, tensor in tensors.items():
        raw = tensor.astype("<f4").tobytes()
        offsets = [len(body), len(body) + len(raw)]
        header[prefix + name] = {
            "dtype": "F32",
            "shape": list(tensor.shape),
            "data_offsets": offsets,
        }
        body += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


def write_ctranslate2(path: Path, tensors: Tensors) -> Path:
    variables: Tensors = {
        f"encoder/{conv}/{part}": tensors[f"{conv}.{part}"]
        for conv in ("conv1", "conv2")
        for part in ("weight", "bias")
    }
    variables["encoder/position_encodings/encodings"] = tensors["embed_positions.weight"]
    for block in range(N_BLOCKS):
        at, to = f"layers.{block}", f"encoder/layer_{block}"
        no_bias = np.zeros(WIDTH, np.float16)
        for part in ("weight", "bias"):
            joined = [tensors.get(f"{at}.self_attn.{w}_proj.{part}", no_bias) for w in "qkv"]
            variables[f"{to}/self_attention/linear_0/{part}"] = np.concatenate(joined)
            for theirs, ours in (
                ("self_attn.out_proj", "self_attention/linear_1"),
                ("fc1", "ffn/linear_0"),
                ("fc2", "ffn/linear_1"),
            ):
                variables[f"{to}/{ours}/{part}"] = tensors[f"{at}.{theirs}.{part}"]
        for theirs, ours in (
            ("self_attn_layer_norm", "self_attention"),
            ("final_layer_norm", "ffn"),
        ):
            variables[f"{to}/{ours}/layer_norm/gamma"] = tensors[f"{at}.{theirs}.weight"]
            variables[f"{to}/{ours}/layer_norm/beta"] = tensors[f"{at}.{theirs}.bias"]
    content = (
        struct.pack("<I", 6) + _counted("WhisperSpec") + struct.pack("<II", 3, len(variables) + 1)
    )
    content += _counted("encoder/num_heads") + struct.pack("<BBIh", 0, 2, 2, N_HEADS)
    for name, tensor in variables.items():
        raw = tensor.astype("<f2").tobytes()
        content += _counted(name) + struct.pack(f"<B{tensor.ndim}I", tensor.ndim, *tensor.shape)
        content += struct.pack("<BI", 4, len(raw)) + raw
    path.write_bytes(content + struct.pack("<I", 0))
    return path


def write_onnx(path: Path, tensors: Tensors) -> Path:
    """As exporters do: offsets keep their names, matrices are transposed and numbered."""
    graph = b""
    for number, (name, tensor) in enumerate(tensors.items()):
        if name.startswith("layers") and tensor.ndim == 2:
            stored = f"onnx::MatMul_{1000 + number}"
            graph += _field(5, _tensor(stored, np.ascontiguousarray(tensor.T)))
            node = "/" + name.removesuffix(".weight").replace(".self_attn.", "/self_attn/")
            node = node.replace(".fc", "/fc") + "/MatMul"
            inputs = _field(1, b"/hidden") + _field(1, stored.encode())
            graph += _field(1, inputs + _field(3, node.encode()) + _field(4, b"MatMul"))
        else:
            graph += _field(5, _tensor(name, tensor))
    path.write_bytes(_field(2, b"made up") + _field(7, graph))
    return path


def made_up_weights(tmp_path: Path, name: str = "whisper_base") -> Weights:
    """Known weights whose accepted digests are those of the made-up encoder."""
    from ser_batch.features.encoders.containers import read_container

    arrays = read_container(
        write_safetensors(tmp_path / "made_up.safetensors", transformers_tensors()), N_BLOCKS
    )
    return replace(
        WEIGHTS[name],
        width=WIDTH,
        n_heads=N_HEADS,
        n_blocks=N_BLOCKS,
        sha256=content_sha256(arrays),
    )


def _counted(text: str) -> bytes:
    raw = text.encode() + b"\0"
    return struct.pack("<H", len(raw)) + raw


def _tensor(name: str, tensor: NDArray[Any]) -> bytes:
    dims = b"".join(b"\x08" + _varint(size) for size in tensor.shape)
    raw = _field(9, tensor.astype("<f4").tobytes())
    return dims + b"\x10\x01" + _field(8, name.encode()) + raw


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])
