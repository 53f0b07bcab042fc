"""The student's training: from telephone copies to what the teacher says of the clean clips."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ser_batch.arrays import FloatArray
from ser_batch.config import digest
from ser_batch.lab.distill.batches import Batch, Batches
from ser_batch.lab.distill.network import Network
from ser_batch.lab.distill.targets import Targets
from ser_batch.lab.distill.votes import BIAS, WEIGHT, vote_loss

CHECKPOINT_S = 60.0
LAYER_RATE = 3.0
"""Factor on the learning rate of the layer that predicts votes."""

EVERY = 250
"""Steps after which held-out clips are evaluated, eight times at least."""


@dataclass(frozen=True)
class Plan:
    """How the student is trained.

    Attributes:
        n_steps: batches
        after_blocks: states that are taught, counted from 1
        peak: highest learning rate
        warm: share of the steps over which it rises
        decay: of the weights
        average: how much of the running average of weights each step keeps
        pooled: weight of the error of a clip's mean and standard deviation
        states: weight of the error of the teacher's states
        votes: weight of the loss of the listeners' votes, where they are learnt
        falls: whether the learning rate falls after it rose, or stays at its peak
        frozen: beginnings of the names of arrays that are not trained
        half: multiply in bfloat16, where the processor can
    """

    n_steps: int
    after_blocks: tuple[int, ...] = (2, 3)
    peak: float = 8e-4
    warm: float = 0.08
    decay: float = 0.01
    average: float = 0.998
    pooled: float = 1.0
    states: float = 1.0
    votes: float = 1.0
    falls: bool = True
    frozen: tuple[str, ...] = ()
    half: bool = True

    def rate(self, step: int) -> float:
        """Factor on the learning rate at a step."""
        if self.falls:
            return one_cycle(step / self.n_steps, self.warm)
        return min((step + 1) / (self.warm * self.n_steps), 1.0)


@dataclass
class History:
    """Errors on the way.

    Attributes:
        steps: at which held-out clips were evaluated
        trained: mean loss since the step before
        held_out: error of held-out clips, in standard deviations of the teacher's states
        votes: loss of the votes on held-out clips, where they are learnt
    """

    steps: list[int] = field(default_factory=list)
    trained: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)
    votes: list[float] = field(default_factory=list)


Progress = Callable[[int, int, float], None]
"""Called with the step that is done, of how many, with which loss."""


class Trainer:
    """A training that can be broken off and gone on with.

    Args:
        arrays: of the network to begin with
        batches: its input
        targets: how the teacher's states spread
        plan: how to train
        folder: of the checkpoint
    """

    def __init__(
        self,
        arrays: Mapping[str, NDArray[Any]],
        batches: Batches,
        targets: Targets,
        plan: Plan,
        folder: Path,
    ) -> None:
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._network = Network(arrays, frozen=plan.frozen).to(self._device)
        self._average = {name: np.array(a, np.float32) for name, a in arrays.items()}
        self._batches, self._plan, self._folder = batches, plan, folder
        self._mean, self._std = self._put(targets.mean), self._put(targets.std)
        named = self._network.named_arrays()
        self._named = {name: p for name, p in named.items() if p.requires_grad}
        self._optimizer = torch.optim.AdamW(
            _groups(self._named, plan.decay), lr=plan.peak, betas=(0.9, 0.98)
        )
        self._every = min(EVERY, max(plan.n_steps // 8, 1))
        self._identity = digest([asdict(plan), sorted(arrays)])
        self.step = 0
        self.history = History()

    def run(
        self, on_step: Progress = lambda _step, _total, _loss: None, *, until: int | None = None
    ) -> dict[str, FloatArray]:
        """Train to the end; go on from the checkpoint if there is one.

        Args:
            on_step: called at each step
            until: stop before this step, as if the machine went down; the checkpoint is written

        Returns:
            the averaged parameters
        """
        if self._path.exists():
            self._restore()
        held_out = self._batches.held_out()
        losses: list[float] = []
        saved = time.monotonic()
        last = self._plan.n_steps if until is None else min(until, self._plan.n_steps)
        batches = self._batches.since(self.step)
        while self.step < last:
            losses.append(self._learn(next(batches)))
            self.step += 1
            on_step(self.step, self._plan.n_steps, losses[-1])
            if self.step % self._every == 0 or self.step == self._plan.n_steps:
                self.history.steps.append(self.step)
                self.history.trained.append(float(np.mean(losses)))
                self.history.held_out.append(self.error(held_out))
                if WEIGHT in self._named:
                    self.history.votes.append(self.vote_error(held_out))
                losses = []
            if time.monotonic() - saved > CHECKPOINT_S:
                self._save()
                saved = time.monotonic()
        batches.close()
        self._save()
        return dict(self._average)

    def seconds_a_step(self, n_steps: int) -> float:
        """How long a step takes; what is learnt meanwhile is kept nowhere."""
        start = time.monotonic()
        for number in range(n_steps):
            self._learn(self._batches.batch(number))
        return (time.monotonic() - start) / n_steps

    def error(self, batches: Sequence[Batch]) -> float:
        """Mean absolute error of the averaged network, in standard deviations of the states."""
        network = Network(self._average).to(self._device)
        found, weights = [], []
        for batch in batches:
            with torch.no_grad():
                states, wanted = self._states_and_targets(network, batch)
            found.append(float((states - wanted).abs().mean()))
            weights.append(states.numel())
        return float(np.average(found, weights=weights)) if found else float("nan")

    def vote_error(self, batches: Sequence[Batch]) -> float:
        """Mean loss of the averaged network's votes; NaN where nobody voted."""
        network = Network(self._average).to(self._device)
        found, weights = [], []
        for batch in batches:
            if batch.shares is None or not (n_voted := _n_voted(batch.shares)):
                continue
            with torch.no_grad():
                states, _ = self._states_and_targets(network, batch)
                found.append(float(self._vote_loss(network, states, batch.shares)))
            weights.append(n_voted)
        return float(np.average(found, weights=weights)) if found else float("nan")

    def _vote_loss(self, network: Network, states: Tensor, shares: FloatArray) -> Tensor:
        layer = network.named_arrays()
        return vote_loss(states, self._put(shares), layer[WEIGHT], layer[BIAS])

    def _learn(self, batch: Batch) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = group["rate"] * self._plan.peak * self._plan.rate(self.step)
        with torch.autocast(self._device, torch.bfloat16, enabled=self._plan.half):
            states, wanted = self._states_and_targets(self._network, batch)
        loss = self._plan.states * distance(states, wanted, self._plan.pooled)
        if batch.shares is not None:
            loss = loss + self._plan.votes * self._vote_loss(self._network, states, batch.shares)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(self._named.values()), 1.0)
        self._optimizer.step()
        keep = min(self._plan.average, (self.step + 1) / (self.step + 10))
        for name, parameter in self._named.items():
            now = parameter.detach().cpu().numpy()
            self._average[name] += (1 - keep) * (now - self._average[name])
        return float(loss.detach())

    def _states_and_targets(self, network: Network, batch: Batch) -> tuple[Tensor, Tensor]:
        """States and wanted states in standard deviations, (n_clips, n_states, n_blocks, width)."""
        states = network(self._put(batch.spectra), self._plan.after_blocks)
        found = (torch.stack([s.float() for s in states], dim=2) - self._mean) / self._std
        wanted = (self._put(batch.states).float() - self._mean) / self._std
        return found, wanted

    def _put(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self._device)

    @property
    def _path(self) -> Path:
        return self._folder / "checkpoint.npz"

    def _save(self) -> None:
        """Numbers only, written whole or not at all."""
        numbers: dict[str, NDArray[Any]] = {"step": np.array(self.step)}
        for name, parameter in self._named.items():
            numbers[f"now/{name}"] = parameter.detach().cpu().numpy()
            numbers[f"average/{name}"] = self._average[name]
            for part, values in self._optimizer.state[parameter].items():
                numbers[f"{part}/{name}"] = values.cpu().numpy()
        state = {"identity": self._identity, "history": asdict(self.history)}
        numbers["state"] = np.frombuffer(json.dumps(state).encode(), np.uint8)
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".unfinished.npz")
        np.savez(unfinished, allow_pickle=False, **numbers)
        unfinished.replace(self._path)

    def _restore(self) -> None:
        with np.load(self._path, allow_pickle=False) as stored:
            state = json.loads(stored["state"].tobytes())
            if state["identity"] != self._identity:
                return
            self.step = int(stored["step"])
            self.history = History(**state["history"])
            for name, parameter in self._named.items():
                parameter.data.copy_(torch.from_numpy(stored[f"now/{name}"]))
                self._average[name] = stored[f"average/{name}"]
                self._optimizer.state[parameter] = {
                    part: torch.from_numpy(stored[f"{part}/{name}"].copy()).to(
                        "cpu" if part == "step" else self._device
                    )
                    for part in ("step", "exp_avg", "exp_avg_sq")
                }


def _groups(named: Mapping[str, nn.Parameter], decay: float) -> list[dict[str, Any]]:
    """Parameters by what the optimizer does with them; the layer of the votes learns faster."""
    layer = [named[name] for name in (WEIGHT, BIAS) if name in named]
    others = [p for name, p in named.items() if name not in (WEIGHT, BIAS)]
    return [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": decay, "rate": 1.0},
        {"params": [p for p in others if p.ndim == 1], "weight_decay": 0.0, "rate": 1.0},
        {"params": layer, "weight_decay": decay, "rate": LAYER_RATE},
    ]


def _n_voted(shares: FloatArray) -> int:
    return int(np.count_nonzero(~np.isnan(shares).any(axis=1)))


def distance(states: Tensor, wanted: Tensor, pooled: float) -> Tensor:
    """How far states are from the wanted ones, over frames and over a clip's mean and spread.

    Args:
        states: in standard deviations, shape (n_clips, n_states, n_blocks, width)
        wanted: same shape
        pooled: weight of the error of mean and spread, which is what features are made of
    """
    frames = torch.nn.functional.smooth_l1_loss(states, wanted, beta=0.5)
    alike = 1 - torch.nn.functional.cosine_similarity(states, wanted, dim=-1).mean()
    means = (states.mean(1) - wanted.mean(1)).abs().mean()
    spreads = (states.std(1) - wanted.std(1)).abs().mean()
    return frames + alike + pooled * (means + spreads)


def one_cycle(done: float, warm: float) -> float:
    """Factor on the learning rate: up in a line, down along a cosine."""
    if done < warm:
        return max(done / warm, 0.02)
    return 0.5 * (1 + float(np.cos(np.pi * (done - warm) / (1 - warm)))) * 0.99 + 0.01
