"""An encoder as a folder: ONNX in eight bits, what is said of it, its card; and back again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_batch.arrays import FloatArray
from ser_batch.features.encoders.graph import encoder_graph
from ser_batch.features.encoders.local import (
    CARD_FILE,
    ENCODER_FILE,
    FORMAT,
    HEAD_WIDTH,
    MANIFEST_FILE,
    LocalEncoder,
    read_encoder,
)
from ser_batch.features.encoders.mel import log_mel_definition
from ser_batch.features.encoders.onnx_tensors import onnx_tensors
from ser_batch.lab.distill.card import encoder_card
from ser_batch.lab.distill.curve import CURVE_FILE, draw_curve


def write_encoder(
    place: Path,
    name: str,
    arrays: Mapping[str, NDArray[Any]],
    after_blocks: Sequence[int],
    facts: Mapping[str, Any],
) -> LocalEncoder:
    """Write an encoder; the same arrays and the same words give the same bytes.

    Args:
        place: folder in which the encoder has its own
        name: of the encoder; one that ends in `-` is completed by the digest
        arrays: named as `embeddings.weights.load` names them
        after_blocks: states that it gives
        facts: how it was trained: `teacher`, `material`, `plan`, `history`, `held_out`, `command`
    """
    graph = eight_bit_graph(arrays, after_blocks)
    sha256 = hashlib.sha256(graph).hexdigest()
    folder = place / (f"{name}{sha256[:8]}" if name.endswith("-") else name)
    manifest = {
        "format": FORMAT,
        "name": folder.name,
        "sha256": sha256,
        "n_bytes": len(graph),
        "n_parameters": int(sum(np.size(values) for values in arrays.values())),
        "n_mels": int(arrays["conv1.weight"].shape[1]),
        "width": int(arrays["conv2.weight"].shape[0]),
        "head_width": HEAD_WIDTH,
        "after_blocks": list(after_blocks),
        "log_mel": log_mel_definition(),
        **facts,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ENCODER_FILE).write_bytes(graph)
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (folder / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")
    (folder / CARD_FILE).write_text(encoder_card(manifest), encoding="utf-8")
    draw_curve(manifest, folder / CURVE_FILE)
    return read_encoder(folder)


def eight_bit_graph(arrays: Mapping[str, NDArray[Any]], after_blocks: Sequence[int]) -> bytes:
    """The network with every matrix in eight bits."""
    return encoder_graph(
        arrays, head_width=HEAD_WIDTH, after_blocks=after_blocks, int8=True, int8_stem=True
    )


def encoder_arrays(encoder: LocalEncoder) -> dict[str, FloatArray]:
    """The arrays of an encoder, as near as eight bits say them.

    Raises:
        EncoderError: if its file is not the one that was written
    """
    encoder.graph()
    stored = onnx_tensors(encoder.folder / ENCODER_FILE)
    arrays: dict[str, FloatArray] = {}
    for name, values in stored.items():
        if values.dtype == np.int8:
            scale = stored[name.replace(".weight", ".scale")]
            matrix = (values * scale).T
            if name.startswith("conv"):
                matrix = matrix.reshape(len(matrix), 3, -1).transpose(0, 2, 1)
            arrays[name] = np.ascontiguousarray(matrix, np.float32)
        elif name.endswith((".bias", "_norm.weight")):
            arrays[name] = values.astype(np.float32)
    return arrays
