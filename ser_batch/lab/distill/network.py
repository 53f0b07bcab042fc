"""The encoder as a torch network: the teacher's design, as wide and as deep as its arrays say.

torch is wanted here and in the training only; what is trained runs on onnxruntime.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from ser_batch.arrays import FloatArray
from ser_batch.features.encoders.encoder import sinusoids
from ser_batch.features.encoders.local import HEAD_WIDTH, N_POSITIONS

EPSILON = 1e-5


class Network(nn.Module):  # type: ignore[misc]  # torch is an extra
    """Two convolutions and some transformer blocks.

    Its parameters have the names of the arrays that `embeddings.weights.load` gives.

    Args:
        arrays: its parameters
        frozen: beginnings of the names of those that are not trained
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], frozen: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.n_blocks = 1 + max(
            int(name.split(".")[1]) for name in arrays if name.startswith("blocks.")
        )
        self.width = int(arrays["conv2.weight"].shape[0])
        for name, values in arrays.items():
            if name == "positions":
                continue
            whole = torch.from_numpy(np.array(values, np.float32))
            parameter = nn.Parameter(whole, requires_grad=not name.startswith(frozen))
            self.register_parameter(name.replace(".", "/"), parameter)
        table = torch.from_numpy(sinusoids(N_POSITIONS, self.width))
        self.register_buffer("positions", table, persistent=False)

    def forward(self, spectra: Tensor, after_blocks: Sequence[int]) -> list[Tensor]:
        """States of a batch of clips of one length.

        Args:
            spectra: log-mel, shape (n_clips, n_frames, n_mels)
            after_blocks: which states, counted from 1

        Returns:
            one a block, shape (n_clips, ceil(n_frames / 2), width)
        """
        hidden = self.stem(spectra)
        states = []
        for block in range(max(after_blocks)):
            hidden = self.parts(f"blocks.{block}", hidden)[-1]
            if block + 1 in after_blocks:
                states.append(hidden)
        return states

    def stem(self, spectra: Tensor) -> Tensor:
        """The state before the first block."""
        hidden = spectra.transpose(1, 2)
        for number, stride in ((1, 1), (2, 2)):
            kernel, bias = self._array(f"conv{number}.weight"), self._array(f"conv{number}.bias")
            hidden = F.gelu(F.conv1d(hidden, kernel, bias, stride=stride, padding=1))
        hidden = hidden.transpose(1, 2).float()
        return hidden + self.positions[: hidden.shape[1]]

    def parts(self, at: str, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What a block computes: its heads' values, the state between, units, the state after."""
        attended = self._attended(at, self._normalised(f"{at}.attention_norm", hidden))
        between = hidden + self._linear(f"{at}.mix", attended).float()
        units = F.gelu(self._linear(f"{at}.widen", self._normalised(f"{at}.feed_norm", between)))
        return attended, between, units, between + self._linear(f"{at}.narrow", units).float()

    def _attended(self, at: str, hidden: Tensor) -> Tensor:
        n_clips, n_states, _ = hidden.shape
        joined = self._linear(f"{at}.query_key_value", hidden)
        thirds = joined.view(n_clips, n_states, 3, -1, HEAD_WIDTH).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(thirds[0], thirds[1], thirds[2])
        return mixed.transpose(1, 2).reshape(n_clips, n_states, -1)

    def _linear(self, name: str, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self._array(f"{name}.weight"), self._array(f"{name}.bias"))

    def _normalised(self, name: str, hidden: Tensor) -> Tensor:
        gain, offset = self._array(f"{name}.weight"), self._array(f"{name}.bias")
        return F.layer_norm(hidden, (self.width,), gain, offset, EPSILON)

    def _array(self, name: str) -> Tensor:
        """A parameter as it is used now: something may be added to it."""
        found: Tensor = getattr(self, name.replace(".", "/"))
        return found

    def named_arrays(self) -> dict[str, nn.Parameter]:
        """The parameters by the names of their arrays."""
        return {name.replace("/", "."): values for name, values in self.named_parameters()}


@dataclass(frozen=True)
class Size:
    """What is kept of a teacher.

    Attributes:
        n_mels: lowest bands of the log-mel spectrum that it reads
        stem: channels of its first convolution
        n_heads: of each block's attention
        hidden: units of each block's feed-forward part
        n_blocks: first blocks
    """

    n_mels: int
    stem: int
    n_heads: int
    hidden: int
    n_blocks: int


@torch.no_grad()  # type: ignore[untyped-decorator]
def pruned(
    arrays: Mapping[str, NDArray[Any]], size: Size, spectra: Sequence[FloatArray], floor: float
) -> dict[str, FloatArray]:
    """A smaller network that computes nearly the same: the parts that matter least are left out.

    What a part left out adds on average is added as a constant instead.

    Args:
        arrays: of the teacher
        size: of the network that is wanted
        spectra: log-mel of some clips, shape (n_frames, n_mels of the teacher)
        floor: what a band above the wanted ones reads
    """
    kept = {
        name: np.array(values, np.float32)
        for name, values in arrays.items()
        if not name.startswith("blocks.") or int(name.split(".")[1]) < size.n_blocks
    }
    kept.pop("positions")
    above = kept["conv1.weight"][:, size.n_mels :]
    kept["conv1.bias"] = kept["conv1.bias"] + floor * above.sum(axis=(1, 2))
    kept["conv1.weight"] = kept["conv1.weight"][:, : size.n_mels]
    inputs = [torch.from_numpy(spectrum[:, : size.n_mels].copy()) for spectrum in spectra]
    _prune_stem(kept, size.stem, inputs)
    for block in range(size.n_blocks):
        _prune_block(kept, f"blocks.{block}", size, inputs)
    return {name: np.ascontiguousarray(values, np.float32) for name, values in kept.items()}


def _prune_stem(kept: dict[str, FloatArray], n_wanted: int, inputs: Sequence[Tensor]) -> None:
    """Leave out channels of the first convolution."""
    kernel, bias = (torch.from_numpy(kept[f"conv1.{part}"]) for part in ("weight", "bias"))
    channels = torch.cat(
        [F.gelu(F.conv1d(spectrum.T[None], kernel, bias, padding=1))[0].T for spectrum in inputs]
    )
    mean, std = channels.mean(0).numpy(), channels.std(0).numpy()
    reach = np.sqrt(np.square(kept["conv2.weight"]).sum(axis=(0, 2)))
    chosen, others = _split(std * reach, n_wanted)
    left_out = kept["conv2.weight"][:, others] @ np.ones(3, np.float32)
    kept["conv2.bias"] = kept["conv2.bias"] + left_out @ mean[others]
    kept["conv2.weight"] = kept["conv2.weight"][:, chosen]
    kept["conv1.weight"], kept["conv1.bias"] = (
        kept["conv1.weight"][chosen],
        kept["conv1.bias"][chosen],
    )


def _prune_block(
    kept: dict[str, FloatArray], at: str, size: Size, inputs: Sequence[Tensor]
) -> None:
    """Leave out heads, then units of the feed-forward part."""
    block = int(at.split(".")[1])
    for part, n_wanted in (("heads", size.n_heads), ("units", size.hidden)):
        network = Network(kept)
        attended, units = [], []
        for spectrum in inputs:
            before = network(spectrum[None], [block])[0] if block else network.stem(spectrum[None])
            found = network.parts(at, before)
            attended.append(found[0][0])
            units.append(found[2][0])
        if part == "heads":
            _keep_heads(kept, at, n_wanted, torch.cat(attended).numpy())
        else:
            _keep_units(kept, at, n_wanted, torch.cat(units).numpy())


def _keep_heads(kept: dict[str, FloatArray], at: str, n_wanted: int, attended: FloatArray) -> None:
    mix = kept[f"{at}.mix.weight"]
    moving = attended - attended.mean(axis=0)
    n_heads = mix.shape[1] // HEAD_WIDTH
    columns = np.arange(mix.shape[1]).reshape(n_heads, HEAD_WIDTH)
    matters = np.array([np.square(moving[:, c] @ mix[:, c].T).mean() for c in columns])
    chosen, others = _split(matters, n_wanted)
    inside, outside = columns[chosen].ravel(), columns[others].ravel()
    kept[f"{at}.mix.bias"] = kept[f"{at}.mix.bias"] + mix[:, outside] @ attended.mean(0)[outside]
    kept[f"{at}.mix.weight"] = mix[:, inside]
    rows = np.concatenate([third * mix.shape[1] + inside for third in range(3)])
    for part in ("weight", "bias"):
        name = f"{at}.query_key_value.{part}"
        kept[name] = kept[name][rows]


def _keep_units(kept: dict[str, FloatArray], at: str, n_wanted: int, units: FloatArray) -> None:
    narrow = kept[f"{at}.narrow.weight"]
    chosen, others = _split(units.std(axis=0) * np.linalg.norm(narrow, axis=0), n_wanted)
    left_out = narrow[:, others] @ units.mean(axis=0)[others]
    kept[f"{at}.narrow.bias"] = kept[f"{at}.narrow.bias"] + left_out
    kept[f"{at}.narrow.weight"] = narrow[:, chosen]
    for part in ("weight", "bias"):
        kept[f"{at}.widen.{part}"] = kept[f"{at}.widen.{part}"][chosen]


def _split(matters: FloatArray, n_wanted: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of what matters most, in their order, and of the rest."""
    order = np.argsort(-matters, kind="stable")
    return np.sort(order[:n_wanted]), np.sort(order[n_wanted:])
