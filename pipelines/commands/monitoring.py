"""Commands of monitoring: health, alerts test."""

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

app = typer.Typer(no_args_is_help=True, help="Alerts about nights that need attention.")

HEALTH_EXIT = {"ok": 0, "warning": 1, "critical": 2}
"""As monitoring systems (Nagios, Icinga, Sensu) read them."""


def health(
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check freshness, last run, rejected files, drift and disk, for a monitoring system.

    Exit code: 0 ok; 1 warning; 2 critical. The limits are settings: table [health].

    Examples:

      ser-batch health --root /srv/ser-batch

      ser-batch health --json
    """
    from dataclasses import asdict

    from ser_batch.monitoring.health import examine_health, overall

    checks = examine_health(root, settings)
    status = overall(checks)
    if as_json:
        print_json({"status": status, "checks": [asdict(check) for check in checks]})
    else:
        worst = [check.finding for check in checks if check.status == status]
        typer.echo(f"{status.upper()}: {'; '.join(worst)}")
        for check in checks:
            typer.echo(f"  {check.status:<9} {check.name}: {check.finding}")
    raise typer.Exit(HEALTH_EXIT[status])


@app.command("test")
def send_sample(
    thresholds: Annotated[
        bool, typer.Option(help="Also show which queues' days lie above the limits.")
    ] = True,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a sample alert by webhook and command, and list queues above a limit.

    Example:

      SER_ALERTS__WEBHOOK=https://hooks.slack.com/services/… ser-batch alerts test
    """
    from ser_batch.clock import utc_now
    from ser_batch.monitoring.alerts import AlertedRun, sample_alert
    from ser_batch.monitoring.delivery import channels
    from ser_batch.monitoring.notify import send
    from ser_batch.monitoring.thresholds import threshold_alerts

    place = existing_root(root)
    values = read_settings(place, settings)
    now = utc_now()
    run = AlertedRun(f"test-{now:%Y%m%dT%H%M%S%f}", now.date(), place.path)
    names = [channel.name for channel in channels(values.alerts)]
    found = send(place, values, [sample_alert(run)])
    rules, days = values.alerts.thresholds, values.alerts.days
    above = threshold_alerts(place, run, rules, days=days) if thresholds else []
    if as_json:
        shown = [alert.payload() for alert in above]
        print_json({"channels": names, **found.as_dict(), "above_limits": shown})
    else:
        for alert in above:
            typer.echo(alert.text)
        if names:
            typer.echo(f"{found.n_sent} of {len(names)} samples sent: {', '.join(names)}")
    for problem in found.problems:
        say_error(f"alert not sent: {problem}")
    if not names:
        say_error("no alert is sent: alerts.webhook and alerts.command are not set.")
    if not names or found.problems:
        raise typer.Exit(Exit.FAILED)
