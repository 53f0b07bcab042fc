"""Commands that set up: init, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.options import (
    DEFAULT_ROOT,
    Exit,
    JsonOption,
    RootOption,
    SettingsOption,
    open_root,
    print_json,
    say_error,
)


def init(
    root: RootOption = DEFAULT_ROOT,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a settings file with every setting, its default, range and meaning.

    Example:

      ser-batch init --root /srv/ser-batch
    """
    from ser_batch.settings_file import SETTINGS_FILE, commented_settings

    path = open_root(root).path / SETTINGS_FILE
    if path.exists() and not force:
        say_error(f"{path} is there already. Edit it, or replace it with --force.")
        raise typer.Exit(Exit.FAILED)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(commented_settings(), encoding="utf-8")
    typer.echo(f"Wrote {path}: every line is a default; take off the # to change it.")


def doctor(
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check versions, folders, disk, decoders, model and warehouse: one line each.

    Example:

      ser-batch doctor --root /srv/ser-batch
    """
    from dataclasses import asdict

    from ser_batch.monitoring.doctor import examine

    checks = examine(open_root(root), settings)
    failed = any(check.state == "failed" for check in checks)
    if as_json:
        print_json({"healthy": not failed, "checks": [asdict(check) for check in checks]})
    else:
        from rich.console import Console
        from rich.markup import escape

        marks = {"ok": "[green]ok[/]    ", "note": "[yellow]note[/]  ", "failed": "[red]failed[/]"}
        console = Console(soft_wrap=True)
        for check in checks:
            remedy = f" → {escape(check.remedy)}" if check.remedy else ""
            console.print(f"{marks[check.state]} {check.name}: {escape(check.finding)}{remedy}")
    if failed:
        raise typer.Exit(Exit.FAILED)
