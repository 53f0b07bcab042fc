"""Command `demo`: calls that it makes itself, through the whole night."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.options import JsonOption, open_root, print_json, say_progress

DEMO_ROOT = Path("data/demo")
SAYS_SYNTHETIC = (
    "All speech in these calls is synthetic: no person speaks, and the figures say nothing about "
    "real calls."
)

QUERIES = (
    "select call_date, queue, count_calls, dissatisfied_share from daily_dissatisfaction "
    "order by dissatisfied_share desc nulls last limit 5",
    "select call_id, queue, dissatisfaction, worst_start_s, path from call_summary "
    "order by dissatisfaction desc nulls last limit 5",
    "select start_s, emotion, confidence, dissatisfaction from segment_emotion "
    "where call_id = '{call_id}' order by start_s",
)


def demo(
    root: Annotated[
        Path, typer.Option("--root", help="Folder for the calls and all results.")
    ] = DEMO_ROOT,
    calls: Annotated[int, typer.Option(help="Number of calls.", min=1, max=500)] = 24,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Simulate calls and run a night on them.

    Example:

      ser-batch demo --root /tmp/demo
    """
    from pipelines.commands.night import run_nightly, show_summary

    open_root(root)
    made = _make(root, calls, seed, quiet=as_json)
    settings = _settings(root)
    summary = run_nightly([made.audio_dir], [made.metadata_path], root, settings, quiet=as_json)
    if as_json:
        print_json({**summary, "synthetic": True, "truth": str(made.truth_path)})
        return
    typer.echo(f"{made.n_calls} calls, {made.duration_s / 60:.0f} minutes. {SAYS_SYNTHETIC}")
    show_summary(summary)
    _show_queries(root, summary)


def _settings(root: Path) -> Path:
    """The demo's settings file, written once: what so few calls, all whole, need."""
    from ser_batch.settings_file import SETTINGS_FILE

    path = root / SETTINGS_FILE
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[ingest]\nmin_age_s = 0\n\n[report]\nmin_calls = 2\n", encoding="utf-8")
    return path


def _make(root: Path, n_calls: int, seed: int, *, quiet: bool) -> Any:
    from pipelines.display import Display
    from ser_batch.lab.synthetic.demo import make_demo_calls

    if not quiet:
        say_progress(f"simulating {n_calls} calls")
    with Display(quiet=quiet) as display:
        return make_demo_calls(
            root / "calls",
            n_calls=n_calls,
            seed=seed,
            progress=lambda done, total: display.reach("speak", done, total),
        )


def _show_queries(root: Path, summary: dict[str, Any]) -> None:

    from ser_batch.warehouse import connect

    with connect(Path(summary["warehouse"])) as con:
        worst = con.execute(
            "select call_id from call_summary order by dissatisfaction desc nulls last limit 1"
        ).fetchone()
    typer.echo("Three questions to try:")
    for sql in QUERIES:
        text = sql.format(call_id=worst[0] if worst else "")
        typer.echo(f'  .venv/bin/ser-batch query --root {root} "{text}"')
