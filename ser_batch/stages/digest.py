"""The weekly digest written beside the reports, and sent once a week."""

from __future__ import annotations

import datetime as dt
import json
import logging
from zoneinfo import ZoneInfo

from ser_batch import warehouse
from ser_batch.config import Settings
from ser_batch.errors import SerError, StopError
from ser_batch.monitoring.delivery import DeliveryError, Webhook
from ser_batch.monitoring.mail import mail, send_mail
from ser_batch.monitoring.notify import Notified
from ser_batch.report.digest import Digest, read_digest, render_html, render_text
from ser_batch.report.files import write_texts
from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.content import read_bytes
from ser_batch.store.paths import Root

NAME = "digest"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

log = logging.getLogger(__name__)


class NoReceiverError(StopError):
    """A digest is to be sent to nobody."""

    code = "no_receiver"
    remedy = "Set digest.host, digest.sender and digest.to, or digest.webhook and alerts.webhook."


def local_day(settings: Settings, now: dt.datetime) -> dt.date:
    """The call centre's date.

    Args:
        settings: with its time zone
        now: UTC, without a zone
    """
    return now.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(settings.ingest.timezone)).date()


def write_digest(root: Root, settings: Settings, today: dt.date) -> Digest:
    """Write `reports/digest.html` and `digest.txt` from the published warehouse.

    Raises:
        WarehouseError: if nothing was published yet
        ChoiceError: if there are no calls
    """
    with warehouse.connect(root.warehouse) as con:
        digest = read_digest(con, settings, root.reports, today)
    html, text = render_html(digest, link=""), render_text(digest, link=settings.digest.link)
    write_texts(root.reports, NAME, html, text)
    return digest


def send_digest(root: Root, settings: Settings, digest: Digest, today: dt.date) -> Notified:
    """Send a digest by mail and webhook, and note that this week's was sent.

    Raises:
        NoReceiverError: if neither is set
    """
    own, webhook = settings.digest, settings.alerts.webhook
    text = render_text(digest, link=own.link)
    n_sent, problems = 0, []
    if own.host is None and not (own.webhook and webhook):
        raise NoReceiverError("the digest has no receiver")
    if own.host is not None:
        html = render_html(digest, link=own.link)
        try:
            refused = send_mail(mail(own, subject=digest.subject, text=text, html=html), own)
            n_sent += 1
            problems += [f"mail server {own.host}: it refused {address}" for address in refused]
        except SerError as error:
            problems.append(error.one_line())
    if own.webhook and webhook is not None:
        try:
            payload = {"text": text, "kind": "digest", "subject": digest.subject}
            Webhook(webhook.get_secret_value(), settings.alerts.timeout_s).post(payload)
            n_sent += 1
        except DeliveryError as error:
            problems.append(str(error))
    if n_sent:
        note = json.dumps({"week": _week(today), "sent_on": today.isoformat()})
        write_text_atomic(root.sent_digest, note + "\n")
    return Notified(n_sent, tuple(problems))


def send_if_due(root: Root, settings: Settings, now: dt.datetime) -> Notified:
    """What a night sends: once a week, from the chosen weekday on; never raises.

    Args:
        root: whose warehouse and report were published
        settings: all settings
        now: UTC
    """
    problems: tuple[str, ...]
    try:
        today = local_day(settings, now)
        if not _is_due(root, settings, today):
            return Notified()
        result = send_digest(root, settings, write_digest(root, settings, today), today)
        problems = result.problems
    except Exception as error:
        problems = (error.one_line() if isinstance(error, SerError) else repr(error),)
        result = Notified(0, problems)
    for problem in problems:
        log.warning("digest not sent: %s", problem)
    return result


def _is_due(root: Root, settings: Settings, today: dt.date) -> bool:
    """Whether the weekday is reached and this week's digest was not sent."""
    chosen = settings.digest.weekday
    if chosen == "off" or today.weekday() < WEEKDAYS.index(chosen):
        return False
    try:
        return bool(json.loads(read_bytes(root.sent_digest))["week"] != _week(today))
    except FileNotFoundError:
        return True
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        log.warning("%s cannot be read (%s): a digest may be sent again", root.sent_digest, error)
        return True


def _week(day: dt.date) -> str:
    """2026-W45."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"
