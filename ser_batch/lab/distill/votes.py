"""Perceived emotion as a second target: what listeners of labelled corpora voted for.

A linear layer over the pooled states of a clip predicts the shares of its listeners. It is trained
with the encoder and dropped at the export: a model bundle has a head of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ser_batch.arrays import FloatArray
from ser_batch.corpora import get_corpus
from ser_batch.corpora.base import Clip
from ser_batch.emotions import CALL_CATEGORIES
from ser_batch.ingest.scan import content_id
from ser_batch.lab.distill.material import Material, audio_files
from ser_batch.lab.distill.sources import Source
from ser_batch.lab.distill.targets import Targets

CLASSES = ("anger", "disgust", "fear", "happiness", "neutral", "sadness")
"""What is voted for; other emotions are not learnt, boredom and calm count as neutral."""

N_FITTED = 6000
"""Clips that the layer is fitted on before the encoder is trained."""

PENALTY = 0.02
"""Of the layer's squared weights, while it is fitted."""

WEIGHT, BIAS = "votes.weight", "votes.bias"
"""Names of the layer among the arrays of the network."""


def vote_shares(
    material: Material, sources: Sequence[Source], corpora: Sequence[str]
) -> FloatArray:
    """Share of the listeners of each clip by perceived emotion.

    Args:
        material: the clips
        sources: folders in which the corpora lie
        corpora: whose labels are learnt

    Returns:
        shape (n_clips, len(CLASSES)), rows sum to 1; NaN where nobody voted, or for other emotions

    Raises:
        CorpusError: if a name is no corpus
    """
    known = [get_corpus(name) for name in corpora]
    rows: dict[str, FloatArray] = {}
    for path in (path for source in sources for path in audio_files(source.path)):
        clip = next((clip for c in known if (clip := c.parse(path)) is not None), None)
        if clip is not None:
            rows[content_id(path)] = _shares(clip)
    nobody = np.full(len(CLASSES), np.nan, np.float32)
    contents = [material.recordings[cut.recording].content for cut in material.cuts]
    return np.stack([rows.get(content, nobody) for content in contents])


def _shares(clip: Clip) -> FloatArray:
    shares = np.zeros(len(CLASSES), np.float32)
    for name, share in clip.shares.items():
        if (category := CALL_CATEGORIES.get(name, name)) in CLASSES:
            shares[CLASSES.index(category)] += share
    total = float(shares.sum())
    return shares / total if total > 0 else np.full_like(shares, np.nan)


def blank_layer(n_blocks: int, width: int) -> dict[str, FloatArray]:
    """The layer before training, by the names of its arrays: mean and std of each block in."""
    n_outputs = len(CLASSES) + 1
    return {
        WEIGHT: np.zeros((n_outputs, 2 * n_blocks * width), np.float32),
        BIAS: np.zeros(n_outputs, np.float32),
    }


def fitted_layer(material: Material, targets: Targets, shares: FloatArray) -> dict[str, FloatArray]:
    """The layer that predicts votes best from the teacher's states, before anything else moves.

    A layer that begins blank would spoil the states while it learns.

    Args:
        material: the clips
        targets: what the teacher says of them
        shares: of each clip's listeners, see `vote_shares`

    Returns:
        its arrays by name, as `blank_layer`

    Source: Kumar et al. (2022), "Fine-tuning can distort pretrained features and underperform
    out-of-distribution".
    """
    mean, std = torch.from_numpy(targets.mean), torch.from_numpy(targets.std)
    voted = [
        number
        for number, cut in enumerate(material.cuts)
        if not cut.held_out and not np.isnan(shares[number]).any()
    ]
    chosen = np.random.default_rng(0).permutation(voted)[:N_FITTED]
    states = [(torch.from_numpy(np.array(targets.of(int(i)))).float() - mean) / std for i in chosen]
    pooled = torch.cat([pooled_states(one[None]) for one in states])
    wanted = torch.from_numpy(shares[chosen])
    blank = blank_layer(*targets.mean.shape)
    layer = {name: torch.from_numpy(array).requires_grad_() for name, array in blank.items()}
    optimizer = torch.optim.LBFGS(
        list(layer.values()), max_iter=60, history_size=10, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        outputs = F.linear(pooled, layer[WEIGHT], layer[BIAS])
        found = _loss(outputs, wanted) + PENALTY * layer[WEIGHT].square().sum()
        found.backward()
        return found

    optimizer.step(loss)
    return {name: values.detach().numpy() for name, values in layer.items()}


def pooled_states(states: Tensor) -> Tensor:
    """Mean and standard deviation over each clip, (n_clips, 2 * n_blocks * width)."""
    return torch.cat([states.mean(1).flatten(1), states.std(1).flatten(1)], dim=1)


def vote_loss(states: Tensor, shares: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Cross-entropy of the votes, and of anger against everything else.

    Args:
        states: in standard deviations, shape (n_clips, n_states, n_blocks, width)
        shares: of the listeners, shape (n_clips, len(CLASSES)); rows of NaN do not count
        weight, bias: of the layer

    Returns:
        mean over the clips with votes; 0 where there are none
    """
    voted = ~torch.isnan(shares).any(dim=1)
    if not bool(voted.any()):
        return states.new_zeros(())
    return _loss(F.linear(pooled_states(states[voted]), weight, bias), shares[voted])


def _loss(outputs: Tensor, wanted: Tensor) -> Tensor:
    emotions = -(wanted * F.log_softmax(outputs[:, :-1], dim=1)).sum(dim=1).mean()
    anger = wanted[:, CLASSES.index("anger")]
    return emotions + F.binary_cross_entropy_with_logits(outputs[:, -1], anger)
