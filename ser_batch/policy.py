"""Whose voice may be scored for emotion: the one home of that rule.

Source: Regulation (EU) 2024/1689 (AI Act), Art. 5(1)(f) (no emotion inference about people at
work) and Art. 50(3) (people exposed to it are informed).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ser_batch.config import PolicySettings, Role, Speaker


@dataclass(frozen=True)
class NotScored:
    """Why a channel carries no emotion."""

    code: str
    meaning: str
    remedy: str


NOT_SCORED: dict[str, NotScored] = {
    reason.code: reason
    for reason in (
        NotScored(
            "agent",
            "the agent's channel: people at work are never scored",
            "if the customer speaks on it, set roles.channels or roles.single_channel, or supply "
            "customer_channel in the metadata; if the customer's side is another file, see "
            "missing_side in `ser-batch quarantine list`",
        ),
        NotScored(
            "unknown_role",
            "nothing says who speaks on the channel",
            'where both sides share one channel, set roles.first_speaker = "agent"; where each '
            "side has its own, set roles.channels, or supply customer_channel in the metadata; "
            "sides that could not be distinguished are not_diarized in `ser-batch quarantine list`",
        ),
        NotScored("objected", "the customer objected", ""),
        NotScored(
            "no_notice",
            "the metadata says that notice was not given",
            "",
        ),
        NotScored(
            "notice_not_stated",
            "the metadata does not say whether notice was given",
            "supply notice_given, or set policy.notice_required = false",
        ),
    )
}


_AT_WORK = re.compile(
    r"agent|advis[oe]r|employee|operator|representative|supervisor|teamlead|consultant"
    r"|mitarbeiter|sachbearbeiter|berater|konsultant|(?:^|[\W_])(?:staff|rep|worker)(?:$|[\W_])",
    re.IGNORECASE,
)


def names_people_at_work(column: str) -> bool:
    """Whether a column that ser-batch does not know is, by its name, about somebody at work.

    Such a column must not stand beside an emotion, as any attribute does.
    """
    return _AT_WORK.search(column) is not None


def why_not_scored(
    role: Role, *, notice_given: bool | None, objected: bool | None, settings: PolicySettings
) -> str | None:
    """Code of the reason why a channel is not scored, None if it may be.

    Args:
        role: who speaks on the channel
        notice_given: what the metadata says, None if nothing
        objected: what the metadata says, None if nothing
        settings: whether silence about notice counts as no
    """
    if role == "agent":
        return "agent"
    if role == "unknown":
        return "unknown_role"
    if objected:
        return "objected"
    if notice_given is False:
        return "no_notice"
    if notice_given is None and settings.notice_required:
        return "notice_not_stated"
    return None


def channel_roles(
    roles: Sequence[Role],
    single_role: Role,
    first_speaker: Speaker | None,
    *,
    n_channels: int,
    dual_mono: bool,
    diarized: bool,
) -> tuple[Role, ...]:
    """Who speaks on each channel that carries a signal of its own, or is one voice of it.

    Whoever says who speaks first says that two people share the signal: until they are diarized
    nobody on it has a role.

    Args:
        roles: of the channels of a two-channel recording
        single_role: where one signal carries the call
        first_speaker: of two who share one signal, None if nothing says so
        n_channels: channels in the file
        dual_mono: both channels carry the same signal, so they count as one
        diarized: two voices of one signal were diarized, the first to speak first
    """
    if n_channels > 1 and not dual_mono:
        return tuple(roles[:n_channels])
    if diarized:
        if first_speaker is None:
            return ("unknown", "unknown")
        return (first_speaker, "customer" if first_speaker == "agent" else "agent")
    return (single_role if first_speaker is None else "unknown",)
