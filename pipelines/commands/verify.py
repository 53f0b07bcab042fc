"""Command `verify`: whether everything that is kept is as it was written."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.options import (
    DEFAULT_ROOT,
    Exit,
    JsonOption,
    RootOption,
    SettingsOption,
    existing_root,
    print_json,
    read_settings,
)

if TYPE_CHECKING:
    from ser_batch.config import Settings
    from ser_batch.stages.repair import Repaired
    from ser_batch.stages.verify import Finding
    from ser_batch.store.paths import Root


def verify(
    root: RootOption = DEFAULT_ROOT,
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Restore or recompute what is damaged.")
    ] = False,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every stored file and list what is lost or damaged; exit code 1 if anything is.

    Checks the lake's files and their second copies, whether the parts of each
    shard belong together, the registry and its models, and every table of the
    warehouse. --repair restores what has a second copy, analyses recordings
    again whose stored rows are gone, and builds the warehouse again.

    Examples:

      ser-batch verify

      ser-batch verify --repair --json
    """
    from ser_batch.store.lock import only_run

    place = existing_root(root)
    values = read_settings(place, settings)
    repaired = None
    with only_run(place):
        found = _found(place, values, quiet=as_json)
        left = found
        if repair and found:
            repaired = _repaired(place, values, found, quiet=as_json)
            left = _found(place, values, quiet=as_json)
    if as_json:
        done = asdict(repaired) if repaired else None
        print_json({"found": _rows(found), "repaired": done, "left": _rows(left)})
    else:
        _show(found, left, repaired)
    if left or (repaired and repaired.n_lost):
        raise typer.Exit(Exit.FAILED)


def _found(place: Root, settings: Settings, *, quiet: bool) -> list[Finding]:
    from pipelines.display import Display
    from ser_batch.stages.verify import verify as check

    with Display(quiet=quiet) as display:
        return check(place, settings, lambda done, total: display.reach("verify", done, total))


def _repaired(place: Root, settings: Settings, found: list[Finding], *, quiet: bool) -> Repaired:
    from pipelines.engine import open_engine
    from ser_batch.clock import utc_now
    from ser_batch.stages.repair import repair

    with open_engine(settings, quiet=quiet) as engine:
        return repair(place, settings, found, engine.workers, now=utc_now())


def _rows(found: list[Finding]) -> list[dict[str, Any]]:
    return [{"path": str(each.path), "what": each.what, "action": each.action} for each in found]


def _show(found: list[Finding], left: list[Finding], repaired: Repaired | None) -> None:
    from ser_batch.report.words import counted
    from ser_batch.stages.verify import ACTIONS

    if not found:
        typer.echo("Everything is as it was written.")
        return
    for each in left if repaired else found:
        typer.echo(f"{each.path}: {each.what}; {ACTIONS[each.action]}")
    if repaired is None:
        typer.echo(f"{counted(len(found), 'file')} not as written; --repair does this")
        return
    typer.echo(
        f"{counted(len(found), 'file')} not as written: {repaired.n_restored} restored, "
        f"{counted(repaired.n_shards, 'shard')} recomputed from "
        f"{counted(repaired.n_calls, 'recording')}, "
        f"{counted(repaired.n_scored, 'part')} scored again"
        f"{', warehouse rebuilt' if repaired.is_rebuilt else ''}; {len(left)} left"
    )
    if repaired.n_lost:
        lost = counted(repaired.n_lost, "call")
        typer.echo(
            f"stored rows of {lost} are lost, because the recordings are gone: "
            "`ser-batch quarantine list --warnings --code analysis_lost`"
        )
