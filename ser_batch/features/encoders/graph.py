"""The first blocks of an encoder as an ONNX graph, made from arrays: Whisper's or our own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_batch.features.encoders.onnx_writer import Attribute, model, node
from ser_batch.features.encoders.weights import Arrays

EPSILON = 1e-5
INT8_PEAK = 127
LAST = 2**31
"""Beyond any row."""

SPECTRUM, POSITIONS = "spectrum", "positions"


def state_name(block: int) -> str:
    """Name of the output after so many blocks."""
    return f"state_{block}"


def encoder_graph(
    arrays: Arrays,
    *,
    head_width: int,
    after_blocks: Sequence[int],
    int8: bool,
    int8_stem: bool = False,
) -> bytes:
    """A model from a log-mel spectrum to states, without padding.

    Its inputs are `spectrum` of shape (n_frames, n_mels) and `positions`, the first
    ceil(n_frames / 2) of them; its outputs are the states after each of `after_blocks`, shape
    (ceil(n_frames / 2), width).

    Args:
        arrays: named as `weights.load` names them; parts of a block may be narrower than its states
        head_width: of the attention's heads
        after_blocks: which states are wanted
        int8: matrices of the blocks in eight bits, one scale an output; states then are within
            about a percent
        int8_stem: the convolutions in eight bits too
    """
    graph = _Graph(int8=int8)
    hidden = graph.int8_stem(arrays) if int8_stem else graph.stem(arrays)
    hidden = graph.apply("Add", [hidden, POSITIONS])
    for block in range(1, max(after_blocks) + 1):
        last = graph.block(arrays, f"blocks.{block - 1}", hidden, head_width)
        hidden = graph.apply("Identity", [last], output=state_name(block))
    width, n_mels = arrays["conv2.weight"].shape[0], arrays["conv1.weight"].shape[1]
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

    def stem(self, arrays: Arrays) -> str:
        """The two convolutions; their result has a row a state."""
        hidden = self.apply("Transpose", [SPECTRUM], perm=[1, 0])
        hidden = self.apply("Unsqueeze", [hidden, self.constant("first", np.array([0]))])
        for number, stride in ((1, 1), (2, 2)):
            kernel, offset = self.weights(arrays, f"conv{number}")
            hidden = self.apply("Conv", [hidden, kernel, offset], pads=[1, 1], strides=[stride])
            hidden = self.apply("Gelu", [hidden])
        hidden = self.apply("Squeeze", [hidden, self.constant("first", np.array([0]))])
        return self.apply("Transpose", [hidden], perm=[1, 0])

    def int8_stem(self, arrays: Arrays) -> str:
        """The two convolutions as products of three neighbouring rows and a matrix."""
        hidden = SPECTRUM
        for number, stride in ((1, 1), (2, 2)):
            kernel = arrays[f"conv{number}.weight"]
            flat = {
                f"conv{number}.weight": kernel.transpose(0, 2, 1).reshape(len(kernel), -1),
                f"conv{number}.bias": arrays[f"conv{number}.bias"],
            }
            rows = self._neighbours(hidden, stride)
            hidden = self.apply("Gelu", [self._linear(flat, f"conv{number}", rows)])
        return hidden

    def _neighbours(self, hidden: str, stride: int) -> str:
        """Each strided row between the ones before and after it; beyond the ends are zeros."""
        ends = self.constant("one_row_each", np.array([1, 0, 1, 0]))
        padded = self.apply("Pad", [hidden, ends])
        rows, step = self.constant("rows", np.array([0])), np.array([stride])
        parts = []
        for first, last in ((0, -2), (1, -1), (2, LAST)):
            place = [
                self.constant(f"first_{first}", np.array([first])),
                self.constant(f"last_{first}", np.array([last])),
            ]
            strides = self.constant(f"stride_{stride}", step)
            parts.append(self.apply("Slice", [padded, *place, rows, strides]))
        return self.apply("Concat", parts, axis=1)

    def block(self, arrays: Arrays, at: str, hidden: str, head_width: int) -> str:
        """One transformer block."""
        normal = self._normalised(arrays, f"{at}.attention_norm", hidden)
        attended = self._attended(arrays, at, normal, head_width)
        hidden = self.apply("Add", [hidden, self._linear(arrays, f"{at}.mix", attended)])
        normal = self._normalised(arrays, f"{at}.feed_norm", hidden)
        wide = self.apply("Gelu", [self._linear(arrays, f"{at}.widen", normal)])
        return self.apply("Add", [hidden, self._linear(arrays, f"{at}.narrow", wide)])

    def _attended(self, arrays: Arrays, at: str, hidden: str, head_width: int) -> str:
        """Multi-head attention; `hidden` is (n_states, width)."""
        inner = arrays[f"{at}.mix.weight"].shape[1]
        head = self.constant(f"{at}.heads", np.array([-1, inner // head_width, head_width]))
        flat = self.constant(f"{at}.joined", np.array([-1, inner]))
        thirds = self.constant(f"{at}.thirds", np.array([inner] * 3))
        joined = self._linear(arrays, f"{at}.query_key_value", hidden)
        names = [f"{at}.{which}" for which in ("query", "key", "value")]
        self.nodes.append(node("Split", [joined, thirds], names, axis=1))
        query, key, value = (
            self.apply("Transpose", [self.apply("Reshape", [name, head])], perm=order)
            for name, order in zip(names, ([1, 0, 2], [1, 2, 0], [1, 0, 2]), strict=True)
        )
        scale = self.constant("query_scale", np.array(head_width**-0.5))
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
