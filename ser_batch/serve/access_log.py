"""Who saw, played and labelled which call: a table of the lake, written before a page is sent."""

from __future__ import annotations

import os
import threading

from starlette.exceptions import HTTPException
from starlette.requests import Request

from ser_batch.clock import utc_now
from ser_batch.config import digest
from ser_batch.ingest.late_rows import append
from ser_batch.store.lake import Lake
from ser_batch.tables import ACCESS_LOG

SEEN, PLAYED, LABELLED = "seen", "played", "labelled"


class AccessLog:
    """Writes the table `access_log`; safe to use from several threads.

    Args:
        lake: where it lies
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._lock = threading.Lock()
        self._played: set[tuple[str, str]] = set()

    def add(self, request: Request, action: str, recording_id: str, person: str = "") -> None:
        """Write a line; a call is played once a session, however often its parts are played.

        Args:
            request: of the session, which knows who uses it
            action: seen, played or labelled
            recording_id: of the call
            person: who, where the session has no name

        Raises:
            HTTPException: 410 if the call was erased
        """
        session_id, now = request.state.session_id, utc_now()
        row = {
            "accessed_at": now,
            "person": request.state.who or person,
            "session_id": session_id,
            "action": action,
            "recording_id": recording_id,
        }
        row["access_id"] = digest([str(value) for value in row.values()])
        with self._lock:
            if action == PLAYED and (session_id, recording_id) in self._played:
                return
            part_name = f"serve-{now:%Y%m%d}-{os.getpid()}"
            if append(self._lake, ACCESS_LOG, part_name, [row]):
                raise HTTPException(410, "this call was erased")
            if action == PLAYED:
                self._played.add((session_id, recording_id))
