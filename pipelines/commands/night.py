"""Commands of the night: nightly, runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipelines.logs import start_log, writes_json
from pipelines.options import (
    DEFAULT_ROOT,
    Exit,
    JsonOption,
    LogFormatOption,
    RootOption,
    SettingsOption,
    existing_root,
    open_root,
    print_json,
    read_settings,
)
from pipelines.terminal import show_lines, table_of

if TYPE_CHECKING:
    from pipelines.nightly import Engine
    from ser_batch.progress import LogFormat


def nightly(
    audio: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of recordings, searched with its subfolders, or s3://BUCKET/PREFIX; may "
            "be given several times. Else the setting ingest.audio."
        ),
    ] = None,
    metadata: Annotated[
        list[Path] | None,
        typer.Option(help="CSV, JSON lines or Parquet; may be given several times."),
    ] = None,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    engine: Annotated[
        Literal["threads", "dask"],
        typer.Option(help="Who works on the shards: this machine, or a Dask cluster."),
    ] = "threads",
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Dask scheduler, tcp://HOST:PORT or tls://HOST:PORT; without it --engine dask "
            "starts a worker process here.",
        ),
    ] = None,
    log_format: LogFormatOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ingest new recordings, score them, publish the warehouse, write the report.

    Finished work is not repeated: after a kill, the same command completes the night.
    Exit code: 0 clean; 3 partial: files were rejected, no recording was found, or fewer than
    half of the calls that could be scored were; 1 failed; 75 another run is using the root.

    Examples:

      ser-batch nightly --audio /calls --metadata /calls/export.csv

      ser-batch nightly --audio /calls/site-a --audio /calls/site-b

      ser-batch nightly --audio s3://BUCKET/calls --metadata s3://BUCKET/export.csv

      SER_INGEST__MIN_AGE_S=0 ser-batch nightly --audio /calls --root /srv/ser-batch

      ser-batch nightly --audio /calls --log-format json 2>> night.log

      DASK_DISTRIBUTED__WORKER__DAEMON=False dask worker tcp://HOST:8786 --nthreads 2

      ser-batch nightly --audio /calls --engine dask --scheduler tcp://HOST:8786
    """
    if scheduler is not None and not re.match(r"[a-z]+://.", scheduler):
        raise typer.BadParameter("an address is tcp://HOST:PORT", param_hint="--scheduler")
    if scheduler is not None and engine == "threads":
        raise typer.BadParameter("--scheduler goes with --engine dask")
    summary = run_nightly(
        audio or [],
        metadata or [],
        root,
        settings,
        quiet=as_json,
        log_format=log_format,
        engine=engine,
        scheduler=scheduler,
    )
    if as_json:
        print_json(summary)
    elif not writes_json():
        show_summary(summary)
    if summary["status"] == "partial":
        raise typer.Exit(Exit.PARTIAL)


def runs(
    root: RootOption = DEFAULT_ROOT,
    last: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 10,
    as_json: JsonOption = False,
) -> None:
    """The last runs: status, calls, seconds and model.

    Example:

      ser-batch runs --last 3 --json
    """
    from ser_batch.monitoring.run_record import read_runs

    rows = read_runs(existing_root(root), last=last)
    for row in rows:
        row["counts"], row["stage_s"] = dict(row["counts"]), dict(row["stage_s"])
    if as_json:
        print_json({"runs": rows})
        return
    table = table_of(
        ("run", "status", "calls", "audio h", "seconds", "model"),
        (
            (
                row["run_id"],
                row["status"] + (f"\n{row['message']}" if row["message"] else ""),
                str(row["counts"].get("calls_analysed", 0)),
                f"{row['audio_s'] / 3600:.2f}",
                f"{sum(v for name, v in row['stage_s'].items() if 'core' not in name):.1f}",
                row["model_id"],
            )
            for row in rows
        ),
    )
    table.columns[0].no_wrap, table.columns[-1].overflow = True, "fold"
    show_lines(table, *([] if rows else ["no rows"]))


def run_nightly(
    audio: Sequence[Path],
    metadata: Sequence[Path],
    root: Path,
    settings: Path | None,
    *,
    quiet: bool,
    log_format: LogFormat | None = None,
    engine: Engine = "threads",
    scheduler: str | None = None,
) -> dict[str, Any]:
    """The flow, with a quiet Prefect; wrong roots and settings are reported before it starts.

    Args:
        audio, metadata, root, settings: as the flow takes them
        quiet: no progress, unless a log format asks for it
        log_format: of standard error; None: the setting's
        engine, scheduler: as the flow takes them

    Raises:
        AudioFolderError: if no audio folder is named
        DependencyError: if the engine is not installed
        NoSharedServerError: if a scheduler is given and no Prefect server is configured
        RootIsFileError: if the root can be no folder
        SettingsError: naming the key that is wrong
    """
    from pipelines.prefect_api import prefect_api
    from ser_batch.ingest.folders import named_folders
    from ser_batch.store.lock import only_run

    if engine == "dask":
        from pipelines.cluster import require_cluster

        require_cluster()
    place = open_root(root)
    given = [str(path) for path in audio]
    found = read_settings(place, settings)
    has_bars = start_log(log_format or found.run.log_format, quiet=quiet)
    named_folders(given, found.ingest.audio)
    with only_run(place):  # another run is named before Prefect starts
        pass
    with prefect_api(place, _flow, is_shared=scheduler is not None) as flow:
        # Prefect returns the data of a state that a flow returns
        summary: dict[str, Any] = flow(
            audio=given,
            metadata=[str(path) for path in metadata],
            root=str(root),
            settings_file=str(settings) if settings else None,
            quiet=not has_bars,
            engine=engine,
            scheduler=scheduler,
        )
    return summary


def _flow() -> Any:
    from pipelines.nightly import nightly

    return nightly


def show_summary(summary: dict[str, Any]) -> None:
    """What a night did, for the terminal."""
    from rich.console import Console
    from rich.markup import escape

    from ser_batch.errors.base import sentences
    from ser_batch.ingest.metadata_import import no_meaning
    from ser_batch.report.words import counted

    console = Console(soft_wrap=True)
    counts = summary["counts"]
    if summary["status"] == "partial":
        console.print(f"[yellow]Partial[/]: {escape(_why_partial(summary))}")
        console.print(f"  {_work_done(summary)}")
    else:
        console.print(_headline(summary))
    if counts["quarantined"] or counts["warnings"]:
        console.print(
            f"  new: {counted(counts['quarantined'], 'rejected file')}, "
            f"{counted(counts['warnings'], 'warning')}; all: [bold]ser-batch quarantine list[/]"
        )
    if counts["files_erased"]:
        console.print(f"  {counted(counts['files_erased'], 'file')} of erased calls left out")
    for reason in summary["not_scored"]:
        remedy = f" → {escape(reason['remedy'])}" if reason["remedy"] else ""
        calls = counted(reason["count_calls"], "call")
        console.print(f"  {calls} not scored: {escape(reason['meaning'])}{remedy}")
    if summary["undated"]:
        console.print(
            f"  {counted(summary['undated'], 'call')} dated by the time of the file, for nothing "
            "else says it: started_at in the metadata, or ingest.name_pattern"
        )
    if summary["attributes"]:
        console.print(f"  {escape(sentences(*no_meaning(summary['attributes'])))}")
    for row in summary["drift"]:
        console.print(
            f"  drift in {row['subject']}, {row['name']}, against {row['reference']}: "
            f"{escape(row['advice'])}"
        )
    if counts["files_growing"]:
        console.print(
            f"  {counted(counts['files_growing'], 'file')} skipped: still being written (changed "
            "within ingest.min_age_s); the next run takes them"
        )
    for problem in summary["alerts"]["problems"]:
        console.print(f"  [yellow]alert not sent[/]: {escape(problem)}")
    for problem in summary["digest"]["problems"]:
        console.print(f"  [yellow]digest not sent[/]: {escape(problem)}")
    console.print(f"  warehouse {escape(summary['warehouse'])}")
    console.print(f"  report    {escape(summary['report'])}")
    if summary["published_to"]:
        console.print(
            f"  both are in {escape(summary['published_to'])}; these are this machine's copies"
        )


def _why_partial(summary: dict[str, Any]) -> str:
    """Every reason, that with a setting to change first."""
    from ser_batch.errors.base import sentences
    from ser_batch.report.words import counted

    counts, completeness = summary["counts"], summary["completeness"]
    reasons = []
    if completeness["reason"]:
        reasons.append(sentences(completeness["message"], completeness["remedy"]))
    if counts["quarantined"] and completeness["reason"] != "rejected":
        codes = ", ".join(f"{count} {code}" for code, count in summary["rejected"].items())
        reasons.append(f"{counted(counts['quarantined'], 'file')} rejected ({codes})")
    if lost := counts.get("calls_lost"):
        reasons.append(f"stored analysis lost of {counted(lost, 'call')}")
    return reduce(sentences, reasons)


def _headline(summary: dict[str, Any]) -> str:
    counts = summary["counts"]
    seconds = sum(summary["stage_s"].values())
    if not summary["published"] and not counts.get("calls_analysed"):
        return (
            f"[green]Nothing new[/]: {counts['files_found'] - counts['files_erased']} recordings "
            "are known, "
            f"nothing was computed ({seconds:.1f} s)."
        )
    return f"[green]Clean[/]: {_work_done(summary)}"


def _work_done(summary: dict[str, Any]) -> str:
    from ser_batch.report.words import counted

    counts = summary["counts"]
    spent = ", ".join(f"{name} {value:.1f} s" for name, value in summary["stage_s"].items())
    return (
        f"{counted(counts.get('calls_analysed', 0), 'call')} analysed "
        f"({summary['audio_s'] / 3600:.2f} h), "
        f"{counted(counts.get('segments_scored', 0), 'segment')} scored, "
        f"{counted(summary['rows'].get('call_summary', 0), 'call')} in the warehouse.\n"
        f"  {spent}"
    )
