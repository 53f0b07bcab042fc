"""From audio to an encoder: material, what the teacher says of it, training, export."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ser_batch.arrays import FloatArray
from ser_batch.audio.channel_simulator import ChannelRanges, simulate_channel
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ
from ser_batch.config import Settings, digest
from ser_batch.corpora.licences import strictest
from ser_batch.errors import DistillError
from ser_batch.features.encoders.local import LocalEncoder
from ser_batch.features.encoders.mel import levelled, log_mel
from ser_batch.lab.distill.batches import Batches, read_noises
from ser_batch.lab.distill.export import encoder_arrays, write_encoder
from ser_batch.lab.distill.material import RATE_HZ, Material, read_material
from ser_batch.lab.distill.network import Size, pruned
from ser_batch.lab.distill.sources import Source, described, described_noise
from ser_batch.lab.distill.targets import Targets, teach
from ser_batch.lab.distill.teachers import Teacher
from ser_batch.lab.distill.training import Plan, Trainer
from ser_batch.lab.distill.voices import made_speech
from ser_batch.lab.distill.votes import BIAS, WEIGHT, fitted_layer, vote_shares
from ser_batch.progress import Progress, silent

SIZE = Size(n_mels=63, stem=384, n_heads=5, hidden=736, n_blocks=3)
"""Of the encoder that comes along: five million bytes, nearly all of them matrices."""

ADAPTING = 0.4
"""Factor on the learning rate of an encoder that has learnt already."""

FINE_TUNING: Mapping[str, Any] = MappingProxyType(
    {
        "peak": 1e-4,
        "average": 0.99,
        "states": 0.3,
        "falls": False,
        "frozen": ("conv", "blocks.0."),
    }
)
"""Of the plan of an encoder that has learnt already and now learns votes."""

WARM_STEPS = 40
BATCH_S, FINE_TUNING_BATCH_S = 48.0, 32.0
N_LOOKED_AT = 60
"""Clips by which it is judged what of the teacher matters."""

QUIET_BAND = -0.8
"""What a band without any sound reads in a levelled spectrum."""

TIMED_STEPS = 5


@dataclass(frozen=True)
class Task:
    """What is to be made.

    Attributes:
        sources: audio and its licence
        teacher: who says what the states should be
        init: the encoder to begin with; None: the parts of the teacher that matter most
        n_steps: of training; None: as many as fit into `minutes`
        minutes: of training, where the steps are not given
        seed: of everything that is drawn
        synthetic_minutes: of made speech among the material
        noise: sounds that are mixed in
        command: for the card
        channels: by recording id the channel that may be used, see `consent.usable_channels`
        votes: corpora among the sources whose listeners' votes are learnt too
        size: of the encoder, where it begins as parts of the teacher
        batch_s: seconds of speech in a batch
    """

    sources: Sequence[Source]
    teacher: Teacher
    init: LocalEncoder | None = None
    n_steps: int | None = None
    minutes: float = 50.0
    seed: int = 1
    synthetic_minutes: float = 0.0
    noise: Source | None = None
    command: str = "ser-batch distill"
    channels: Mapping[str, int | None] = field(default_factory=dict)
    votes: Sequence[str] = ()
    size: Size = SIZE
    batch_s: float = BATCH_S


def distill(
    task: Task,
    place: Path,
    name: str,
    *,
    work: Path,
    settings: Settings,
    on_progress: Progress = silent,
) -> LocalEncoder:
    """Train an encoder and write it; broken off and run again, it goes on where it was.

    Args:
        task: what is to be made
        place: folder in which the encoder has its own
        name: of the encoder; one that ends in `-` is completed by its digest
        work: folder for what the teacher says, and for checkpoints
        settings: of the analysis of calls
        on_progress: called at each step

    Raises:
        CorpusError: if there is no audio
        DistillError: if there is nothing to begin with, or too little audio
    """
    torch.set_num_threads(threads())
    material = _material(task, settings, on_progress)
    # the teacher of a whole night takes long: what it said is kept
    asked = digest([material.digest, task.teacher.name, task.teacher.sha256])
    targets = teach(
        material,
        task.teacher.states,
        work / f"targets-{asked}",
        on_part=lambda done, total: on_progress("asking the teacher", done, total),
    )
    arrays = encoder_arrays(task.init) if task.init else _begun(task, material)
    batches = _batches(task, material, targets, n_mels=int(arrays["conv1.weight"].shape[1]))
    if batches.shares is not None:
        arrays |= fitted_layer(material, targets, batches.shares)
    plan = _plan(task, arrays, batches, targets, work)
    begun = digest(
        [asked, task.seed, task.batch_s, task.init and task.init.sha256, list(task.votes)]
    )
    trainer = Trainer(arrays, batches, targets, plan, work / f"training-{begun}")
    held_out = batches.held_out()
    before = trainer.error(held_out)
    trained = trainer.run(
        lambda step, total, loss: on_progress(f"training, loss {loss:.3f}", step, total)
    )
    network = {name: array for name, array in trained.items() if name not in (WEIGHT, BIAS)}
    facts = {
        **_facts(task, material, plan),
        "history": asdict(trainer.history),
        "held_out": {
            "n_clips": sum(cut.held_out for cut in material.cuts),
            "error_before": round(before, 4),
            "error": round(trainer.error(held_out), 4),
        },
    }
    return write_encoder(place, name, network, plan.after_blocks, facts)


def _material(task: Task, settings: Settings, on_progress: Progress) -> Material:
    """The clips, some of them held out."""
    material = read_material(
        [source.path for source in task.sources],
        settings,
        seed=task.seed,
        made=made_speech(task.synthetic_minutes, task.seed),
        channels=task.channels,
        on_file=lambda done, total: on_progress("reading audio", done, total),
    )
    if not any(cut.held_out for cut in material.cuts):
        raise DistillError(
            f"{len(material.cuts)} clips are too few: none can be held out to see whether it "
            "learns; give more --audio, recordings of several people"
        )
    return material


def _batches(task: Task, material: Material, targets: Targets, *, n_mels: int) -> Batches:
    return Batches(
        material,
        targets,
        read_noises(task.noise.path if task.noise else None),
        n_mels=n_mels,
        seconds=task.batch_s,
        seed=task.seed,
        shares=vote_shares(material, task.sources, task.votes) if task.votes else None,
    )


def _facts(task: Task, material: Material, plan: Plan) -> dict[str, Any]:
    """What a manifest says of how an encoder was trained."""
    sources = described(task.sources, material)
    before: Mapping[str, Any] = task.init.manifest if task.init else {}
    inherited = [*before.get("inherited_material", ()), *before.get("material", ())]
    return {
        "begun_from": task.init.name if task.init else task.teacher.name,
        "teacher": task.teacher.facts(),
        "licence": strictest(entry["licence"] for entry in [*inherited, *sources]),
        "material": sources,
        "inherited_material": inherited,
        "noise": described_noise(task.noise),
        "votes": sorted({*before.get("votes", ()), *task.votes}),
        "plan": asdict(plan),
        "batch_s": task.batch_s,
        "seed": task.seed,
        "made_with": {"torch": torch.__version__.partition("+")[0]},
        "command": task.command,
    }


def threads() -> int:
    """Of torch's own: more than one wait for each other as soon as something else runs."""
    return int(os.environ.get("OMP_NUM_THREADS", "1"))


def _begun(task: Task, material: Material) -> dict[str, FloatArray]:
    """The parts of the teacher that matter most on telephone speech."""
    if task.teacher.arrays is None:
        raise DistillError("without a large teacher there must be an encoder to begin with")
    rng = np.random.default_rng(task.seed)
    clips = [number for number, cut in enumerate(material.cuts) if not cut.held_out]
    spectra = []
    for clip in rng.choice(clips, min(N_LOOKED_AT, len(clips)), replace=False):
        received = simulate_channel(material.clip(int(clip)), RATE_HZ, ChannelRanges(), rng)
        spectra.append(levelled(log_mel(received, TELEPHONE_RATE_HZ)))
    begun: dict[str, FloatArray] = pruned(task.teacher.arrays, task.size, spectra, QUIET_BAND)
    return begun


def _plan(
    task: Task,
    arrays: Mapping[str, NDArray[Any]],
    batches: Batches,
    targets: Targets,
    work: Path,
) -> Plan:
    """As many steps as were asked for, or as fit into the time; the same if it is run again."""
    plan = Plan(task.n_steps or TIMED_STEPS, after_blocks=task.teacher.after_blocks)
    plan = replace(plan, half=halves(), peak=plan.peak * (ADAPTING if task.init else 1.0))
    if task.init and task.votes:
        plan = replace(plan, **FINE_TUNING)
    if task.n_steps is not None:
        return _warming(plan)
    n_parameters = sum(np.size(values) for values in arrays.values())
    kept = work / f"steps-{digest([task.minutes, task.batch_s, n_parameters])}.txt"
    if not kept.exists():
        seconds = Trainer(arrays, batches, targets, plan, work).seconds_a_step(TIMED_STEPS)
        kept.write_text(str(max(round(60 * task.minutes / seconds), TIMED_STEPS)))
    return _warming(replace(plan, n_steps=int(kept.read_text())))


def _warming(plan: Plan) -> Plan:
    """A rate that stays at its peak rises over the same steps, however many there are."""
    return plan if plan.falls else replace(plan, warm=WARM_STEPS / plan.n_steps)


def halves() -> bool:
    """Whether the processor multiplies in bfloat16 by itself."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(
        torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
