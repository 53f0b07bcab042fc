"""The recording of a call: its sound in any range of bytes, and its waveform."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from ser_batch.errors import FileError
from ser_batch.files.inputs import status_of
from ser_batch.ingest.scan import content_id
from ser_batch.serve.access_log import PLAYED, AccessLog
from ser_batch.serve.database import Database
from ser_batch.serve.pages.call import PATH, call_row
from ser_batch.serve.ranges import RangeError, byte_range
from ser_batch.serve.sound import CallSound, Track, open_call

MOST_KEPT = 64
"""Waveforms and digests that are kept in memory."""

_Seen = tuple[str, int, int]


class SoundPage:
    """Sound and waveform of any call whose recordings are there."""

    def __init__(self, database: Database, log: AccessLog) -> None:
        self._database = database
        self._log = log
        self._lock = threading.Lock()
        self._digests: OrderedDict[_Seen, str] = OrderedDict()
        self._peaks: OrderedDict[tuple[_Seen, ...], dict[str, Any]] = OrderedDict()

    @property
    def routes(self) -> list[BaseRoute]:
        """The sound and the waveform."""
        return [Route(f"{PATH}/sound.wav", self._sound), Route(f"{PATH}/peaks", self._waveform)]

    def _sound(self, request: Request) -> Response:
        sound = self._open(request)
        try:
            asked = byte_range(request.headers.get("Range"), sound.n_bytes)
        except RangeError:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{sound.n_bytes}"})
        self._log.add(request, PLAYED, request.path_params["recording_id"])
        first, last = asked or (0, sound.n_bytes - 1)
        headers = {"Accept-Ranges": "bytes", "Content-Length": str(last - first + 1)}
        if asked:
            headers["Content-Range"] = f"bytes {first}-{last}/{sound.n_bytes}"
        return StreamingResponse(
            iter(()) if request.method == "HEAD" else sound.wav(first, last),
            206 if asked else 200,
            headers,
            media_type="audio/wav",
        )

    def _waveform(self, request: Request) -> Response:
        sound = self._open(request)
        key = tuple(_seen(track) for track in sound.tracks)
        with self._lock:
            kept = self._peaks.get(key)
        if kept is None:
            kept = _outlines(sound)
            self._keep(self._peaks, key, kept)
        return JSONResponse(kept)

    def _open(self, request: Request) -> CallSound:
        """The sound of the call in the path.

        Raises:
            HTTPException: 404 if there is no such call, 410 if its recording cannot be played
        """
        with self._database.open() as con:
            call = call_row(con, request.path_params["recording_id"])
        try:
            sound = open_call(call)
            for track in sound.tracks:
                if self._digest(track) != track.recording_id:
                    raise HTTPException(410, "another recording lies under its path now")
        except FileError as error:
            raise HTTPException(410, str(error)) from None
        return sound

    def _digest(self, track: Track) -> str:
        """Digest of a file's bytes, read again only where the file has changed."""
        key = _seen(track)
        with self._lock:
            known = self._digests.get(key)
        if known is None:
            known = content_id(track.path)
            self._keep(self._digests, key, known)
        return known

    def _keep(self, kept: OrderedDict[Any, Any], key: object, value: object) -> None:
        with self._lock:
            kept[key] = value
            while len(kept) > MOST_KEPT:
                kept.popitem(last=False)


def _seen(track: Track) -> _Seen:
    status = status_of(track.path)
    return str(track.path), status.st_mtime_ns, status.st_size


def _outlines(sound: CallSound) -> dict[str, Any]:
    """Lowest and highest sample of equal parts of each channel, -127..127 at the call's loudest."""
    peaks = sound.peaks()
    loudest = max(int(abs(peaks.astype(int)).max(initial=0)), 1)
    scaled = (peaks.astype(float) * 127 / loudest).round().astype(int)
    return {
        "duration_s": sound.n_frames / sound.rate_hz,
        "channels": [scaled[:, :, number].tolist() for number in range(sound.n_channels)],
    }
