"""Command `digest`: the weekly digest as files, and by mail or webhook."""

from __future__ import annotations

from typing import Annotated

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
    say_error,
)


def digest(
    send: Annotated[
        bool, typer.Option("--send", help="Send it now, as the settings [digest] say.")
    ] = False,
    root: RootOption = DEFAULT_ROOT,
    settings_file: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the digest of the week: what changed, five calls to listen to, where coverage fell.

    It is written as HTML and text beside the reports. With the setting `digest.weekday`, a night
    sends it once a week by mail (`digest.host`) or by the webhook of the alerts.

    Examples:

      ser-batch digest

      SER_DIGEST__PASSWORD=… ser-batch digest --send
    """
    from ser_batch.clock import utc_now
    from ser_batch.monitoring.notify import Notified
    from ser_batch.report.digest import render_text
    from ser_batch.stages.digest import NAME, local_day, send_digest, write_digest
    from ser_batch.store.lock import only_run

    place = existing_root(root)
    settings = read_settings(place, settings_file)
    today = local_day(settings, utc_now())
    with only_run(place):
        found = write_digest(place, settings, today)
        sent = send_digest(place, settings, found, today) if send else Notified()
    page = place.reports / f"{NAME}.html"
    if as_json:
        print_json({"digest": str(page), "subject": found.subject, **sent.as_dict()})
    else:
        typer.echo(render_text(found, link=settings.digest.link))
        typer.echo(f"{page}{f', sent {sent.n_sent} time(s)' if send else ''}")
    for problem in sent.problems:
        say_error(f"digest not sent: {problem}")
    if sent.problems:
        raise typer.Exit(Exit.FAILED)
