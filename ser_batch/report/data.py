"""What a report and its call pages are rendered from: the data file of each page.

A data file is JSON beside the page: `reports/<name>.json` and
`reports/<name>-calls/<recording_id>.json`. It holds everything that the page shows, pictures
included, so that a page is rendered again without warehouse, audio or model.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

import ser_batch
from ser_batch.config import Settings, digest
from ser_batch.report.content import Content
from ser_batch.report.queries import Row
from ser_batch.serialise import plain

DATA_VERSION = 4
"""Of the data files; raised whenever a field comes, goes or changes its meaning."""

Data = TypeVar("Data", "ReportData", "CallData")


@dataclass(frozen=True)
class Rules:
    """The settings that pages name, under their own names."""

    min_calls: int
    priority_calls: int
    threshold: float
    call_threshold: float
    end_threshold: float
    denoised_below_db: float | None
    drift_window_days: int
    drift_min_calls: int
    drift_warning_from: float
    drift_from: float

    @classmethod
    def of(cls, settings: Settings) -> Rules:
        """The rules of these settings; `denoised_below_db` is None where no limit decides."""
        index, drift, denoise = settings.dissatisfaction, settings.drift, settings.denoise
        return cls(
            min_calls=settings.report.min_calls,
            priority_calls=settings.report.priority_calls,
            threshold=index.threshold,
            call_threshold=index.call_threshold,
            end_threshold=index.end_threshold,
            denoised_below_db=denoise.snr_below_db if denoise.mode == "gated" else None,
            drift_window_days=drift.window_days,
            drift_min_calls=drift.min_calls,
            drift_warning_from=drift.warning_from,
            drift_from=drift.drift_from,
        )


@dataclass(frozen=True)
class ModelFacts:
    """What a report states about the model.

    Attributes:
        model_id: name and digest
        uar: mean recall of its emotions on held-out speakers, None if not stated
        n_speakers: number of those speakers
        card: its model card; empty if its bundle is not here
    """

    model_id: str
    uar: float | None = None
    n_speakers: int | None = None
    card: str = ""


@dataclass(frozen=True)
class Excerpt:
    """A segment of the customer's speech to play, in its context, all sides of the call.

    Attributes:
        start_s: of the segment in the recording, seconds
        end_s: of the segment, seconds
        sound_start_s: where the sound begins, seconds
        sound_end_s: where it ends, seconds
        sound: data URL
    """

    start_s: float
    end_s: float
    sound_start_s: float
    sound_end_s: float
    sound: str


@dataclass(frozen=True)
class ReportData:
    """A report.

    Attributes:
        run_id: the run that wrote it
        program_version: of ser-batch
        source: see `source_digest`
        content: what the warehouse holds
        rules: settings that the report names
        model: what is known of the model
        call_pages: recording_ids of the listed calls that have a page
        sounds: by recording_id, the worst moment of listed calls, where the setting allows it
    """

    run_id: str
    program_version: str
    source: str
    content: Content
    rules: Rules
    model: ModelFacts
    call_pages: tuple[str, ...]
    sounds: dict[str, Excerpt]


@dataclass(frozen=True)
class Side:
    """Pictures of a channel.

    Attributes:
        channel: from 0
        role: who speaks
        outline: SVG path of its waveform in a box of `WIDTH` by 2, empty without the recording
        spectrogram: data URL, empty without the recording
    """

    channel: int
    role: str
    outline: str
    spectrogram: str


@dataclass(frozen=True)
class CallData:
    """A page of one call.

    Attributes:
        report: name of the report that lists it
        call: its row in the list
        segments: of all channels, in order of time
        tenths: dissatisfaction by tenths of the call
        sides: a picture a channel
        lanes: start and end in seconds of `overlap` and `hold`, where there is any
        highest_khz: of the spectrograms; None without the recording
        excerpts: to play, where the setting allows it
        rules: settings that the page names
    """

    report: str
    call: Row
    segments: tuple[Row, ...]
    tenths: tuple[Row, ...]
    sides: tuple[Side, ...]
    lanes: dict[str, list[list[float]]]
    highest_khz: float | None
    excerpts: tuple[Excerpt, ...]
    rules: Rules

    @property
    def worst_excerpt(self) -> Excerpt | None:
        """The excerpt of the call's worst moment."""
        at_s = self.call["worst_start_s"]
        return next((each for each in self.excerpts if each.start_s == at_s), None)


def source_digest(settings: Settings) -> str:
    """Digest of what a report depends on beside the warehouse: settings and program version."""
    return digest(
        (settings.report.digest(), settings.dissatisfaction.digest(), ser_batch.__version__)
    )


def to_json(data: ReportData | CallData) -> str:
    """The text of a data file."""
    fields = {"data_version": DATA_VERSION, **_fields(data)}
    return json.dumps(fields, default=_encoded, ensure_ascii=False, separators=(",", ":"))


def from_json(text: str | bytes, kind: type[Data]) -> Data | None:
    """What a data file holds, None if it is damaged or of another version."""
    try:
        fields = json.loads(text, object_hook=_decoded)
        if fields.pop("data_version") != DATA_VERSION:
            return None
        return TypeAdapter(kind).validate_python(fields)
    except (ValueError, KeyError, AttributeError, RecursionError, ValidationError):
        return None


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _encoded(value: object) -> object:
    """What JSON has no type for; times are tagged, so that they are read as times."""
    if dataclasses.is_dataclass(value):
        return _fields(value)
    if isinstance(value, dt.datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, dt.date):
        return {"$date": value.isoformat()}
    if isinstance(value, Decimal):
        return plain(value)
    raise TypeError(f"a report's data cannot hold {type(value).__name__}")


def _decoded(fields: dict[str, Any]) -> object:
    if fields.keys() == {"$datetime"}:
        return dt.datetime.fromisoformat(fields["$datetime"])
    if fields.keys() == {"$date"}:
        return dt.date.fromisoformat(fields["$date"])
    return fields
