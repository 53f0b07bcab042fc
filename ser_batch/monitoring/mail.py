"""Mail by SMTP, and the password for it."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from ser_batch.config import DigestSettings
from ser_batch.config.weekly import TLS_PORT
from ser_batch.monitoring.delivery import DeliveryError
from ser_batch.secret import read_secret


def mail(settings: DigestSettings, *, subject: str, text: str, html: str) -> EmailMessage:
    """A message that mail programs show as HTML or as text."""
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.to)
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=str(settings.sender).rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def send_mail(message: EmailMessage, settings: DigestSettings) -> tuple[str, ...]:
    """Send a message.

    Returns:
        addresses that the server refused, if it took the message for others

    Raises:
        DeliveryError: if it took the message for nobody
        SettingsError: if the password cannot be read
    """
    name = f"mail server {settings.host}:{settings.port}"
    try:
        password = read_secret(
            "digest.password", settings.password, settings.password_file, settings.password_command
        )
        with _connected(settings) as server:
            if settings.user is not None:
                server.login(settings.user, password or "")
            return tuple(server.send_message(message))
    except smtplib.SMTPRecipientsRefused as error:
        refused = ", ".join(error.recipients)
        raise DeliveryError(name, f"it refused {refused}", may_pass=False) from None
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        said = said.decode(errors="replace") if isinstance(said, bytes) else said
        cause = f"{error.smtp_code} {' '.join(said.split())}"
        raise DeliveryError(name, cause, may_pass=400 <= error.smtp_code < 500) from None
    except (OSError, smtplib.SMTPException) as error:
        cause = " ".join(str(error).split()) or type(error).__name__
        raise DeliveryError(name, cause, may_pass=True) from None


def _connected(settings: DigestSettings) -> smtplib.SMTP:
    """A connection, encrypted where the settings say so."""
    host, port, timeout_s = str(settings.host), settings.port, settings.timeout_s
    tls = ssl.create_default_context()
    if port == TLS_PORT:
        return smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=tls)
    server = smtplib.SMTP(host, port, timeout=timeout_s)
    if settings.starttls:
        try:
            server.starttls(context=tls)
        except BaseException:
            server.close()
            raise
    return server
