"""What the trainer asks of a kind of network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from torch import Tensor, nn

from ser_batch.arrays import FloatArray
from ser_batch.features.encoders.network import Reads

Batch = tuple[Tensor, ...]
"""What `FeatureNetwork.features` reads of several segments."""


class FeatureNetwork(Protocol):
    """A torch module whose features begin with an embedding that heads are linear in."""

    def forward(self, segment: Tensor) -> Tensor:
        """Features of one segment, shape (1, n_features); this is exported."""

    def features(self, batch: Batch) -> Tensor:
        """Features of the segments of a batch, shape (n_segments, n_features)."""


class Design(Protocol):
    """How networks of a kind are made and fed."""

    def __hash__(self) -> int:
        """Of its sizes."""

    @property
    def reads(self) -> Reads:
        """Key of `features.encoders.network.INPUTS`."""

    @property
    def n_embedding(self) -> int:
        """The first features, which heads read."""

    @property
    def n_features(self) -> int:
        """All features; those after the embedding enter the distance from the training speech."""

    @property
    def predicted_at_once(self) -> int:
        """Inputs in a batch of predictions."""

    @property
    def halves(self) -> bool:
        """Whether it may multiply in bfloat16, where the processor can."""

    def finished(self, network: nn.Module) -> nn.Module:
        """A trained network, without what was of use in training only."""

    def groups(self, network: nn.Module) -> list[dict[str, Any]]:
        """Parameters that are trained (`params`), with a factor on their learning rate."""

    def begin_epoch(self, network: nn.Module, epoch: int) -> None:
        """Called before each epoch, counted from 0: parts of a network may be frozen in some."""

    def network(self, inputs: Sequence[FloatArray]) -> nn.Module:
        """A new `FeatureNetwork` for inputs like these."""

    def prepared(self, inputs: Sequence[FloatArray]) -> Sequence[FloatArray]:
        """What is trained on in their place: what no training changes, computed once for all."""

    def batch(self, inputs: Sequence[FloatArray], rng: np.random.Generator | None) -> Batch:
        """What is read of some inputs of about one length.

        Args:
            inputs: as the material holds them, or as `prepared`
            rng: draws excerpts in training; None: nothing is left out
        """
