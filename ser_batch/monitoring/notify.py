"""Notify people of a night that needs attention; whatever goes wrong here, the night goes on."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ser_batch.clock import utc_now
from ser_batch.config import Settings
from ser_batch.errors import SerError
from ser_batch.monitoring.alerts import (
    Alert,
    Kind,
    alerted_run,
    drift_alert,
    failed_alert,
    partial_alert,
)
from ser_batch.monitoring.delivery import DeliveryError, channels, deliver
from ser_batch.monitoring.thresholds import threshold_alerts
from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.content import read_bytes
from ser_batch.store.lock import only_writer
from ser_batch.store.paths import Root

if TYPE_CHECKING:
    from ser_batch.monitoring.run_record import RunRecord

KEPT_DAYS = 90
"""Days for which it is known what was sent; no alert is about older days."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notified:
    """What became of a night's alerts.

    Attributes:
        n_sent: alerts that arrived, counted once a channel
        problems: why others did not, in words
    """

    n_sent: int = 0
    problems: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"sent": self.n_sent, "problems": list(self.problems)}


def notify_end(
    root: Root,
    settings: Settings,
    record: RunRecord,
    *,
    message: str,
    drift: Sequence[Mapping[str, Any]],
) -> Notified:
    """Alerts of a night that published; never raises.

    Args:
        root: whose warehouse was published
        settings: all settings
        record: of the night, final
        message: why the night is not complete; empty: it is
        drift: rows of `drift` whose level is drift
    """

    run = alerted_run(root.path, record, settings.ingest.timezone)
    rules, days = settings.alerts.thresholds, settings.alerts.days
    return _notify(
        root,
        settings,
        {
            "partial": lambda: (
                [partial_alert(run, record.counts, message)] if record.status == "partial" else []
            ),
            "drift": lambda: [drift_alert(run, drift)] if drift else [],
            "threshold": lambda: threshold_alerts(root, run, rules, days=days),
        },
    )


def notify_failure(
    root: Root, settings: Settings, record: RunRecord, error: BaseException
) -> Notified:
    """The alert of a night that failed; never raises, so that the error itself is seen."""
    run = alerted_run(root.path, record, settings.ingest.timezone)
    return _notify(root, settings, {"failed": lambda: [failed_alert(run, error)]})


def send(root: Root, settings: Settings, alerts: Sequence[Alert]) -> Notified:
    """Deliver alerts by every channel, without what a channel has delivered before.

    A channel that fails is not tried again for the other alerts: they wait for the next night.
    """
    n_sent, problems = 0, []
    for channel in channels(settings.alerts):
        known = {name.removeprefix(f"{channel.name} ") for name in _read_sent(root)}
        for alert in alerts:
            fresh = alert.without(known)
            if fresh is None:
                continue
            try:
                deliver(channel, fresh, settings.alerts)
            except DeliveryError as error:
                problems.append(str(error))
                break
            n_sent += 1
            _add_sent(root, [f"{channel.name} {cell.key_id}" for cell in fresh.cells])
    return Notified(n_sent, tuple(problems))


def _notify(
    root: Root, settings: Settings, makers: Mapping[Kind, Callable[[], list[Alert]]]
) -> Notified:
    """Send what is wanted; an error in one kind of alert stops no other kind, nor the night."""
    if not channels(settings.alerts):
        return Notified()
    alerts: list[Alert] = []
    result = Notified()
    problems: list[str] = []
    for kind, make in makers.items():
        if kind in settings.alerts.on:
            with _problems_of(problems):
                alerts += make()
    with _problems_of(problems):
        result = send(root, settings, alerts)
    problems += result.problems
    for problem in problems:
        log.warning("alert not sent: %s", problem)
    return Notified(result.n_sent, tuple(problems))


@contextmanager
def _problems_of(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        problems.append(error.one_line() if isinstance(error, SerError) else repr(error))


def _read_sent(root: Root) -> dict[str, str]:
    """When each cell was sent, by channel and digest; what cannot be read was never sent."""
    path = root.sent_alerts
    try:
        return {str(name): str(at) for name, at in json.loads(read_bytes(path)).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        log.warning("%s cannot be read (%s): alerts may be sent again", path, error)
        return {}


def _add_sent(root: Root, names: Sequence[str]) -> None:
    """Note what was sent now, beside what other programs note; what is too old goes."""
    now = utc_now()
    oldest = (now - dt.timedelta(days=KEPT_DAYS)).isoformat(timespec="seconds")
    with only_writer(root.sent_alerts.parent, root.sent_alerts.name):
        sent = _read_sent(root) | dict.fromkeys(names, now.isoformat(timespec="seconds"))
        kept = {name: at for name, at in sorted(sent.items()) if at >= oldest}
        write_text_atomic(root.sent_alerts, json.dumps(kept, indent=1) + "\n")
