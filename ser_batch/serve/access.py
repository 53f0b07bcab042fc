"""Who may enter: a link that works once opens a session, which a cookie carries."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable

N_BYTES = 24


class Access:
    """Link and sessions of one server; both end with it.

    Args:
        on_entered: called when the link was used and another one replaced it
    """

    def __init__(self, on_entered: Callable[[], None]) -> None:
        self.token = secrets.token_urlsafe(N_BYTES)
        self._names: dict[str, str] = {}
        self._on_entered = on_entered

    def enter(self, token: str) -> str | None:
        """A new session for the token of the present link; None for any other token."""
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return None
        self.token, session = secrets.token_urlsafe(N_BYTES), secrets.token_urlsafe(N_BYTES)
        self._names[session] = ""
        self._on_entered()
        return session

    def is_inside(self, session: str) -> bool:
        """Whether this server opened the session."""
        return session in self._names

    def name_of(self, session: str) -> str:
        """Who says to use a session; empty: nobody has said."""
        return self._names.get(session, "")

    def set_name(self, session: str, name: str) -> None:
        """Keep who says to use a session that this server opened."""
        self._names[session] = name


def session_id(session: str) -> str:
    """Names a session in records; nobody can enter with it."""
    return hashlib.blake2b(session.encode(), digest_size=8).hexdigest()
