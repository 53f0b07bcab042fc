"""Ways by which an alert leaves: a webhook, and a command."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import ser_batch
from ser_batch.config import AlertSettings
from ser_batch.errors import StopError
from ser_batch.monitoring.alerts import Alert

JSON_VARIABLE = "SER_ALERT"
"""Environment variable in which a command finds the alert as JSON."""

_PASSING = (408, 429)


class DeliveryError(StopError):
    """An alert did not arrive.

    Attributes:
        may_pass: whether another try may succeed
    """

    code = "delivery"

    def __init__(self, channel: str, cause: str, *, may_pass: bool) -> None:
        super().__init__(f"{channel}: {cause}")
        self.may_pass = may_pass


class Channel(Protocol):
    """A way by which alerts leave."""

    @property
    def name(self) -> str:
        """For messages; it holds no secret."""

    def send(self, alert: Alert) -> None:
        """Deliver one alert, once.

        Raises:
            DeliveryError: if it did not arrive
        """


@dataclass(frozen=True)
class Webhook:
    """JSON by HTTP POST, as Slack's incoming webhooks take it.

    Attributes:
        url: secret
        timeout_s: of the connection and of the answer
    """

    url: str
    timeout_s: float

    @property
    def name(self) -> str:
        """The host alone: the path is the secret."""
        return f"webhook {urlsplit(self.url).hostname}"

    def send(self, alert: Alert) -> None:
        """Post the alert."""
        self.post(alert.payload())

    def post(self, payload: Mapping[str, Any]) -> None:
        """Post JSON with a key `text`; any answer but 2xx is a failure, a redirection too.

        Raises:
            DeliveryError: if it did not arrive
        """
        request = urllib.request.Request(
            self.url,
            data=json.dumps(payload, ensure_ascii=False, default=str).encode(),
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": f"ser-batch/{ser_batch.__version__}",
            },
            method="POST",
        )
        opener = urllib.request.build_opener(_NoRedirection)
        try:
            opener.open(request, timeout=self.timeout_s).close()
        except urllib.error.HTTPError as error:
            may_pass = error.code >= 500 or error.code in _PASSING
            error.close()
            raise DeliveryError(self.name, f"HTTP {error.code}", may_pass=may_pass) from None
        except (OSError, http.client.HTTPException) as error:
            cause = str(getattr(error, "reason", "") or error) or type(error).__name__
            raise DeliveryError(self.name, cause, may_pass=True) from None


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        """Follow none: the alert would be lost on the way."""


@dataclass(frozen=True)
class Command:
    """A program that gets the text on standard input and the JSON in a variable.

    Attributes:
        arguments: program and arguments
        timeout_s: after which it is killed, with all that it started
    """

    arguments: tuple[str, ...]
    timeout_s: float

    @property
    def name(self) -> str:
        """The program."""
        return f"command {self.arguments[0]}"

    def send(self, alert: Alert) -> None:
        """Run the program; any exit code but 0 is a failure."""
        variables = {JSON_VARIABLE: json.dumps(alert.payload(), ensure_ascii=False, default=str)}
        with tempfile.TemporaryFile("w+", errors="replace") as said:
            try:
                process = subprocess.Popen(
                    self.arguments,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    env={**os.environ, **variables},
                    start_new_session=True,
                    text=True,
                )
            except OSError as error:
                cause = error.strerror or str(error)
                raise DeliveryError(self.name, cause, may_pass=False) from None
            try:
                process.communicate(alert.text + "\n", timeout=self.timeout_s)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                cause = f"not done after {self.timeout_s:g} s"
                raise DeliveryError(self.name, cause, may_pass=True) from None
            if process.returncode:
                said.seek(0)
                lines = said.read().strip().splitlines() or ["no message"]
                cause = f"exit code {process.returncode}, {lines[-1]}"
                raise DeliveryError(self.name, cause, may_pass=True)


def channels(settings: AlertSettings) -> list[Channel]:
    """The ways that are set."""
    found: list[Channel] = []
    if settings.webhook is not None:
        found.append(Webhook(settings.webhook.get_secret_value(), settings.timeout_s))
    if settings.command is not None:
        found.append(Command(tuple(shlex.split(settings.command)), settings.timeout_s))
    return found


def deliver(channel: Channel, alert: Alert, settings: AlertSettings) -> None:
    """Deliver one alert, trying again after a passing fault.

    Raises:
        DeliveryError: if no try succeeded
    """
    for tries_left in range(settings.retries, -1, -1):
        try:
            channel.send(alert)
            return
        except DeliveryError as error:
            if not error.may_pass or not tries_left:
                raise
        time.sleep(settings.retry_delay_s)
