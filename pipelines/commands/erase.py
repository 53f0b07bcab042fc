"""Command `erase`: a call or a customer, out of everything that was made of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.options import (
    DEFAULT_ROOT,
    JsonOption,
    RootOption,
    SettingsOption,
    existing_root,
    print_json,
    read_settings,
)

if TYPE_CHECKING:
    from ser_batch.erasure.erase import Erased
    from ser_batch.erasure.plan import Erasure


def erase(
    *,
    customer: Annotated[
        str | None, typer.Option(help="All calls of this customer, as the metadata names them.")
    ] = None,
    call: Annotated[str | None, typer.Option(help="One call: its call_id or recording_id.")] = None,
    audio: Annotated[bool, typer.Option("--audio", help="Also delete the recordings.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be erased, and change nothing.")
    ] = False,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a call, or all calls of a customer, everywhere; this cannot be undone.

    Deleted: rows of every table of the lake and the warehouse, lines of
    metadata, labels, snippets, call pages, entries of reports.

    Kept: digests, so that the same audio and metadata are not ingested
    again; sums over many calls in existing reports; files that you exported.

    Later calls of the customer are scored, unless the metadata says `objected`
    or the list `policy.objections` names the customer.

    Examples:

      ser-batch erase --customer 4711 --dry-run

      ser-batch erase --customer 4711

      ser-batch erase --call 2026-11-03-0815 --audio --yes
    """
    from functools import partial

    from ser_batch.erasure.erase import erase as erase_plan
    from ser_batch.erasure.erase import finish_erasure
    from ser_batch.erasure.plan import ErasureSubject, plan_erasure
    from ser_batch.stages.report import republish_without
    from ser_batch.store.lake import Lake
    from ser_batch.store.lock import only_run

    if customer is not None and call is None:
        subject = ErasureSubject("customer", customer)
    elif call is not None and customer is None:
        subject = ErasureSubject("call", call)
    else:
        raise typer.BadParameter("name one of them", param_hint="--customer or --call")
    place = existing_root(root)
    values = read_settings(place, settings)
    republish = partial(republish_without, place, values)
    with only_run(place):
        if not dry_run:
            finish_erasure(place, republish)
        plan = plan_erasure(Lake(place.lake), values, subject, with_audio=audio)
        if dry_run:
            _show_plan(plan, subject.kind, subject.name, as_json=as_json)
            return
        if not yes:
            what = f"{len(plan.recordings)} recordings and {len(plan.lines)} lines of metadata"
            whose = f"{subject.kind} {subject.name!r}"
            typer.confirm(f"Erase {what} of the {whose} for good?", abort=True, err=True)
        done = erase_plan(place, plan, republish)
    if as_json:
        print_json({subject.kind: subject.name, **asdict(done)})
    else:
        _show(done)


def _show_plan(plan: Erasure, kind: str, name: str, *, as_json: bool) -> None:
    from ser_batch.report.words import counted

    if as_json:
        print_json({kind: name, **asdict(plan)})
        return
    recordings = counted(len(plan.recordings), "recording")
    lines = counted(len(plan.lines), "line of metadata", "lines of metadata")
    typer.echo(f"Would erase {recordings} and {lines} of the {kind} {name!r}")
    for date in plan.dates:
        typer.echo(f"  call date {date}")
    for file in plan.audio_files:
        typer.echo(f"  {file}: {'deleted' if plan.with_audio else 'left, and not taken in again'}")


def _show(done: Erased) -> None:
    from ser_batch.report.words import counted

    typer.echo(f"Erased: {counted(done.n_recordings, 'recording')}")
    for table, count in done.rows.items():
        typer.echo(f"  {table:<32} {counted(count, 'row'):>12}")
    snippets = counted(done.n_snippets, "snippet or task", "snippets and tasks")
    typer.echo(f"  {snippets}, {counted(done.n_pages, 'page')} of reports")
    typer.echo(f"  {counted(done.n_audio, 'audio file')} deleted, {len(done.audio_left)} left")
    for name in done.audio_left:
        typer.echo(f"    {name}: stays out of every night; --audio would have deleted it")
    if done.models:
        typer.echo(f"  models that learnt from it: {', '.join(done.models)}; retrain without it")
    files = counted(done.search.n_files, "file")
    if done.search.traces:
        typer.echo(f"  {files} searched; it is still named in: {', '.join(done.search.traces)}")
    else:
        typer.echo(f"  {files} searched: none names it any more")
