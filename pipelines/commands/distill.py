"""The command distill: an encoder of our own, taught or adapted."""

from __future__ import annotations

import getpass
import importlib.util
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.inputs import check_inputs
from pipelines.options import (
    DEFAULT_ROOT,
    JsonOption,
    RootOption,
    SettingsOption,
    open_root,
    print_json,
    read_settings,
)
from pipelines.terminal import progress_bar

if TYPE_CHECKING:
    from ser_batch.config import Settings
    from ser_batch.features.encoders.local import LocalEncoder
    from ser_batch.lab.distill.adopt import EncoderComparison
    from ser_batch.lab.distill.teachers import Teacher
    from ser_batch.store.paths import Root


UNTOLD = ("--work", "--root", "--settings")
"""Options with which the same encoder is made elsewhere."""


def distill(
    audio: Annotated[
        list[str],
        typer.Option(help="Folder or file of recordings, `=LICENCE` after it; may be repeated."),
    ],
    teacher: Annotated[
        str | None,
        typer.Option(
            help="Feature set to reproduce, or self; without it, Whisper if its weights are "
            "installed, else self."
        ),
    ] = None,
    init: Annotated[
        str | None, typer.Option(help="Encoder to adapt to the recordings; without it, a new one.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the encoder; without it, under the root's models/encoders."),
    ] = None,
    minutes: Annotated[
        float, typer.Option(help="Minutes of training; --steps wins.", min=0.05)
    ] = 50.0,
    steps: Annotated[
        int | None,
        typer.Option(help="Steps of training; the same number gives the same encoder.", min=1),
    ] = None,
    synthetic_minutes: Annotated[
        float, typer.Option(help="Minutes of synthetic speech in the training audio.", min=0)
    ] = 0.0,
    noise: Annotated[
        str | None, typer.Option(help="Folder of noises to mix in, `=LICENCE` after it.")
    ] = None,
    votes: Annotated[
        list[str] | None,
        typer.Option(
            help="Corpus among the audio whose listeners' votes, or labels, are targets too; may "
            "be repeated."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random generator.")] = 1,
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV of labelled clips that measure an adaptation, as of train."),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(
            help="Folder to keep the state of training in; without it, deleted at the end."
        ),
    ] = None,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a small encoder, on unlabelled audio, to reproduce the states of a large one.

    With --votes it also learns what listeners perceived in the clips of a labelled corpus. An
    interrupted run continues where it stopped. Of a call, a recording of two channels, only the
    customer's side is used; of recordings that the root knows, only what may be scored.

    Examples:

      ser-batch distill --audio /recordings=CC0-1.0 --steps 2000

      ser-batch distill --init encoder_v2 --audio /calls --minutes 20

      ser-batch distill --init encoder_v1 --audio DIR/cremad=ODbL-1.0 --votes cremad --steps 1000
    """
    require_torch()
    from platformdirs import user_cache_path

    from ser_batch.config import digest
    from ser_batch.features.encoders.local import find_encoder
    from ser_batch.lab.distill.run import BATCH_S, FINE_TUNING_BATCH_S, Task
    from ser_batch.lab.distill.run import distill as run
    from ser_batch.lab.distill.sources import parse_source

    place = open_root(root)
    values = read_settings(place, settings)
    check_inputs(None, tables=[labels] if labels else [])
    begun = find_encoder(init) if init else None
    task = Task(
        sources=[parse_source(text) for text in audio],
        teacher=chosen_teacher(teacher, begun),
        init=begun,
        n_steps=steps,
        minutes=minutes,
        seed=seed,
        synthetic_minutes=synthetic_minutes,
        noise=parse_source(noise) if noise else None,
        votes=tuple(votes or ()),
        batch_s=FINE_TUNING_BATCH_S if begun and votes else BATCH_S,
        command=told_command(sys.argv[1:]),
        channels=_channels(place, values),
    )
    asked = [audio, teacher, init, minutes, steps, synthetic_minutes, noise, votes, seed]
    resumable = user_cache_path("ser-batch") / "distill" / digest(asked)
    with progress_bar() as on_progress:
        encoder = run(
            task,
            out.parent if out else place.encoders,
            out.name if out else f"{init or 'encoder'}-",
            work=work or resumable,
            settings=values,
            on_progress=on_progress,
        )
    if work is None:  # what the teacher says of callers' speech is kept no longer than needed
        shutil.rmtree(resumable)
    found = _contest(encoder, begun, labels) if begun else None
    if as_json:
        folder = str(encoder.folder)
        print_json({**encoder.manifest, "folder": folder, "comparison": found and asdict(found)})
    else:
        _show(encoder, found)


def _contest(encoder: LocalEncoder, former: LocalEncoder, labels: Path | None) -> EncoderComparison:
    """Compare an adapted encoder with the one that it began as, and write it down."""
    from ser_batch.corpora.labels import read_labels
    from ser_batch.lab.distill.adopt import contest, log
    from ser_batch.resources import add_encoders

    add_encoders(encoder.folder.parent)
    found = contest(encoder, former, read_labels(labels) if labels else ())
    log(found, encoder.folder.parent, getpass.getuser())
    return found


def _show(encoder: LocalEncoder, found: EncoderComparison | None) -> None:
    held_out = encoder.manifest["held_out"]
    typer.echo(
        f"{encoder.folder}: {encoder.manifest['n_bytes'] / 1e6:.2f} MB; error of voices never "
        f"trained on {held_out['error']:.3f}, {held_out['error_before']:.3f} before."
    )
    if found is not None:
        for reason in found.why:
            typer.echo(f"  {reason}")
        typer.echo(f"{'Adopted' if found.adopted else 'Not adopted'}; {found.former} stays there.")
    if found is None or found.adopted:
        typer.echo(f"Read it by `--features {encoder.name}`.")


def require_torch(extra: str = "distill") -> None:
    """Make sure that networks can be trained, before any work.

    Args:
        extra: of the package, which brings torch

    Raises:
        DependencyError: if torch is not installed
    """
    if importlib.util.find_spec("torch") is None:
        from ser_batch.errors import DependencyError

        raise DependencyError(f"training needs torch: pip install 'ser-batch[{extra}]'")


def chosen_teacher(name: str | None, begun: LocalEncoder | None) -> Teacher:
    """The teacher that was asked for; unasked, the large one if its weights are here.

    Raises:
        MissingWeightsError: if there is no encoder that could be its own teacher
    """
    from ser_batch.errors import MissingWeightsError
    from ser_batch.lab.distill.teachers import ITSELF, large_teacher, own_teacher

    if begun is not None and name == ITSELF:
        return own_teacher(begun)
    try:
        return large_teacher(name) if name else large_teacher()
    except MissingWeightsError:
        if name is not None or begun is None:
            raise
        return own_teacher(begun)


def _channels(root: Root, settings: Settings) -> dict[str, int | None]:
    """What the root's lake knows of who may be used; nothing where there is no lake."""
    from ser_batch.lab.distill.consent import usable_channels
    from ser_batch.store.lake import Lake

    return usable_channels(Lake(root.lake), settings) if root.lake.is_dir() else {}


def told_command(arguments: Sequence[str]) -> str:
    """What was typed, with paths by their last names: cards name no one's folders."""
    found, skipped = ["ser-batch"], False
    for argument in arguments:
        if not skipped and argument not in (*UNTOLD, "--json"):
            found.append(shlex.quote(re.sub(r"^.*/(?=[^/])", "", argument)))
        skipped = argument in UNTOLD
    return " ".join(found)
