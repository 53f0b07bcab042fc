"""Sections on the calls: what is taken in, who speaks, who may be scored."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator

from ser_batch.config.section import (
    EMPTY_IS_UNSET,
    OptionalText,
    Role,
    Seconds,
    Section,
    Share,
    Speaker,
)

JOINED = ("file", "path", "call_id", "side", "started_at", "notice_given", "objected")
"""Columns whose texts must stay readable for the night itself."""


class IngestSettings(Section):
    """Which files are taken in, and how they are named."""

    audio: tuple[str, ...] = Field(
        (), description="audio folders (or s3://…) of a night, where the command line names none"
    )
    extensions: tuple[str, ...] = Field(
        (".wav", ".flac", ".mp3", ".ogg", ".opus", ".oga", ".aif", ".aiff"),
        description="file endings that are taken for recordings, lower case",
    )
    min_age_s: Seconds = Field(
        60, description="s; a file changed more recently is still being written: left for later"
    )
    name_pattern: str | None = Field(
        None,
        description=(
            "regular expression searched in the path below the audio folder; its named groups "
            "(call_id, started_at, queue, agent, team, customer, language, customer_channel, or "
            "any other name as an attribute) are metadata"
        ),
    )
    name_time_format: str | None = Field(
        None,
        description="strptime format of the group started_at; unset: ISO 8601",
    )
    pair_pattern: OptionalText = Field(
        None,
        description=(
            "where each side of a call has its own file: regular expression searched in the "
            "absolute path; its named groups call_id and side are needed, other groups are "
            "metadata as in name_pattern. A line of metadata with file, call_id and side states "
            "the same"
        ),
    )
    side_roles: dict[str, Role] = Field(
        default_factory=dict,
        description=(
            "who speaks on a side, where its name is not agent or customer: "
            '{rx = "customer", tx = "agent"}'
        ),
    )
    time_format: str | None = Field(
        None, description="strptime format of started_at in the metadata; unset: ISO 8601"
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description='their names of metadata columns, where they differ: {queue = "Skill group"}',
    )
    drop_attributes: tuple[str, ...] = Field(
        (),
        description=(
            "columns of the metadata that are not kept as attributes, whatever their case; those "
            "whose name speaks of an agent, advisor, employee, operator or the like never are"
        ),
    )
    pseudonymise: tuple[str, ...] = Field(
        (),
        description=(
            'columns whose texts are kept as keyed hashes only, ["customer", "email"] say; the key '
            "comes from one of the next three. Lines that are stored already stay as they are"
        ),
    )
    pseudonym_key: SecretStr | None = Field(
        None,
        description=(
            "key of pseudonyms, 16 characters at least; keep it secret by "
            "SER_INGEST__PSEUDONYM_KEY in the environment. Another key gives other pseudonyms"
        ),
    )
    pseudonym_key_file: OptionalText = Field(None, description="file that holds the key instead")
    pseudonym_key_command: OptionalText = Field(
        None, description="program and arguments that print the key instead; no shell is involved"
    )
    timezone: str = Field(
        "UTC", description="the call centre's time zone; every time in the tables is local to it"
    )
    shard_calls: int = Field(
        32,
        ge=1,
        le=10_000,
        description="calls in a shard, the unit of work and retry",
    )
    may_be_empty: bool = Field(
        False,
        description=(
            "an audio folder without any recording is an ordinary night, because recordings are "
            "deleted after each; else it is taken for a share that is not mounted"
        ),
    )
    max_bad_share: Share = Field(
        0.25, description="share of a night's new files that may be bad before nothing is published"
    )
    max_bad_share_from: int = Field(
        10, ge=1, description="new files from which the share is judged; fewer say too little"
    )

    @field_validator("name_pattern", "pair_pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return value

    @field_validator("pair_pattern")
    @classmethod
    def _names_call_and_side(cls, value: str | None) -> str | None:
        if value is not None:
            missing = {"call_id", "side"} - re.compile(value).groupindex.keys()
            if missing:
                raise ValueError(f"it has no group {' and none '.join(sorted(missing))}")
        return value

    @field_validator("pseudonymise")
    @classmethod
    def _joins_nothing(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name.lower() in JOINED:
                raise ValueError(f"{name!r} is what lines and recordings are matched by")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no time zone is called {value!r}") from error
        return value


class RoleSettings(Section):
    """Who speaks on which channel; metadata may say otherwise a call."""

    channels: tuple[Role, Role] = Field(
        ("agent", "customer"), description="roles of channel 0 and 1 of a two-channel recording"
    )
    single_channel: Role = Field(
        "unknown", description="role of the only channel of a one-channel recording"
    )
    first_speaker: Annotated[Speaker | None, EMPTY_IS_UNSET] = Field(
        None,
        description=(
            "agent or customer: who speaks first where both sides share one channel; then the two "
            "voices are diarized and each has its role. Unset: they stay one channel in the "
            "role single_channel"
        ),
    )


class PolicySettings(Section):
    """Whose voice may be scored for emotion."""

    notice_required: bool = Field(
        False, description="a call is scored only if its metadata says that notice was given"
    )
    objections: OptionalText = Field(
        None,
        description=(
            "file that lists who objects to being scored: a customer or call id a line, or "
            "sha256: and the SHA-256 of one in hexadecimal; read every night"
        ),
    )
    transcripts: bool = Field(
        False,
        description=(
            "keep and score what customers that may be scored say, from transcripts that you "
            "supply. Words are more personal than tone: they say who somebody is and may speak of "
            "health, belief or money (GDPR Art. 9), so they need a legal basis, notice and an "
            "impact assessment of their own. Unset again, the next night deletes every word"
        ),
    )


class TranscriptSettings(Section):
    """Where transcripts come from, if policy.transcripts is set."""

    folder: OptionalText = Field(
        None,
        description=(
            "folder in which they lie under their recordings' paths; unset: beside the recordings, "
            "as call.json, call.vtt or call.srt for call.wav"
        ),
    )
    speakers: dict[str, Speaker] = Field(
        default_factory=dict,
        description=(
            'who speakers are, where their labels do not say: {spk_0 = "agent", spk_1 = '
            '"customer"}; others are matched by the time of their words'
        ),
    )
    names_model: OptionalText = Field(
        None,
        description=(
            "spaCy pipeline, or its folder, that finds people's names, which are then removed; "
            "needs ser-batch[names]. Unset: only names of the metadata and of those who introduce "
            "themselves are removed"
        ),
    )
    command: tuple[str, ...] = Field(
        (),
        description=(
            "program and arguments that transcribe calls without a transcript; {audio} stands for "
            "a WAV file with nothing but the customer's speech, {folder} for a folder that "
            "receives the transcript unless it is printed; no shell is involved"
        ),
    )
    sentences: OptionalText = Field(
        None,
        description=(
            "folder of a sentence embedding model, as the hub keeps it (tokenizer.json, and "
            "model.onnx or model.safetensors), whose vectors `models fit-words` learns from "
            "instead of counted words; needs ser-batch[sentences]. Unset: TF-IDF"
        ),
    )
    command_limit_s: Annotated[float, Field(gt=0)] = Field(
        600, description="s; after which the program is ended, and the call has no words"
    )
    max_mb: Annotated[float, Field(gt=0, le=1000)] = Field(
        20, description="MB; larger transcripts are not read"
    )

    @field_validator("command")
    @classmethod
    def _is_given_audio(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value and not any("{audio}" in argument for argument in value[1:]):
            raise ValueError("no argument holds {audio}")
        return value
