"""Convolutions over windows of spectral measures, an LSTM a measure, attention over the MFCC.

Each measure (MFCC, rolloff, centroid, bandwidth, zero crossings, level) is cut into windows. The
same convolutions read every window (time-distributed); an LSTM reads the windows in order. No
padding is ever read: convolutions and their normalisation see real windows alone, the LSTM ends at
a segment's last window, and attention is masked beyond it.

Source: local attention as weighted pooling, Mirsamadi et al. (2017), "Automatic speech emotion
recognition using recurrent neural networks with local attention".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ser_batch.arrays import FloatArray
from ser_batch.features.encoders.network import Reads
from ser_batch.features.sequences import LEAST_FRAMES, N_MEASURES, N_MFCC, SCALARS
from ser_batch.lab.neural.design import Batch

WINDOW = HOP = LEAST_FRAMES
"""Frames of a window, and from window to window: 200 ms."""


@dataclass(frozen=True)
class CnnLstm:
    """Sizes of the network.

    Attributes:
        n_embedding: units of the joint layer
        mfcc: channels of the convolutions over the MFCC, and units of their LSTM
        scalar: the same of each other measure
        dropout: share of the units of the joint layer and of the LSTMs' inputs
    """

    n_embedding: int = 64
    mfcc: tuple[int, int] = (48, 64)
    scalar: tuple[int, int] = (8, 16)
    dropout: float = 0.3

    reads: Reads = "sequence"
    predicted_at_once: int = 128
    halves: bool = False

    @property
    def n_features(self) -> int:
        """Of the embedding, then mean and spread of each measure."""
        return self.n_embedding + 2 * N_MEASURES

    def finished(self, network: nn.Module) -> nn.Module:
        """As it was trained."""
        return network

    def groups(self, network: nn.Module) -> list[dict[str, Any]]:
        """All parameters alike."""
        return [{"params": list(network.parameters()), "factor": 1.0}]

    def begin_epoch(self, network: nn.Module, epoch: int) -> None:
        """Nothing is ever frozen."""

    def network(self, inputs: Sequence[FloatArray]) -> CnnLstmNetwork:
        """A network with random weights, whose inputs are scaled as these."""
        some = np.concatenate(inputs[:: -(-len(inputs) // 2000)])
        return CnnLstmNetwork(self, some.mean(axis=0), some.std(axis=0))

    def prepared(self, inputs: Sequence[FloatArray]) -> Sequence[FloatArray]:
        """As they are: every layer is trained."""
        return inputs

    def batch(self, inputs: Sequence[FloatArray], _rng: np.random.Generator | None) -> Batch:
        """The windows of some segments, one segment after the other, and how many each has."""
        views = [np.lib.stride_tricks.sliding_window_view(x, WINDOW, axis=0)[::HOP] for x in inputs]
        frames = np.concatenate([view.transpose(0, 2, 1) for view in views])
        # (n_windows, N_MEASURES, WINDOW), measures last in memory
        return torch.from_numpy(frames).transpose(1, 2), torch.tensor([len(view) for view in views])


class CnnLstmNetwork(nn.Module):  # type: ignore[misc]  # torch is an extra
    """The network without its heads.

    Args:
        sizes: of its layers
        mean, std: of each measure in training, shape (N_MEASURES,)
    """

    def __init__(self, sizes: CnnLstm, mean: FloatArray, std: FloatArray) -> None:
        super().__init__()
        n_scalars = len(SCALARS)
        (channels, hidden), (scalar_channels, scalar_hidden) = sizes.mfcc, sizes.scalar
        self.register_buffer("mean", torch.from_numpy(np.asarray(mean, np.float32)))
        self.register_buffer("std", torch.from_numpy(np.asarray(np.maximum(std, 1e-3), np.float32)))
        self.mfcc = _convolutions(N_MFCC, channels, 1)
        self.scalars = _convolutions(n_scalars, scalar_channels * n_scalars, n_scalars)
        steps = ((WINDOW - 2) // 2 - 2) // 2
        self.mfcc_lstm = nn.LSTM(channels * steps, hidden, batch_first=True)
        self.scalar_lstms = nn.ModuleList(
            nn.LSTM(scalar_channels * steps, scalar_hidden, batch_first=True) for _ in SCALARS
        )
        self.attention = nn.Linear(hidden, 1, bias=False)
        self.dropout = nn.Dropout(sizes.dropout)
        self.joint = nn.Linear(hidden + scalar_hidden * n_scalars, sizes.n_embedding)

    def forward(self, segment: Tensor) -> Tensor:
        """Features of one segment of any length, shape (1, n_features).

        Args:
            segment: as `features.sequences.sequence` gives it, shape (1, n_frames, N_MEASURES)
        """
        frames = segment[0]
        n_windows = (frames.shape[0] - WINDOW) // HOP + 1
        places = torch.arange(n_windows)[:, None] * HOP + torch.arange(WINDOW)
        windows = frames[places].transpose(1, 2)
        scaled = self._scaled(windows)
        embedded = self._pooled(self._convolved(scaled)[None], None)
        frames = scaled.transpose(1, 2).flatten(0, 1)
        mean, square = frames.mean(dim=0), frames.square().mean(dim=0)
        return torch.cat([embedded, _mean_and_spread(mean, square)[None]], dim=1)

    def features(self, batch: Batch) -> Tensor:
        """Features of the segments of a batch, shape (n_segments, n_features)."""
        windows, counts = batch
        scaled = self._scaled(windows)
        convolved = self._convolved(scaled)
        is_real = torch.arange(int(counts.max()), device=counts.device) < counts[:, None]
        padded = convolved.new_zeros(*is_real.shape, convolved.shape[1])
        padded[is_real] = convolved
        segment = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
        sums = scaled.new_zeros(2, len(counts), scaled.shape[1])
        sums[0].index_add_(0, segment, scaled.mean(dim=2))
        sums[1].index_add_(0, segment, scaled.square().mean(dim=2))
        statistics = _mean_and_spread(*(sums / counts[:, None]))
        return torch.cat([self._pooled(padded, counts), statistics], dim=1)

    def _scaled(self, windows: Tensor) -> Tensor:
        return (windows - self.mean[:, None]) / self.std[:, None]

    def _convolved(self, scaled: Tensor) -> Tensor:
        """Windows after the convolutions, measure after measure, shape (n_windows, n)."""
        # with channels last in memory, normalisation and pooling take half the time
        images = (part[..., None] for part in scaled.split([N_MFCC, len(SCALARS)], dim=1))
        mfcc, scalars = (one.contiguous(memory_format=torch.channels_last) for one in images)
        return torch.cat([self.mfcc(mfcc).flatten(1), self.scalars(scalars).flatten(1)], dim=1)

    def _pooled(self, convolved: Tensor, counts: Tensor | None) -> Tensor:
        """The joint layer over what the LSTMs found, (n_segments, n_embedding)."""
        sizes = [lstm.input_size for lstm in (self.mfcc_lstm, *self.scalar_lstms)]
        first, *others = self.dropout(convolved).split(sizes, dim=2)
        states = _lstm(self.mfcc_lstm, first, counts)[0]
        weights = self.attention(states)
        if counts is not None:
            places = torch.arange(states.shape[1], device=counts.device)
            beyond = places[None, :, None] >= counts[:, None, None]
            weights = weights.masked_fill(beyond, -torch.inf)
        found = [(states * weights.softmax(dim=1)).sum(dim=1)]
        for lstm, part in zip(self.scalar_lstms, others, strict=True):
            found.append(_lstm(lstm, part, counts)[1])
        return nn.functional.elu(self.joint(self.dropout(torch.cat(found, dim=1))))


def _mean_and_spread(mean: Tensor, square: Tensor) -> Tensor:
    """Mean and standard deviation of each measure, side by side."""
    spread = (square - mean.square()).clamp(min=0).sqrt()
    return torch.cat([mean, spread], dim=-1)


def _convolutions(n_in: int, n_channels: int, groups: int) -> nn.Sequential:
    """Two convolutions within a window, normalised and pooled."""

    def layer(n_from: int) -> list[nn.Module]:
        return [
            nn.Conv2d(n_from, n_channels, (3, 1), groups=groups),
            nn.BatchNorm2d(n_channels),
            nn.ELU(),
            nn.AvgPool2d((2, 1)),
        ]

    return nn.Sequential(*layer(n_in), *layer(n_channels))


def _lstm(lstm: nn.LSTM, windows: Tensor, counts: Tensor | None) -> tuple[Tensor, Tensor]:
    """States at each window, and after the last window of each segment.

    States beyond that follow it and change nothing before: as batches hold segments of about one
    length, they cost less than packing the sequences would.
    """
    states, (last, _) = lstm(windows)
    if counts is None:
        return states, last[0]
    return states, states[torch.arange(len(counts), device=counts.device), counts - 1]
