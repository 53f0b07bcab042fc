"""A speech encoder fine-tuned with its heads: a sum of its layers, pooled with attention.

Segments of a batch are cut to one length, so that nothing is ever padded. What blocks that are not
trained give is computed once, before the first epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ser_batch.arrays import FloatArray
from ser_batch.features.encoders.mel import FRAMES_PER_SECOND, MODEL_RATE_HZ
from ser_batch.features.encoders.network import Reads
from ser_batch.lab.distill.run import halves
from ser_batch.lab.neural.design import Batch
from ser_batch.lab.neural.loading import SpeechEncoder, WhisperStates
from ser_batch.lab.neural.training import Plan

LONGEST_S = 6.0
"""Of an excerpt that is trained on."""
ADAPTED = ("q_proj", "k_proj", "v_proj", "out_proj", "query_key_value", "mix")
"""Matrices of the attention, by their names in either design: these get low ranks."""


PREPARED_DIMENSIONS = 3
MOST_PREPARED = 4 * 2**30
"""Bytes of states that are held at once; where it would be more, all blocks run in each epoch."""

PLAN = Plan(epochs=8, patience=2, batch=16, rate=1e-3, warm=100)
"""How encoders are fine-tuned unless something else is asked for."""


@dataclass(frozen=True)
class FineTune:
    """How an encoder is fine-tuned.

    Attributes:
        encoder: where it begins
        last_blocks: blocks that are trained, from the last; 0: none
        lora_rank: rank of what is added to the attention's matrices of these blocks instead of
            training them; 0: they are trained whole
        frozen_epochs: epochs in which only the new layers are trained
        encoder_rate: factor on the learning rate of the encoder's parameters
        n_embedding: units of the joint layer
        dropout: before the joint layer
    """

    encoder: SpeechEncoder
    last_blocks: int = 2
    lora_rank: int = 0
    frozen_epochs: int = 1
    encoder_rate: float = 0.05
    n_embedding: int = 64
    dropout: float = 0.2
    predicted_at_once: int = field(default=1, repr=False)
    halves: bool = field(default=True, repr=False)

    @property
    def reads(self) -> Reads:
        """What the encoder reads."""
        return self.encoder.reads

    @property
    def n_features(self) -> int:
        """Of the embedding, then the mean state."""
        return self.n_embedding + self.encoder.width

    @property
    def first_block(self) -> int:
        """Number of the first block that is trained, counted from 0."""
        return max(self.encoder.n_blocks - self.last_blocks, 0)

    def network(self, _inputs: Sequence[FloatArray]) -> FineTunedNetwork:
        """The encoder with new layers."""
        network = FineTunedNetwork(self, self.encoder.module())
        if self.lora_rank:
            for name, module in list(network.encoder.named_modules()):
                _add_low_ranks(module, name, self)
        return network

    def finished(self, network: nn.Module) -> nn.Module:
        """With low ranks added to their matrices once and for all."""
        for module in list(network.modules()):
            if parametrize.is_parametrized(module):
                for name in list(module.parametrizations):
                    parametrize.remove_parametrizations(module, name)
        return network

    def trained(self, network: nn.Module) -> list[nn.Parameter]:
        """The encoder's parameters that are ever trained."""
        return [
            parameter
            for name, parameter in network.encoder.named_parameters()
            if network.encoder.block_of(name) >= self.first_block
            and (not self.lora_rank or name.endswith(LOW_RANKS))
        ]

    def groups(self, network: nn.Module) -> list[dict[str, Any]]:
        """The encoder's parameters, which learn slowly, and the new ones."""
        of_encoder = {id(parameter) for parameter in network.encoder.parameters()}
        new = [p for p in network.parameters() if id(p) not in of_encoder]
        return [
            {"params": self.trained(network), "factor": self.encoder_rate},
            {"params": new, "factor": 1.0},
        ]

    def begin_epoch(self, network: nn.Module, epoch: int) -> None:
        """Freeze the encoder, and let its last blocks move after the first epochs."""
        network.encoder.requires_grad_(requires_grad=False)
        if epoch >= self.frozen_epochs:
            for parameter in self.trained(network):
                parameter.requires_grad_(requires_grad=True)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def prepared(self, inputs: Sequence[FloatArray]) -> Sequence[FloatArray]:
        """What the first trained block reads, in half precision; Whisper's design alone has it.

        Returns:
            of each input, shape (n_states, n, encoder.width), see `WhisperStates.before`; the
            inputs themselves, if these would be more than `MOST_PREPARED`
        """
        encoder = self.encoder.module()
        n_states = sum(-(-len(one) // 2) for one in inputs)
        n_bytes = 2 * n_states * max(self.first_block, 1) * self.encoder.width
        if not isinstance(encoder, WhisperStates) or n_bytes > MOST_PREPARED:
            return inputs
        device = "cuda" if torch.cuda.is_available() else "cpu"
        encoder.to(device)
        found = []
        for one in inputs:
            with torch.autocast(device, torch.bfloat16, enabled=halves()):
                states = encoder.before(torch.from_numpy(one[None]).to(device), self.first_block)
            found.append(states[0].half().cpu().numpy())
        return found

    def batch(self, inputs: Sequence[FloatArray], rng: np.random.Generator | None) -> Batch:
        """Excerpts of one length, the shortest segment's; without `rng` all are of one length."""
        rate = MODEL_RATE_HZ if self.reads == "samples" else FRAMES_PER_SECOND
        if inputs[0].ndim == PREPARED_DIMENSIONS:
            rate = FRAMES_PER_SECOND // 2
        length = min(len(one) for one in inputs)
        if rng is not None:
            length = min(length, int(LONGEST_S * rate))
        starts = [0 if rng is None else int(rng.integers(len(x) - length + 1)) for x in inputs]
        excerpts = [x[start : start + length] for x, start in zip(inputs, starts, strict=True)]
        return (torch.from_numpy(np.stack(excerpts)),)


class FineTunedNetwork(nn.Module):  # type: ignore[misc]  # torch is an extra
    """An encoder, a weighted sum of its normalised layers, attentive pooling and a joint layer.

    Args:
        sizes: of the new layers
        encoder: gives the states after each block

    Source: layer weights as Yang et al. (2021), "SUPERB: speech processing universal performance
    benchmark"; pooling as Okabe et al. (2018), "Attentive statistics pooling for deep speaker
    embedding".
    """

    def __init__(self, sizes: FineTune, encoder: nn.Module) -> None:
        super().__init__()
        width = sizes.encoder.width
        self._shape, self._first_block = (width,), sizes.first_block
        self.encoder = encoder
        self.layers = nn.Parameter(torch.zeros(sizes.encoder.n_blocks))
        self.attention = nn.Sequential(nn.Linear(width, 64), nn.Tanh(), nn.Linear(64, 1))
        self.dropout = nn.Dropout(sizes.dropout)
        self.joint = nn.Linear(2 * width, sizes.n_embedding)

    def forward(self, segment: Tensor) -> Tensor:
        """Features of segments of one length, shape (n_segments, n_features)."""
        return self._pooled(self.encoder(segment))

    def features(self, batch: Batch) -> Tensor:
        """Features of the segments of a batch, prepared or not, shape (n_segments, n_features)."""
        if batch[0].ndim == 1 + PREPARED_DIMENSIONS:
            return self._pooled(self.encoder.resumed(batch[0], self._first_block))
        found: Tensor = self(batch[0])
        return found

    def _pooled(self, after_blocks: list[Tensor]) -> Tensor:
        states = torch.stack([F.layer_norm(state, self._shape) for state in after_blocks])
        mixed = (states * self.layers.softmax(dim=0)[:, None, None, None]).sum(dim=0)
        weights = self.attention(mixed).softmax(dim=1)
        mean = (mixed * weights).sum(dim=1)
        spread = ((mixed.square() * weights).sum(dim=1) - mean.square()).clamp(min=1e-6).sqrt()
        pooled = self.dropout(torch.cat([mean, spread], dim=1))
        return torch.cat([F.elu(self.joint(pooled)), mixed.mean(dim=1)], dim=1)


class LowRank(nn.Module):  # type: ignore[misc]  # torch is an extra
    """A matrix plus a product of two narrow ones, which begins as nothing.

    Source: Hu et al. (2022), "LoRA: low-rank adaptation of large language models".
    """

    def __init__(self, shape: torch.Size, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, shape[1]) / shape[1] ** 0.5)
        self.up = nn.Parameter(torch.zeros(shape[0], rank))

    def forward(self, matrix: Tensor) -> Tensor:
        """The matrix as it is used."""
        return matrix + self.up @ self.down


LOW_RANKS = (".up", ".down")
"""Endings of the names of what is trained instead of the matrices."""


def _add_low_ranks(module: nn.Module, at: str, sizes: FineTune) -> None:
    """Add low ranks to the matrices of a module's attention, in the blocks that are trained."""
    for name, parameter in list(module.named_parameters(recurse=False)):
        whole = f"{at}.{name}"
        is_adapted = any(part in whole.replace("/", ".").split(".") for part in ADAPTED)
        if parameter.ndim == 2 and is_adapted:
            parametrize.register_parametrization(
                module, name, LowRank(parameter.shape, sizes.lora_rank)
            )
