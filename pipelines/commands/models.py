"""Commands on models: list, show, compare, promote, rollback, shadow, log."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.decision_tables import show_contest
from pipelines.options import (
    DEFAULT_ROOT,
    JsonOption,
    RootOption,
    SettingsOption,
    open_root,
    print_json,
    read_settings,
)
from pipelines.terminal import show_lines, table_of

if TYPE_CHECKING:
    from ser_batch.scoring.registry import Entry

models_app = typer.Typer(
    no_args_is_help=True, help="Models: list, show, promote, roll back, compare, adapt."
)

NameArgument = Annotated[
    str, typer.Argument(help="Folder below ROOT/models, or `bundled`; `models list` names them.")
]
WhyOption = Annotated[str, typer.Option(help="Reason, for the log.")]


@models_app.command("list")
def list_models(
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the models of a root: champion, shadows and the others.

    Example:

      ser-batch models list
    """
    from ser_batch.scoring.models import known_models

    place = open_root(root)
    models = [asdict(model) for model in known_models(place, read_settings(place, settings))]
    if as_json:
        print_json({"models": models})
        return
    rows = (
        (
            model["folder"],
            model["status"],
            "" if model["uar"] is None else f"{model['uar']:.3f}",
            model["licence"],
        )
        for model in models
    )
    table = table_of(("folder", "status", "UAR of its own training", "licence"), rows)
    table.columns[0].no_wrap = True
    show_lines(table)


@models_app.command("show")
def show(
    model: Annotated[
        str | None,
        typer.Argument(help="Model id or folder of a bundle; without it, the bundled model."),
    ] = None,
    root: RootOption = DEFAULT_ROOT,
    as_json: JsonOption = False,
) -> None:
    """The card of a model: training data, intended use, limits and figures.

    Examples:

      ser-batch models show

      ser-batch models show calls-3f2a91c0 --root data --json
    """
    from ser_batch.scoring.choose import find_bundle
    from ser_batch.scoring.registry import BUNDLED

    show_bundle(find_bundle(open_root(root), model or BUNDLED), as_json=as_json)


@models_app.command("log")
def log(root: RootOption = DEFAULT_ROOT, as_json: JsonOption = False) -> None:
    """List the promotions: model, time, user and reason.

    Example:

      ser-batch models log --json
    """
    from ser_batch.scoring.registry import Registry

    entries = Registry(open_root(root).models).entries()
    if as_json:
        print_json({"log": [asdict(entry) for entry in entries]})
        return
    for entry in entries:
        _say(entry)
    if not entries:
        typer.echo("No model was promoted yet.")


@models_app.command("promote")
def promote(
    name: NameArgument,
    why: WhyOption,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a model the champion: it scores from the next night on.

    Example:

      ser-batch models promote calls-3f2a91c0 --why "better on the line since the new exchange"
    """
    from ser_batch.scoring.models import promote as promote_model
    from ser_batch.store.lock import only_run

    place = open_root(root)
    with only_run(place):
        chosen = read_settings(place, settings)
        entry = promote_model(place, chosen, name, who=user_name(), why=(why,))
    _show(entry, as_json=as_json)


@models_app.command("rollback")
def rollback(
    why: WhyOption,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the previous champion the champion again; its scores are still stored.

    Example:

      ser-batch models rollback --why "too many calls of the shop queue are called angry"
    """
    from ser_batch.scoring.models import roll_back
    from ser_batch.store.lock import only_run

    place = open_root(root)
    with only_run(place):
        entry = roll_back(place, read_settings(place, settings), who=user_name(), why=(why,))
    _show(entry, as_json=as_json)


@models_app.command("shadow")
def shadow(
    name: NameArgument,
    why: WhyOption,
    on: Annotated[bool, typer.Option("--on/--off", help="Start or stop.")] = True,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a challenger score every night beside the champion; the mart model_comparison shows it.

    Example:

      ser-batch models shadow calls-3f2a91c0 --why "to see it for a month"
    """
    from ser_batch.scoring.models import set_shadow
    from ser_batch.store.lock import only_run

    place = open_root(root)
    chosen = read_settings(place, settings)
    with only_run(place):
        entry = set_shadow(place, chosen, name, on=on, who=user_name(), why=(why,))
    _show(entry, as_json=as_json)


def user_name() -> str:
    """Who stands in the log."""
    import getpass

    return getpass.getuser()


def _show(entry: Entry, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(entry))
    else:
        _say(entry)


def _say(entry: Entry) -> None:
    typer.echo(f"{entry.at}  {entry.event.replace('_', ' ')}: {entry.model_id}, by {entry.who}")
    for reason in entry.why:
        typer.echo(f"    {reason}")


@models_app.command("compare")
def compare(
    challenger: NameArgument,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the champion with another model on labelled segments of held-out callers.

    Emotions of `retrain.leave_out`, and those that the other model was trained without, are left
    out.

    Example:

      ser-batch models compare calls-3f2a91c0
    """
    from ser_batch.scoring.choose import load_model
    from ser_batch.scoring.models import usable
    from ser_batch.training.retrain import compare_with_champion

    place = open_root(root)
    chosen = read_settings(place, settings)
    champion, other = load_model(place, chosen), usable(place, chosen, challenger)
    result, left_out = compare_with_champion(place, chosen, champion, other)
    found = {"champion": champion.model_id, "challenger": other.model_id, **result.as_dict()}
    if as_json:
        print_json({**found, "left_out": left_out})
        return
    show_contest(found)
    if left_out:
        typer.echo(f"without segments labelled {', '.join(left_out)} (retrain.leave_out)")


def show_bundle(folder: Path, *, as_json: bool) -> None:
    """A model card, or what manifest and evaluation say.

    Raises:
        BundleError: if it cannot be read
    """
    from ser_batch.scoring.bundle import Bundle

    bundle = Bundle.load(folder)
    if as_json:
        print_json({**_described(bundle), "evaluation": bundle.evaluation})
        return
    from rich.markdown import Markdown

    from ser_batch.scoring.manifest import read_card

    card = read_card(folder)
    show_lines(Markdown(card), f"\n{bundle.model_id}  {folder}")


def _described(bundle: Any) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "model_id": manifest.model_id,
        "folder": str(bundle.folder),
        "feature_set": manifest.feature_set,
        "n_features": len(manifest.feature_names),
        "classes": list(manifest.classes),
        "band": manifest.band,
        "licence": manifest.licence,
        "training": list(manifest.training),
    }
