"""Sections on operation: the run, the report, drift, alerts, health."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from ser_batch.config.section import EMPTY_IS_UNSET, OptionalText, Seconds, Section, Share
from ser_batch.progress import LogFormat


class DriftSettings(Section):
    """When a night's calls count as unlike those before, or unlike the training data."""

    window_days: int = Field(28, ge=2, description="days before that a day is compared with")
    min_calls: int = Field(
        30, ge=5, description="scored calls of a day, and before it, from which it is compared"
    )
    warning_from: Annotated[float, Field(gt=0)] = Field(
        0.1, description="population stability index of a warning"
    )
    drift_from: Annotated[float, Field(gt=0)] = Field(
        0.25, description="population stability index of drift"
    )


class ReportSettings(Section):
    """The report."""

    priority_calls: int = Field(
        20, ge=1, le=1000, description="priority calls listed at first; each may have a page"
    )
    min_calls: int = Field(
        5, ge=1, description="groups with fewer scored calls are shown without a figure"
    )
    call_pages: bool = Field(
        True, description="a page for each listed call: waveforms, spectrograms, emotions"
    )
    excerpts: bool = Field(
        False,
        description=(
            "list and call pages play the customers' worst moments; copies speech of all sides "
            "into the report"
        ),
    )


class ThresholdRule(Section):
    """A limit on a measure of a queue's day, a column of daily_dissatisfaction or queue_day."""

    measure: str = Field(
        "dissatisfied_call_share",
        pattern=r"^[a-z][a-z0-9_]*$",
        description="column of the mart daily_dissatisfaction or queue_day",
    )
    above: float = Field(description="an alert is sent for a higher value")
    min_calls: int = Field(20, ge=1, description="scored calls of the queue's day at least")
    bound: Literal["value", "low"] = Field(
        "low", description="value: the measure itself; low: the lower end of its 95 % interval"
    )


class AlertSettings(Section):
    """Who is notified of a night that needs attention; nobody without a webhook or a command."""

    on: tuple[Literal["failed", "partial", "drift", "threshold"], ...] = Field(
        ("failed", "partial", "drift", "threshold"), description="what an alert is sent for"
    )
    webhook: Annotated[SecretStr | None, EMPTY_IS_UNSET] = Field(
        None,
        description=(
            "URL that receives each alert as JSON with a key `text`, as Slack takes it; keep it "
            "secret by SER_ALERTS__WEBHOOK in the environment"
        ),
    )
    command: OptionalText = Field(
        None,
        description=(
            "program and arguments that get each alert as text on standard input, and as JSON in "
            "the variable SER_ALERT; no shell is involved"
        ),
    )
    thresholds: tuple[ThresholdRule, ...] = Field(
        (),
        description=(
            "limits on the newest days of each queue: "
            '[{ measure = "dissatisfied_call_share", above = 0.3, min_calls = 20, bound = "low" }]'
        ),
    )
    days: int = Field(
        2, ge=1, le=30, description="newest call dates that the limits are checked on"
    )
    timeout_s: Annotated[float, Field(gt=0, le=120)] = Field(
        10, description="s; an alert that takes longer counts as not delivered"
    )
    retries: int = Field(2, ge=0, le=10, description="tries again of an alert that fails")
    retry_delay_s: Annotated[float, Field(ge=0, le=60)] = Field(
        2, description="s between those tries"
    )

    @field_validator("webhook")
    @classmethod
    def _is_an_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.match(r"https?://[^/\s]+\S*$", value.get_secret_value()):
            raise ValueError("not an address that begins with https:// or http://")
        return value

    @field_validator("command")
    @classmethod
    def _can_be_split(cls, value: str | None) -> str | None:
        if value is not None and not shlex.split(value):
            raise ValueError("names no program")
        return value


Days = Annotated[int, Field(ge=1)]


class RetentionSettings(Section):
    """For how many days what is kept about calls is kept; unset: until it is erased.

    A night deletes what is older, by call date. Days whose features, segments or predictions are
    gone are neither analysed nor scored again, by whichever model.
    """

    features_days: Days | None = Field(
        None, description="days; numbers that describe the sound of segments, which models read"
    )
    segments_days: Days | None = Field(
        None, description="days; segments, and with them their features and predictions"
    )
    predictions_days: Days | None = Field(None, description="days; emotion and dissatisfaction")
    attributes_days: Days | None = Field(
        None, description="days; columns of the metadata that have no place of their own"
    )
    snippets_days: Days | None = Field(
        None, description="days; excerpts that annotators listen to, since they were cut"
    )
    reports_days: Days | None = Field(
        None, description="days; reports and call pages but the latest, since they were written"
    )
    runs_days: Days | None = Field(None, description="days; records of runs but the last")
    notes_days: Days | None = Field(
        None, description="days; what listeners write of calls, since they wrote it"
    )
    access_days: Days | None = Field(
        None, description="days; who saw, played and labelled which call, since they did"
    )


class StoreSettings(Section):
    """Who may read what lies under the root."""

    group: OptionalText = Field(
        None,
        description=(
            "group that may read everything under the root (folders 750, files 640); unset: only "
            "the user that runs the night may (700, 600)"
        ),
    )


class EncryptionSettings(Section):
    """Encryption of what lies under the root, if a key is set.

    A root is encrypted from its first night on; `ser-batch encrypt` encrypts one that exists.
    Without the key nothing can be read again: keep a copy of it elsewhere. docs/privacy.md says
    what is not encrypted.
    """

    key: Annotated[SecretStr | None, EMPTY_IS_UNSET] = Field(
        None,
        description=(
            "the key, 16 characters at least; keep it secret by SER_ENCRYPTION__KEY in the "
            "environment"
        ),
    )
    key_file: OptionalText = Field(
        None, description="file that holds the key instead; not below the root"
    )
    key_command: OptionalText = Field(
        None,
        description=(
            "program and arguments that print the key instead, such as a secret manager's; no "
            "shell is involved"
        ),
    )
    open_reports: bool = Field(
        False,
        description=(
            "pages of reports and calls are not encrypted, so that a browser opens them: they show "
            "queues, call ids, customers' scores and, with report.excerpts, speech"
        ),
    )
    scratch: OptionalText = Field(
        None,
        description=(
            "folder in memory (tmpfs) with room for calls.duckdb, which lies there decrypted while "
            "it is built or opened; unset: /dev/shm, else the system's temporary folder"
        ),
    )


class HealthSettings(Section):
    """When `ser-batch health` warns."""

    max_age_h: Annotated[float, Field(gt=0)] = Field(
        26, description="h since the last night that published, above which health is critical"
    )
    max_rejected_share: Share = Field(
        0.05, description="share of a night's new files that were rejected, above which it warns"
    )
    min_free_gb: Annotated[float, Field(ge=0)] = Field(
        2, description="GB free below the root, below which health is critical"
    )


class RunSettings(Section):
    """How the night uses the machine."""

    workers: int = Field(0, ge=0, le=1024, description="processes; 0: one a core")
    retries: int = Field(2, ge=0, le=20, description="tries again after a passing fault, a shard")
    retry_delay_s: Seconds = Field(10, description="s between those tries")
    worker_wait_s: Seconds = Field(
        120, description="s until a night fails to whose shards no Dask worker is left"
    )
    log_format: LogFormat = Field(
        "auto",
        description="what a run writes on standard error; auto: progress bars on a terminal, "
        "else lines of text; json: one object a line",
    )
