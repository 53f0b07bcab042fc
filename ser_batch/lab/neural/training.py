"""Epochs over material: Adam, soft labels, early stopping, and a checkpoint of numbers alone."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ser_batch.arrays import DoubleArray, FloatArray, IntArray
from ser_batch.config import digest
from ser_batch.lab.distill.run import halves, threads
from ser_batch.lab.neural.design import Batch, Design
from ser_batch.lab.neural.heads import Heads
from ser_batch.lab.neural.material import batches
from ser_batch.progress import Progress

CHECKPOINT = "checkpoint.safetensors"
GRADIENT_NORM = 1.0


@dataclass(frozen=True)
class Plan:
    """How a network is trained.

    Attributes:
        epochs: at most; each reads every recording once, as it is or as one of its copies
        patience: epochs without a lower loss on held-out speakers after which training stops
        batch: segments of a step
        rate: learning rate of Adam
        warm: steps over which it rises
        balanced: whether emotions weigh the same, or as often as they are named
        seed: of weights, order, copies and of which speakers are held out
    """

    epochs: int = 24
    patience: int = 6
    batch: int = 64
    rate: float = 1e-3
    warm: int = 40
    balanced: bool = False
    seed: int = 1


@dataclass
class History:
    """Loss by epoch: emotions' and dissatisfaction's cross-entropy together.

    Attributes:
        trained: of the batches on the way
        held_out: of held-out speakers after the epoch
        seconds: that all epochs took, those before an interruption too
    """

    trained: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def best(self) -> int:
        """The epoch whose weights are kept, counted from 0."""
        return int(np.argmin(self.held_out))


class Trainer:
    """A training that can be interrupted and continued.

    Args:
        design: kind of network
        plan: how to train
        inputs: of all rows
        targets: how much each row counts as each emotion, then its level of dissatisfaction, shape
            (n_rows, n_classes + 1)
        learnt: rows that are trained on, an array a recording
        tested: rows that stop the training
        folder: of the checkpoint; None: none is kept
    """

    def __init__(
        self,
        design: Design,
        plan: Plan,
        inputs: Sequence[FloatArray],
        targets: DoubleArray,
        learnt: Sequence[IntArray],
        tested: IntArray,
        folder: Path | None = None,
    ) -> None:
        torch.set_num_threads(threads())
        torch.manual_seed(plan.seed)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self._half = design.halves and halves()
        self._design, self._plan, self._folder = design, plan, folder
        self._inputs, self._learnt, self._tested = inputs, learnt, tested
        self._lengths = np.array([len(one) for one in inputs], np.int64)
        self._targets = torch.from_numpy(targets.astype(np.float32))
        self.network = design.network([inputs[i] for rows in learnt for i in rows])
        self._heads = nn.Linear(design.n_embedding, targets.shape[1])
        self._whole = nn.ModuleDict({"network": self.network, "heads": self._heads})
        self._whole.to(self.device)
        self._groups = design.groups(self.network)
        parameters = [*self._groups, {"params": list(self._heads.parameters()), "factor": 1.0}]
        self._optimizer = torch.optim.Adam(parameters, lr=plan.rate, fused=True)
        self._changing = self._changing_names()
        self._best = self._state()
        self._identity = digest(
            [repr(design), asdict(plan), len(inputs), [rows.tolist() for rows in learnt]]
        )
        self._step = 0
        self.history = History()

    def run(self, step: str, on_progress: Progress, *, until: int | None = None) -> None:
        """Train to the end and take the best epoch's weights; go on from the checkpoint.

        Args:
            step: what `on_progress` is told is being done
            on_progress: called after each epoch
            until: stop before this epoch, as if the machine went down
        """
        if self._folder is not None and (self._folder / CHECKPOINT).exists():
            self._restore(self._folder / CHECKPOINT)
        last = self._plan.epochs if until is None else min(until, self._plan.epochs)
        while len(self.history.held_out) < last and not self._is_done():
            began = time.monotonic()
            self.history.trained.append(self._epoch(len(self.history.trained)))
            self.history.held_out.append(self._loss_of(self._tested))
            self.history.seconds += time.monotonic() - began
            done = len(self.history.held_out)
            if self.history.best == done - 1:
                self._best = self._state()
            on_progress(f"{step}, loss {self.history.held_out[-1]:.3f}", done, self._plan.epochs)
            if self._folder is not None:
                self._save(self._folder / CHECKPOINT)
        self._whole.load_state_dict(self._best, strict=False)
        self.network.eval()

    def heads(self, classes: Sequence[str]) -> Heads:
        """The heads' weights, as numbers."""
        weights = self._heads.weight.detach().double().cpu().numpy().T
        bias = self._heads.bias.detach().double().cpu().numpy()
        return Heads(
            tuple(classes), (weights[:, :-1], bias[:-1]), (weights[:, -1], float(bias[-1]))
        )

    def _changing_names(self) -> frozenset[str]:
        """What a training changes: an encoder's frozen parameters are not kept twice."""
        groups = self._optimizer.param_groups
        learnt = {id(parameter) for group in groups for parameter in group["params"]}
        frozen = {name for name, p in self._whole.named_parameters() if id(p) not in learnt}
        return frozenset(self._whole.state_dict().keys() - frozen)

    def _state(self) -> dict[str, Tensor]:
        """A copy of what a training changes."""
        whole = self._whole.state_dict()
        return {name: whole[name].detach().clone() for name in sorted(self._changing)}

    def _is_done(self) -> bool:
        done = len(self.history.held_out)
        return bool(done) and done - 1 - self.history.best >= self._plan.patience

    def _epoch(self, number: int) -> float:
        """Every recording once; the mean loss."""
        rng = np.random.default_rng([self._plan.seed, number])
        torch.manual_seed(int(rng.integers(2**31)))
        self._design.begin_epoch(self.network, number)
        self._whole.train()
        chosen = np.array([rows[rng.integers(len(rows))] for rows in self._learnt])
        losses, sizes = [], []
        for batch in batches(self._lengths[chosen], self._plan.batch, rng):
            rows = chosen[batch]
            if len(rows) < 2:  # nothing to normalise a batch by
                continue
            losses.append(self._learn(rows, rng))
            sizes.append(len(rows))
        return float(np.average(losses, weights=sizes))

    def _learn(self, rows: IntArray, rng: np.random.Generator) -> float:
        self._step += 1
        for group in self._optimizer.param_groups:
            group["lr"] = self._plan.rate * group["factor"] * min(self._step / self._plan.warm, 1.0)
        batch = self._design.batch([self._inputs[i] for i in rows], rng)
        loss = self._loss(batch, rows)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(
            [p for p in self._whole.parameters() if p.requires_grad], GRADIENT_NORM
        )
        self._optimizer.step()
        return float(loss.detach())

    def _loss(self, batch: Batch, rows: IntArray) -> Tensor:
        """Cross-entropy of the votes, and of dissatisfaction against none."""
        with torch.autocast(self.device, torch.bfloat16, enabled=self._half):
            features = self.network.features(tuple(part.to(self.device) for part in batch))
        said = self._heads(features[:, : self._design.n_embedding].float())
        wanted = self._targets[torch.from_numpy(rows)].to(self.device)
        counted, log_p = wanted[:, :-1], F.log_softmax(said[:, :-1], dim=1)
        emotions = -(counted * log_p).sum(dim=1).mean()
        return emotions + F.binary_cross_entropy_with_logits(said[:, -1], wanted[:, -1])

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _loss_of(self, rows: IntArray) -> float:
        self._whole.eval()
        losses, sizes = [], []
        for batch in batches(self._lengths[rows], self._design.predicted_at_once, None):
            inputs = [self._inputs[i] for i in rows[batch]]
            losses.append(float(self._loss(self._design.batch(inputs, None), rows[batch])))
            sizes.append(len(batch))
        return float(np.average(losses, weights=sizes))

    def _save(self, path: Path) -> None:
        """Numbers only, written whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        numbers = {f"now/{name}": values for name, values in self._state().items()}
        numbers |= {f"best/{name}": values for name, values in self._best.items()}
        for place, state in self._optimizer.state_dict()["state"].items():
            numbers |= {f"adam/{place}/{part}": values for part, values in state.items()}
        said = {"identity": self._identity, "step": self._step, "history": asdict(self.history)}
        unfinished = path.with_suffix(".unfinished")
        plain = {name: values.detach().cpu().clone() for name, values in numbers.items()}
        save_file(plain, unfinished, metadata={"state": json.dumps(said)})
        unfinished.replace(path)

    def _restore(self, path: Path) -> None:
        with safe_open(path, framework="pt") as file:
            said: dict[str, Any] = json.loads(file.metadata()["state"])
            if said["identity"] != self._identity:
                return
            numbers = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        self._step, self.history = said["step"], History(**said["history"])
        self._best = _below("best", numbers)
        self._whole.load_state_dict(_below("now", numbers), strict=False)
        adam: dict[int, dict[str, Tensor]] = {}
        for name, values in _below("adam", numbers).items():
            place, _, part = name.partition("/")
            adam.setdefault(int(place), {})[part] = values
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": adam, "param_groups": groups})


def _below(prefix: str, numbers: dict[str, Tensor]) -> dict[str, Tensor]:
    """The numbers whose names begin so, by the rest of their names."""
    start = f"{prefix}/"
    return {
        name.removeprefix(start): values
        for name, values in numbers.items()
        if name.startswith(start)
    }
