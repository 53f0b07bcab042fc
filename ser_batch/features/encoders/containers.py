"""Whisper's encoder out of the files that people have: CTranslate2, safetensors, ONNX.

Each reader gives the same arrays under the same names, in half precision as published: nothing
is executed, nothing is unpickled, and a file that lies about its sizes is an error.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_batch.errors import WeightsError
from ser_batch.features.encoders.onnx_tensors import onnx_tensors

Raw = Mapping[str, NDArray[Any]]

LINEAR_LAYERS = ("query_key_value", "mix", "widen", "narrow")
NORMS = ("attention_norm", "feed_norm")

CTRANSLATE2_TYPES = {0: "<f4", 4: "<f2"}
CTRANSLATE2_NAMES = {
    "attention_norm": "self_attention/layer_norm",
    "query_key_value": "self_attention/linear_0",
    "mix": "self_attention/linear_1",
    "feed_norm": "ffn/layer_norm",
    "widen": "ffn/linear_0",
    "narrow": "ffn/linear_1",
}
SAFETENSORS_TYPES = {"F32": "<f4", "F16": "<f2"}
TRANSFORMERS_NAMES = {
    "attention_norm": "self_attn_layer_norm",
    "mix": "self_attn.out_proj",
    "feed_norm": "final_layer_norm",
    "widen": "fc1",
    "narrow": "fc2",
}


def read_container(path: Path, n_blocks: int) -> dict[str, NDArray[np.float16]]:
    """The first blocks of the encoder in a file.

    Args:
        path: `.bin` (CTranslate2), `.safetensors` or `.onnx`
        n_blocks: how many

    Returns:
        half-precision arrays by name, matrices as (outputs, inputs)

    Raises:
        WeightsError: if it is no such file, or holds no Whisper encoder
    """
    read, named = READERS[path.suffix]
    try:
        raw = read(path)
        arrays = named(raw, n_blocks)
    except KeyError as error:
        raise WeightsError(f"{path} holds no encoder of Whisper: no {error}") from error
    except (OSError, ValueError, IndexError, struct.error, AttributeError) as error:
        raise WeightsError(f"{path} cannot be read: {error}") from error
    return {name: values.astype("<f2") for name, values in arrays.items()}


def _ctranslate2(path: Path) -> Raw:
    """Float variables of a CTranslate2 model.

    Source: CTranslate2's `model_spec.py`, binary version 6.
    """
    content = path.read_bytes()
    position = 0

    def number(code: str) -> int:
        nonlocal position
        (value,) = struct.unpack_from(f"<{code}", content, position)
        position += struct.calcsize(f"<{code}")
        return int(value)

    def text() -> str:
        nonlocal position
        size = number("H")
        position += size
        return content[position - size : position].rstrip(b"\0").decode()

    if number("I") != 6 or text() != "WhisperSpec":
        raise ValueError("not a Whisper model of CTranslate2, binary version 6")
    number("I")
    found = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind, size = number("B"), number("I")
        if kind in CTRANSLATE2_TYPES:
            found[name] = _array(content, position, size, CTRANSLATE2_TYPES[kind], shape)
        position += size
    return found


def _ctranslate2_named(raw: Raw, n_blocks: int) -> Raw:
    arrays = {
        **{f"{name}.{part}": raw[f"encoder/{name}/{part}"] for name, part in _convolutions()},
        "positions": raw["encoder/position_encodings/encodings"],
    }
    for block in range(n_blocks):
        for name, theirs in CTRANSLATE2_NAMES.items():
            parts = ("gamma", "beta") if name in NORMS else ("weight", "bias")
            for part, their_part in zip(("weight", "bias"), parts, strict=True):
                source = f"encoder/layer_{block}/{theirs}/{their_part}"
                arrays[f"blocks.{block}.{name}.{part}"] = raw[source]
    return arrays


def _safetensors(path: Path) -> Raw:
    """Float tensors of a safetensors file.

    Source: the format's README: eight bytes of size, a JSON header, the values.
    """
    content = path.read_bytes()
    (size,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + size])
    found = {}
    for name, entry in header.items():
        if entry.get("dtype") in SAFETENSORS_TYPES:
            start, end = entry["data_offsets"]
            kind = SAFETENSORS_TYPES[entry["dtype"]]
            found[name] = _array(content, 8 + size + start, end - start, kind, entry["shape"])
    return found


def _transformers_named(raw: Raw, n_blocks: int) -> Raw:
    """Names of the transformers library; a file of the encoder alone has no prefix."""
    prefix = next((p for p in ("model.encoder.", "encoder.") if f"{p}conv1.weight" in raw), "")
    arrays = {
        **{f"{name}.{part}": raw[f"{prefix}{name}.{part}"] for name, part in _convolutions()},
        "positions": raw[f"{prefix}embed_positions.weight"],
    }
    for block in range(n_blocks):
        at, to = f"{prefix}layers.{block}", f"blocks.{block}"
        for name, theirs in TRANSFORMERS_NAMES.items():
            for part in ("weight", "bias"):
                arrays[f"{to}.{name}.{part}"] = raw[f"{at}.{theirs}.{part}"]
        for part in ("weight", "bias"):
            joined = [_projection(raw, f"{at}.self_attn.{which}_proj", part) for which in "qkv"]
            arrays[f"{to}.query_key_value.{part}"] = np.concatenate(joined)
    return arrays


def _projection(raw: Raw, name: str, part: str) -> NDArray[Any]:
    """A matrix or an offset; keys have no offset of their own."""
    if part == "bias" and name.endswith("k_proj"):
        return np.zeros_like(raw[name.replace("k_proj", "q_proj") + ".bias"])
    return raw[f"{name}.{part}"]


def _convolutions() -> Iterator[tuple[str, str]]:
    return ((name, part) for name in ("conv1", "conv2") for part in ("weight", "bias"))


def _array(content: bytes, start: int, size: int, kind: str, shape: list[int]) -> NDArray[Any]:
    count = math.prod(shape)
    if count * np.dtype(kind).itemsize != size or start + size > len(content):
        raise ValueError("truncated, or sizes that contradict each other")
    return np.frombuffer(content, kind, count, start).reshape(shape)


READERS: dict[str, tuple[Callable[[Path], Raw], Callable[[Raw, int], Raw]]] = {
    ".bin": (_ctranslate2, _ctranslate2_named),
    ".safetensors": (_safetensors, _transformers_named),
    ".onnx": (onnx_tensors, _transformers_named),
}
"""By ending: how a file is read, and how its names become ours."""
