"""Section on the weekly digest: when, to whom, by which mail server."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from ser_batch.config.section import EMPTY_IS_UNSET, OptionalText, Section

Weekday = Literal[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "off"
]
TLS_PORT = 465
"""On which mail servers expect TLS from the first byte."""

_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")


class DigestSettings(Section):
    """What is sent once a week: what changed, calls to listen to, where coverage fell."""

    weekday: Weekday = Field(
        "off",
        description=(
            "day of the week whose night sends it, in ingest.timezone; where that night fails, the "
            "next one does; off: only `ser-batch digest --send` sends it"
        ),
    )
    to: tuple[str, ...] = Field((), description="addresses that receive the mail")
    sender: OptionalText = Field(None, description="address that the mail comes from")
    host: OptionalText = Field(None, description="mail server (SMTP); unset: no mail is sent")
    port: int = Field(
        587, ge=1, le=65535, description="of the mail server; 465: TLS from the start"
    )
    starttls: bool = Field(
        True, description="encrypt the connection; the server's certificate must be valid"
    )
    user: OptionalText = Field(None, description="name at the mail server; unset: no login")
    password: Annotated[SecretStr | None, EMPTY_IS_UNSET] = Field(
        None, description="keep it secret by SER_DIGEST__PASSWORD in the environment"
    )
    password_file: OptionalText = Field(None, description="file that holds the password instead")
    password_command: OptionalText = Field(
        None, description="program and arguments that print the password instead; no shell"
    )
    webhook: bool = Field(False, description="also send it as text by alerts.webhook")
    link: OptionalText = Field(
        None,
        description=(
            "address below which readers reach the folder of reports, for links to call pages: "
            "https://intranet.example/ser-batch/reports; unset: the mail has no links"
        ),
    )
    timeout_s: Annotated[float, Field(gt=0, le=120)] = Field(
        30, description="s that the mail server may take for each answer"
    )

    @field_validator("to")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            if not _ADDRESS.fullmatch(address):
                raise ValueError(f"{address!r} is no address such as name@example.com")
        return value

    @field_validator("sender")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not _ADDRESS.fullmatch(value):
            raise ValueError("no address such as name@example.com")
        return value

    @field_validator("link")
    @classmethod
    def _is_a_link(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"https?://[^/\s]+\S*$", value):
            raise ValueError("not an address that begins with https:// or http://")
        return value

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.host and not (self.to and self.sender):
            raise ValueError("digest.host needs digest.to and digest.sender")
        if self.user and not (self.starttls or self.port == TLS_PORT):
            raise ValueError(
                "digest.user needs digest.starttls, else the password is sent in clear"
            )
        if self.weekday != "off" and not (self.host or self.webhook):
            raise ValueError("digest.weekday needs digest.host or digest.webhook")
        return self
