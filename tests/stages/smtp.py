"""A real mail server on this machine that keeps what it is given."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    """What it received, and how it answers.

    Attributes:
        port: on which it listens
        tls: context of STARTTLS; None: not offered
        refuses: answer to the recipients in place of acceptance
        messages: in the order in which they came
        recipients: of each message
        logins: user and password of each login, and whether the connection was encrypted
    """

    tls: ssl.SSLContext | None = None
    refuses: str | None = None
    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    logins: list[tuple[str, str, bool]] = field(default_factory=list)


@contextmanager
def mail_server(**given) -> Iterator[MailServer]:
    """A server on a free port of the loopback, until the block ends."""
    own = MailServer(**given)

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            recipients: list[str] = []
            self.say("220 ready")
            while line := self.rfile.readline().decode().strip():
                match line.split()[0].upper():
                    case "EHLO":
                        self.hello()
                    case "STARTTLS":
                        self.say("220 go ahead")
                        self.connection = own.tls.wrap_socket(self.connection, server_side=True)
                        self.rfile = self.connection.makefile("rb")
                        self.wfile = self.connection.makefile("wb", buffering=0)
                    case "AUTH":
                        _, user, password = base64.b64decode(line.split()[2]).split(b"\0")
                        encrypted = isinstance(self.connection, ssl.SSLSocket)
                        own.logins.append((user.decode(), password.decode(), encrypted))
                        self.say("235 welcome" if password != b"wrong" else "535 bad credentials")
                    case "RCPT":
                        recipients.append(line.partition("<")[2].rstrip(">"))
                        self.say(own.refuses or "250 ok")
                    case "DATA":
                        self.say("354 go on")
                        self.take(recipients)
                    case "QUIT":
                        self.say("221 bye")
                        return
                    case _:
                        self.say("250 ok")

        def hello(self) -> None:
            encrypted = isinstance(self.connection, ssl.SSLSocket)
            extra = ["STARTTLS"] if own.tls and not encrypted else []
            *first, last = ["mail", *extra, "AUTH PLAIN"]
            for line in first:
                self.say(f"250-{line}")
            self.say(f"250 {last}")

        def take(self, recipients: list[str]) -> None:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b"."))
            own.messages.append(message_from_bytes(b"".join(lines), policy=policy.default))
            own.recipients.append(list(recipients))
            self.say("250 taken")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        own.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        try:
            yield own
        finally:
            server.shutdown()
