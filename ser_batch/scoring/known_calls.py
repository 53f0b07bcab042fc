"""What a root knows of recordings that are scored by themselves: who speaks, who objected."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.config import RoleSettings, Settings
from ser_batch.ingest.objections import read_objections
from ser_batch.ingest.side_rows import recordings_of
from ser_batch.store.lake import Lake
from ser_batch.tables import CALLS

_COLUMNS = (
    "recording_id",
    "call_id",
    "customer",
    "notice_given",
    "objected",
    "roles",
    "single_role",
    "first_speaker",
    "sides",
)


def known_calls(
    lake: Lake, recording_ids: Collection[str], settings: Settings
) -> dict[str, dict[str, Any]]:
    """The call of each recording that the lake knows; objections are those of the list of now.

    Args:
        lake: of the root; it may be missing
        recording_ids: digests of the recordings' bytes
        settings: where the list of objections is

    Raises:
        DamagedPartError: if a part cannot be read: nobody may be scored without it
        ObjectionListError: if the list cannot be read
    """
    objections = read_objections(settings)
    wanted = pa.array(sorted(recording_ids), pa.string())
    found = {}
    for part in lake.parts(CALLS):
        rows = lake.read(CALLS, [part], _COLUMNS)
        is_likely = pc.or_(pc.is_in(rows["recording_id"], wanted), pc.is_valid(rows["sides"]))
        for call in rows.filter(is_likely).to_pylist():
            for recording_id in recordings_of(call):
                if recording_id in recording_ids:
                    found[recording_id] = objections.applied(call)
    return found


def roles_of(call: dict[str, Any], recording_id: str, settings: RoleSettings) -> RoleSettings:
    """Who speaks in one recording of a call.

    Args:
        call: its row
        recording_id: the call's only recording, or that of one side
        settings: of recordings of which nothing is known
    """
    alone = call["single_role"]
    if call["sides"]:
        alone = call["roles"][recordings_of(call).index(recording_id)]
    known = {
        "channels": tuple(call["roles"]),
        "single_channel": alone,
        "first_speaker": call["first_speaker"],
    }
    return settings.model_copy(update=known)
