"""What the sides of a call add to its row: their roles, their files and their start times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ser_batch.config import Role, Settings
from ser_batch.ingest.matching import TEXT_COLUMNS, KnownFile
from ser_batch.ingest.sides import role_of

MAX_START_GAP_S = 3600.0
"""s; sides whose stated starts lie further apart are aligned by their starts."""

Warn = Callable[[str, str, str], None]
"""Takes the code, message and remedy of something about a call that looks wrong."""


def side_roles(
    files: Sequence[KnownFile], roles: Sequence[str], settings: Settings, warn: Warn
) -> tuple[list[str], str]:
    """Roles of the channels of a call whose sides are files, and the role of a side alone.

    Args:
        files: one a side
        roles: of a two-channel recording, which a file that is alone may turn out to be
        settings: the words for roles
        warn: takes what looks wrong
    """
    found: list[Role] = []
    for file in files:
        assert file.side is not None
        found.append(role_of(file.side, settings.ingest))
        if found[-1] == "unknown":
            warn(
                "unknown_side",
                f"nothing says who speaks on the side {file.side.name!r}",
                f'Add it to ingest.side_roles: {{{file.side.name} = "customer"}}, say.',
            )
    if len(files) > 1:
        return list(found), "unknown"
    _warn_of_lone_side(files[0], found[0], warn)
    return list(roles), found[0]


def _warn_of_lone_side(file: KnownFile, role: Role, warn: Warn) -> None:
    assert file.side is not None
    name, call_id = file.side.name, file.side.call_id
    if file.side.is_ambiguous:
        warn(
            "ambiguous_side",
            f"several recordings are the same side of the call {call_id!r}, or there are more "
            "than two; none is paired",
            "Make the group call_id of ingest.pair_pattern unique, by the date for example.",
        )
        return
    missing = {"agent": "the customer's", "customer": "the agent's"}.get(role, "the other")
    warn(
        "missing_side",
        f"only the side {name!r} of the call {call_id!r} is there; {missing} side is missing",
        "Nothing to do if it is still to come: it joins by itself. Else see the recorder, and "
        "ingest.pair_pattern.",
    )


def side_rows(
    files: Sequence[KnownFile], starts: Sequence[tuple[dt.datetime, str]], warn: Warn
) -> list[dict[str, object]] | None:
    """The column `sides` of a call; None where one file holds the call.

    Args:
        files: one a side
        starts: of each, with the source
        warn: takes what looks wrong
    """
    if len(files) == 1:
        return None
    first = min(time for time, _ in starts)
    start_s: list[float | None] = [(time - first).total_seconds() for time, _ in starts]
    if any(source == "file" for _, source in starts):
        start_s = [None for _ in starts]
    elif (gap_s := max(offset or 0.0 for offset in start_s)) > MAX_START_GAP_S:
        start_s = [None for _ in starts]
        warn(
            "sides_apart",
            f"its sides start {gap_s / 3600:.1f} h apart; they are aligned as if at once",
            "Correct started_at, or the group call_id of ingest.pair_pattern.",
        )
    return [
        {
            "recording_id": file.recording_id,
            "audio_root": file.audio_root,
            "path": file.path,
            "start_s": offset,
        }
        for file, offset in zip(files, start_s, strict=True)
    ]


def recordings_of(call: Mapping[str, Any]) -> list[str]:
    """The recording_ids of a row of `calls`."""
    return [side["recording_id"] for side in call["sides"] or [call]]


def check_agreement(stated: Sequence[Mapping[str, str]], warn: Warn) -> None:
    """Look for fields in which the metadata of two sides differs: they may be two calls."""
    for name in TEXT_COLUMNS:
        texts = {fields[name] for fields in stated if name in fields}
        if len(texts) > 1:
            warn(
                "sides_disagree",
                f"the metadata of its sides gives {len(texts)} values of {name}; the newest counts",
                "Check that the two recordings are one call.",
            )
