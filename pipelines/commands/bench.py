"""Commands `bench …`: every claim of speed or quality, measured beside a named peer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.options import Exit, JsonOption, print_json, say_error

app = typer.Typer(no_args_is_help=True, help="Figures of speed and quality, beside named peers.")


@app.command("night")
def night(
    hours: Annotated[float, typer.Option(help="Hours of calls.", min=0.01, max=1000)] = 2.0,
    calls: Annotated[
        Path | None,
        typer.Option(help="Folder of two-channel WAV calls to repeat; else calls/ of the corpora."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """A night on repeated real and demo calls: × real time per core, orchestration, memory.

    Examples:

      ser-batch bench night --hours 2

      ser-batch bench night --hours 0.5 --calls /calls --json
    """
    from ser_batch.bench.night import run

    sources = _demo_calls() + _real_calls(calls)
    result = run(sources, hours, _run_night)
    if as_json:
        print_json(result)
    else:
        _show(result)


def _run_night(audio: Path, root: Path) -> dict[str, Any]:
    from pipelines.commands.night import run_nightly

    os.environ["SER_INGEST__MIN_AGE_S"] = "0"
    return run_nightly(audio, [], root, None, quiet=False)


def _demo_calls() -> list[Path]:
    from platformdirs import user_cache_path

    from ser_batch.synthetic.demo import make_demo_calls

    made = make_demo_calls(user_cache_path("ser-batch") / "bench-calls", n_calls=24, seed=1)
    return sorted(made.audio_dir.rglob("*.wav"))


def _real_calls(folder: Path | None) -> list[Path]:
    """Two-channel WAV calls, where there are any."""
    import soundfile

    if folder is None and (corpora := os.environ.get("SER_CORPUS_DIR")):
        folder = Path(corpora) / "calls"
    found = sorted(folder.rglob("*.wav")) if folder else []
    if folder is not None and not found:
        say_error(f"no WAV file lies in {folder}.")
        raise typer.Exit(Exit.FAILED)
    return [path for path in found if soundfile.info(path).channels == 2]


def _show(result: dict[str, Any]) -> None:
    """Figures in a table: a line a stage and a line a peer."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("", "× real time per core", title=f"{result['hours']:.2f} h of calls")
    for name, value in result["ours"].items():
        table.add_row(name.replace("_", " "), f"{value:,.0f}")
    for name, value in result["peers"].items():
        ratio = result["ratios"][name]
        table.add_row(f"peer: {name.replace('_', ' ')}", f"{value:,.0f} (ratio {ratio:.2f})")
    console.print(table)
    memory = result["peak_memory_mb"]
    console.print(
        f"{result['n_calls']} calls on {result['n_processes']} cores; orchestration "
        f"{result['orchestration_share']:.1%} of the flow, {result['before_flow_s']:.1f} s before "
        f"it; peak memory {memory['short_night']:.0f} MB for a quarter of the calls, "
        f"{memory['long_night']:.0f} MB for all."
    )
