"""Whisper's encoder out of the files that people have: CTranslate2, safetensors, ONNX.

Each reader gives the same arrays under the same names, in half precision as published: nothing
is executed, nothing is unpickled, and a file that lies about its sizes is an error.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from ser_batch.audio.onnx_file import shaped
from ser_batch.errors import WeightsError
from ser_batch.features.encoders.onnx_tensors import onnx_tensors

Raw = Mapping[str, NDArray[Any]]

MAX_BYTES = 4 << 30
"""More than any encoder of Whisper has."""

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
SAFETENSORS_TYPES = ("F32", "F16")
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
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES >> 30} GiB")
        raw = read(path)
        arrays = named(raw, n_blocks)
    except KeyError as error:
        raise WeightsError(f"{path} holds no encoder of Whisper: no {error}") from error
    except (OSError, ValueError, IndexError, struct.error, SafetensorError) as error:
        raise WeightsError(f"{path} cannot be read: {error}") from error
    with np.errstate(over="ignore"):  # the published numbers fit
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
            values = content[position : position + size]
            found[name] = shaped(values, CTRANSLATE2_TYPES[kind], shape)
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
    """Float tensors of a safetensors file."""
    with safe_open(path, framework="numpy") as file:
        names = file.keys()
        kinds = {name: file.get_slice(name).get_dtype() for name in names}
        return {name: file.get_tensor(name) for name in names if kinds[name] in SAFETENSORS_TYPES}


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


READERS: dict[str, tuple[Callable[[Path], Raw], Callable[[Raw, int], Raw]]] = {
    ".bin": (_ctranslate2, _ctranslate2_named),
    ".safetensors": (_safetensors, _transformers_named),
    ".onnx": (onnx_tensors, _transformers_named),
}
"""By ending: how a file is read, and how its names become ours."""
