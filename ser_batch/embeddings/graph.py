"""The first blocks of Whisper's encoder as an ONNX graph, made from our own file of weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_batch.embeddings.onnx_writer import Attribute, model, node
from ser_batch.embeddings.weights import Arrays

EPSILON = 1e-5
INT8_PEAK = 127

SPECTRUM, POSITIONS = "spectrum", "positions"


def state_name(block: int) -> str:
    """Name of the output after so many blocks."""
    return f"state_{block}"


def encoder_graph(
    arrays: Arrays, *, n_heads: int, after_blocks: Sequence[int], int8: bool
) -> bytes:
    """A model from a log-mel spectrum to states, without padding.

    Its inputs are `spectrum` of shape (n_frames, 80) and `positions`, the first ceil(n_frames / 2)
    of them; its outputs are the states after each of `after_blocks`, shape
    (ceil(n_frames / 2), width).

    Args:
        arrays: as `weights.load` gives them
        n_heads: of the attention
        after_blocks: which states are wanted
        int8: matrices of the blocks in eight bits, one scale an output; states then are within
            about a percent
    """
    graph = _Graph(int8=int8)
    hidden = graph.apply("Transpose", [SPECTRUM], perm=[1, 0])
    hidden = graph.apply("Unsqueeze", [hidden, graph.constant("first", np.array([0]))])
    for number, stride in ((1, 1), (2, 2)):
        kernel, offset = graph.weights(arrays, f"conv{number}")
        hidden = graph.apply("Conv", [hidden, kernel, offset], pads=[1, 1], strides=[stride])
        hidden = graph.apply("Gelu", [hidden])
    hidden = graph.apply("Squeeze", [hidden, graph.constant("first", np.array([0]))])
    hidden = graph.apply("Transpose", [hidden], perm=[1, 0])
    hidden = graph.apply("Add", [hidden, POSITIONS])
    for block in range(1, max(after_blocks) + 1):
        last = graph.block(arrays, f"blocks.{block - 1}", hidden, n_heads)
        hidden = graph.apply("Identity", [last], output=state_name(block))
    width = arrays["positions"].shape[1]
    n_mels = arrays["conv1.weight"].shape[1]
    return model(
        graph.nodes,
        graph.constants,
        inputs={SPECTRUM: ("n_frames", n_mels), POSITIONS: ("n_states", width)},
        outputs=[state_name(block) for block in after_blocks],
    )


class _Graph:
    """Nodes and constants, as they are added."""

    def __init__(self, *, int8: bool) -> None:
        self._int8 = int8
        self.nodes: list[bytes] = []
        self.constants: dict[str, NDArray[Any]] = {}

    def apply(
        self,
        operator: str,
        inputs: Sequence[str],
        *,
        output: str = "",
        domain: str = "",
        **attributes: Attribute,
    ) -> str:
        """Add an operation; the name of its result."""
        name = output or f"value_{len(self.nodes)}"
        self.nodes.append(node(operator, inputs, [name], domain=domain, **attributes))
        return name

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add a constant; floats in single precision."""
        kind = np.float32 if values.dtype.kind == "f" else values.dtype
        self.constants[name] = values.astype(kind)
        return name

    def weights(self, arrays: Arrays, name: str) -> list[str]:
        """Add a layer's weight and bias."""
        parts = (f"{name}.weight", f"{name}.bias")
        return [self.constant(part, arrays[part]) for part in parts]

    def block(self, arrays: Arrays, at: str, hidden: str, n_heads: int) -> str:
        """One transformer block."""
        normal = self._normalised(arrays, f"{at}.attention_norm", hidden)
        attended = self._attended(arrays, at, normal, n_heads)
        hidden = self.apply("Add", [hidden, self._linear(arrays, f"{at}.mix", attended)])
        normal = self._normalised(arrays, f"{at}.feed_norm", hidden)
        wide = self.apply("Gelu", [self._linear(arrays, f"{at}.widen", normal)])
        return self.apply("Add", [hidden, self._linear(arrays, f"{at}.narrow", wide)])

    def _attended(self, arrays: Arrays, at: str, hidden: str, n_heads: int) -> str:
        """Multi-head attention; `hidden` is (n_states, width)."""
        width = arrays[f"{at}.mix.weight"].shape[0]
        head = self.constant("head_shape", np.array([-1, n_heads, width // n_heads]))
        flat = self.constant("flat_shape", np.array([-1, width]))
        thirds = self.constant("thirds", np.array([width] * 3))
        joined = self._linear(arrays, f"{at}.query_key_value", hidden)
        names = [f"{at}.{which}" for which in ("query", "key", "value")]
        self.nodes.append(node("Split", [joined, thirds], names, axis=1))
        query, key, value = (
            self.apply("Transpose", [self.apply("Reshape", [name, head])], perm=order)
            for name, order in zip(names, ([1, 0, 2], [1, 2, 0], [1, 0, 2]), strict=True)
        )
        scale = self.constant("query_scale", np.array((width // n_heads) ** -0.5))
        alike = self.apply("MatMul", [self.apply("Mul", [query, scale]), key])
        mixed = self.apply("MatMul", [self.apply("Softmax", [alike], axis=-1), value])
        return self.apply("Reshape", [self.apply("Transpose", [mixed], perm=[1, 0, 2]), flat])

    def _normalised(self, arrays: Arrays, name: str, hidden: str) -> str:
        gain, offset = self.weights(arrays, name)
        return self.apply("LayerNormalization", [hidden, gain, offset], epsilon=EPSILON)

    def _linear(self, arrays: Arrays, name: str, hidden: str) -> str:
        matrix = arrays[f"{name}.weight"].astype(np.float32).T
        offset = self.constant(f"{name}.bias", arrays[f"{name}.bias"])
        if not self._int8:
            weight = self.constant(f"{name}.weight", matrix)
            return self.apply("Add", [self.apply("MatMul", [hidden, weight]), offset])
        scale = np.maximum(np.abs(matrix).max(axis=0), 1e-12) / INT8_PEAK
        rounded = self.constant(f"{name}.weight", np.rint(matrix / scale).astype(np.int8))
        scales = self.constant(f"{name}.scale", scale)
        return self.apply(
            "DynamicQuantizeMatMul", [hidden, rounded, scales, "", offset], domain="com.microsoft"
        )
