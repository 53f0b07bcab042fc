"""A trained network as a folder: ONNX, what is said of it, and its card."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ser_batch.arrays import FloatArray
from ser_batch.errors import EncoderError
from ser_batch.features.encoders.local import (
    CARD_FILE,
    ENCODER_FILE,
    MANIFEST_FILE,
    NETWORK_FORMAT,
)
from ser_batch.features.encoders.network import (
    FEATURES,
    SEGMENT,
    NetworkFeatureSet,
    read_network,
)
from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.disk import disk
from ser_batch.training.card import fill_card

OPSET = 17


def onnx_graph(network: nn.Module, example: FloatArray) -> bytes:
    """The network for one segment of any length.

    Args:
        network: a `FeatureNetwork`; it is moved to the processor, in evaluation mode
        example: what it reads of a segment
    """
    network.cpu().eval()
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # traces warn of every size that is read
        torch.onnx.export(
            network,
            (torch.from_numpy(example[None]),),
            stream,
            dynamo=False,
            input_names=[SEGMENT],
            output_names=[FEATURES],
            dynamic_axes={SEGMENT: {1: "n_steps"}},
            opset_version=OPSET,
        )
    return stream.getvalue()


def int8_graph(graph: bytes) -> bytes:
    """The same network with the matrices of its layers in eight bits, a scale an output."""
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="ser-batch-") as folder:
        before, after = Path(folder) / "before.onnx", Path(folder) / "after.onnx"
        before.write_bytes(graph)
        logging.disable(logging.WARNING)  # it advises what these graphs have no use for
        try:
            quantize_dynamic(
                before,
                after,
                op_types_to_quantize=["MatMul", "Gemm"],
                per_channel=True,
                weight_type=QuantType.QInt8,
            )
        finally:
            logging.disable(logging.NOTSET)
        return after.read_bytes()


def write_network(
    place: Path, stem: str, graph: bytes, facts: Mapping[str, Any]
) -> NetworkFeatureSet:
    """Write a network's folder, `stem` and a digest of its graph.

    Args:
        place: folder of encoders, beside the bundles
        stem: beginning of its name
        graph: ONNX, as `onnx_graph` gives it
        facts: for the manifest: reads, n_features, licence, votes, and what the card tells

    Raises:
        EncoderError: if it cannot be read back
    """
    sha256 = hashlib.sha256(graph).hexdigest()
    folder = place / f"{stem}-{sha256[:8]}"
    manifest = {
        "format": NETWORK_FORMAT,
        "name": folder.name,
        "sha256": sha256,
        "n_bytes": len(graph),
        **facts,
    }
    folder.mkdir(parents=True, exist_ok=True)
    disk().write(folder / ENCODER_FILE, graph)
    disk().sync(folder / ENCODER_FILE)
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    write_text_atomic(folder / MANIFEST_FILE, text, durable=True)
    write_text_atomic(folder / CARD_FILE, fill_card("ser_batch.lab.neural", manifest), durable=True)
    found = read_network(folder)
    if found is None:
        raise EncoderError(f"{folder} holds no network")
    return found
