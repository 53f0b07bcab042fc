"""Every setting: default, unit, range and meaning, in one place.

Values come from the settings file (TOML), then from the environment (`SER_AUDIO__MIN_AGE_S=0`),
which wins: `ser_batch.settings_file` reads the one and writes it from these declarations.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import shlex
from collections.abc import Iterable
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ser_batch.emotions import DISSATISFACTION_TARGET, EMOTIONS
from ser_batch.progress import LogFormat

ENV_PREFIX = "SER_"
Role = Literal["agent", "customer", "unknown"]
Speaker = Literal["agent", "customer"]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]


class Section(BaseModel):
    """A table of the settings file."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    def digest(self) -> str:
        """Short hash of the values, for rows that depend on them."""
        return digest(self.model_dump(mode="json"))


class IngestSettings(Section):
    """Which files are taken in, and how they are named."""

    audio: tuple[str, ...] = Field(
        (), description="audio folders of a night, where the command line names none"
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
    pair_pattern: str | None = Field(
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

    @field_validator("pair_pattern", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("pair_pattern")
    @classmethod
    def _names_call_and_side(cls, value: str | None) -> str | None:
        if value is not None:
            missing = {"call_id", "side"} - re.compile(value).groupindex.keys()
            if missing:
                raise ValueError(f"it has no group {' and none '.join(sorted(missing))}")
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
    first_speaker: Speaker | None = Field(
        None,
        description=(
            "agent or customer: who speaks first where both sides share one channel; then the two "
            "voices are diarized and each has its role. Unset: they stay one channel in the "
            "role single_channel"
        ),
    )

    @field_validator("first_speaker", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value


class PolicySettings(Section):
    """Whose voice may be scored for emotion."""

    notice_required: bool = Field(
        False, description="a call is scored only if its metadata says that notice was given"
    )


class AudioSettings(Section):
    """What is accepted as a recording, and at which rate it is analysed."""

    analysis_rate_hz: Literal[8000, 16000] = Field(
        8000, description="Hz; every recording is brought to this rate, the model's own"
    )
    min_duration_s: Seconds = Field(0.25, description="s; shorter files are quarantined")
    max_duration_s: Seconds = Field(7200, description="s; longer files are quarantined")
    dual_mono_correlation: Share = Field(
        0.995,
        description="two channels that correlate this much carry one signal: both sides in one",
    )


class VadSettings(Section):
    """Voice activity."""

    threshold: Share = Field(0.4, description="speech probability at which speech starts")
    release: Share = Field(
        0.25, description="speech probability below which speech ends; at most vad.threshold"
    )
    gate_db: float = Field(
        -65, ge=-120, le=0, description="dB re full scale; frames below are silence unheard"
    )

    @field_validator("release")
    @classmethod
    def _not_above_threshold(cls, value: float, info: ValidationInfo) -> float:
        threshold = info.data.get("threshold", 1.0)
        if value > threshold:
            raise ValueError(f"{value:g} lies above vad.threshold, {threshold:g}: lower it")
        return value


class SegmentSettings(Section):
    """From speech to segments."""

    min_pause_s: Seconds = Field(0.5, description="s; a shorter pause does not end a segment")
    min_speech_s: Seconds = Field(0.25, description="s; a shorter burst of speech is dropped")
    min_segment_s: Seconds = Field(0.8, description="s; a shorter one joins a neighbour or goes")
    max_segment_s: Annotated[float, Field(ge=2)] = Field(
        12, description="s; a longer segment is split at its best pause"
    )
    merge_gap_s: Seconds = Field(
        1.5, description="s; a segment too short is joined to a neighbour at most this far away"
    )
    pad_s: Seconds = Field(0.02, description="s; kept before and after the speech")


class DenoiseSettings(Section):
    """Noise reduction, only where the measured signal-to-noise ratio says that it pays."""

    mode: Literal["off", "gated", "always"] = Field(
        "gated", description="gated: only channels whose SNR lies below snr_below_db"
    )
    snr_below_db: float = Field(35, description="dB; cleaner channels are left alone")
    floor_db: float = Field(-20, le=0, description="dB; no band is lowered further")
    smoothing_s: Seconds = Field(
        0.08, description="s; time over which a band's power is averaged before it is judged"
    )


class LineSettings(Section):
    """What is wrong with a line, what on it is not speech, and what counts as silence."""

    dead_db: float = Field(
        -60, ge=-120, le=0, description="dB re full scale; a channel never louder than this is dead"
    )
    sound_db: float = Field(
        -50, ge=-120, le=0, description="dB re full scale; tones and music are looked for above"
    )
    tone_share: Share = Field(
        0.9, description="share of a moment's power in two peaks from which it may be a tone"
    )
    music_share: Share = Field(
        0.6,
        description=(
            "share of a sound during which its strongest peak stays where it is, from which it is "
            "music; speech has .1 to .5"
        ),
    )
    min_music_s: Seconds = Field(4, description="s; a shorter sound is not called music")
    crosstalk_correlation: Share = Field(
        0.15,
        description=(
            "correlation from which one side's voice counts as crosstalk on the other channel"
        ),
    )
    min_separation_confidence: Share = Field(
        0.7,
        description=(
            "confidence below which two voices in one channel are not diarized and not scored; "
            "one person alone comes to at most .6 on real lines"
        ),
    )
    min_silence_s: Seconds = Field(2, description="s; shorter silence of both sides is a pause")
    long_silence_s: Seconds = Field(10, description="s; silence from which it is called long")


class FeatureSettings(Section):
    """Which description of a segment the model reads."""

    set: str = Field(
        "descriptors_v1+encoder_v1",
        description="name of the feature set; A+B are A and B side by side",
    )


class ModelSettings(Section):
    """Which model scores."""

    name: str = Field(
        "champion",
        description=(
            "champion: the model that was promoted last, or the bundled one until one is; "
            "bundled; or a folder under models/"
        ),
    )
    min_confidence: Annotated[float, Field(ge=0.5, lt=1)] = Field(
        0.55,
        description=(
            "probability, of dissatisfied or of not, below which a segment is uncertain and "
            "counts for neither"
        ),
    )
    min_emotion_confidence: Share = Field(
        0.35, description="probability of the likeliest emotion below which it is `uncertain`"
    )


class LabelSettings(Section):
    """What annotators are asked, and about which segments."""

    emotions: Annotated[tuple[str, ...], Field(min_length=2, max_length=9)] = Field(
        (
            "anger",
            "frustration",
            "disgust",
            "sadness",
            "fear",
            "boredom",
            "neutral",
            "calm",
            "happiness",
        ),
        description="emotions to choose from, in the order of the keys 1 to 9",
    )
    taxonomy: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "emotion that a label of your own counts as when labels are imported: {satisfied = "
            '"happiness", dissatisfied = "frustration"}; retrain.dissatisfied gives the steps of a '
            "scale"
        ),
    )
    random_share: Share = Field(
        0.3, description="share of a queue drawn by chance, by which models are measured"
    )
    held_out_share: Share = Field(
        0.3,
        description=(
            "share of callers that models are measured by and never learn from; fixed by the "
            "caller's name, so a change moves callers from one side to the other"
        ),
    )
    days: int = Field(28, ge=1, description="days of calls, up to the newest, that are asked about")
    annotators: int = Field(
        1, ge=1, le=20, description="annotators wanted for each segment by `labels serve`"
    )
    min_segment_s: Seconds = Field(
        1, description="s; shorter segments are asked about only where they are drawn by chance"
    )

    @field_validator("emotions")
    @classmethod
    def _in_the_vocabulary(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in EMOTIONS:
                raise ValueError(f"{name!r} is no emotion{nearest(name, EMOTIONS)}")
        if len(set(value)) < len(value):
            raise ValueError("an emotion stands there twice")
        return value

    @field_validator("taxonomy")
    @classmethod
    def _into_the_vocabulary(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value.values():
            if name not in EMOTIONS:
                raise ValueError(f"{name!r} is no emotion{nearest(name, EMOTIONS)}")
        return {label.lower(): name for label, name in value.items()}


class RetrainSettings(Section):
    """What a model is trained on, and what it must show before it takes over."""

    name: str = Field(
        "calls",
        pattern=r"^[A-Za-z0-9_-]+$",
        description="what retrained models are called, before their digest",
    )
    corpora: tuple[str, ...] = Field((), description="corpora that are trained on with the labels")
    corpora_folder: str | None = Field(None, description="folder below which each has its own")
    corpus_weights: dict[str, Annotated[float, Field(ge=0, le=20)]] = Field(
        default_factory=dict,
        description=(
            "times that a clip of a corpus counts, where it is not once: {emodb = 2}; 0 leaves the "
            "corpus out"
        ),
    )
    copies: int = Field(
        4, ge=0, le=20, description="copies of each corpus clip over other telephone lines"
    )
    label_weight: int = Field(
        4,
        ge=1,
        le=20,
        description="times that a labelled segment counts, a corpus clip once or by its weight",
    )
    dissatisfied: dict[str, Share] = Field(
        default_factory=lambda: dict(DISSATISFACTION_TARGET),
        description=(
            "how dissatisfied an annotator is who names an emotion, 0 content to 1 dissatisfied; "
            "those not named are 0. Labels on a scale have steps in between"
        ),
    )
    leave_out: tuple[str, ...] = Field(
        (), description="emotions that are not learnt, say because few labels name them"
    )
    min_labels: int = Field(
        10, ge=2, description="labelled segments an emotion that no corpus holds"
    )
    min_callers: int = Field(8, ge=2, description="callers that the labels come from")
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        0.95,
        description=(
            "with which a challenger must rank dissatisfied segments better, over all comparisons "
            "on the same labels"
        ),
    )
    min_measured: int = Field(60, ge=1, description="segments by chance that it is measured by")
    min_measured_callers: int = Field(10, ge=2, description="callers that they come from")
    max_slice_fall: Share = Field(
        0.05,
        description=(
            "fall of the AUC in any queue, sex, codec, language or SNR that is let pass; a larger "
            "one counts where it is beyond chance, 0..1"
        ),
    )
    min_slice: int = Field(20, ge=1, description="segments from which such a part is looked at")
    max_brier_rise: Share = Field(
        0.02, description="rise of the Brier score that must be ruled out, 0..1"
    )
    max_coverage_fall: Share = Field(
        0.05,
        description=(
            "fall of the share of segments with a score that is let pass; a larger one counts "
            "where it is beyond chance, 0..1"
        ),
    )

    @field_validator("leave_out", "dissatisfied")
    @classmethod
    def _in_the_vocabulary(cls, value: Iterable[str]) -> Iterable[str]:
        for name in value:
            if name not in EMOTIONS:
                raise ValueError(f"{name!r} is no emotion{nearest(name, EMOTIONS)}")
        return value

    @field_validator("corpus_weights")
    @classmethod
    def _of_chosen_corpora(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        chosen = info.data.get("corpora", ())
        for name in value:
            if name not in chosen:
                raise ValueError(f"{name!r} is not among retrain.corpora{nearest(name, chosen)}")
        return value

    @field_validator("corpora_folder", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value


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


class DissatisfactionSettings(Section):
    """What counts as dissatisfied."""

    threshold: Share = Field(
        0.5, description="dissatisfaction from which a segment is dissatisfied"
    )
    call_threshold: Share = Field(
        0.26,
        description=(
            "dissatisfaction of a call from which it is flagged as dissatisfied; chosen, as "
            "end_threshold, by `ser-batch bench calls --tune-flag`"
        ),
    )
    end_threshold: Share = Field(
        0.38,
        description=(
            "dissatisfaction of the last third of a call's scored speech from which it is flagged "
            "too: a call that is calm and ends furious"
        ),
    )
    min_scored_s: Seconds = Field(
        5, description="s; a call with less scored speech has no dissatisfaction and no flag"
    )
    arc_change: Annotated[float, Field(gt=0, le=9)] = Field(
        1.5,
        description=(
            "change of log-odds from the first to the last third of a call from which it is "
            "called improving or worsening"
        ),
    )

    @property
    def flag(self) -> dict[str, float]:
        """The numbers of the flag's rule, as `is_call_dissatisfied` takes them."""
        return {
            "call_threshold": self.call_threshold,
            "end_threshold": self.end_threshold,
            "min_scored_s": self.min_scored_s,
        }


class ReportSettings(Section):
    """The report."""

    calls_to_listen: int = Field(20, ge=1, le=1000, description="calls listed as worth hearing")
    min_calls: int = Field(
        5, ge=1, description="groups with fewer scored calls are shown without a figure"
    )
    call_pages: bool = Field(
        True, description="a page for each listed call: waveforms, spectrograms, emotions"
    )
    excerpts: bool = Field(
        False,
        description="call pages play the customer's worst moments; copies speech into the report",
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
    webhook: SecretStr | None = Field(
        None,
        description=(
            "URL that receives each alert as JSON with a key `text`, as Slack takes it; keep it "
            "secret by SER_ALERTS__WEBHOOK in the environment"
        ),
    )
    command: str | None = Field(
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

    @field_validator("webhook", "command", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

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
    log_format: LogFormat = Field(
        "auto",
        description="what a run writes on standard error; auto: progress bars on a terminal, "
        "else lines of text; json: one object a line",
    )


class Settings(BaseSettings):
    """All settings of a run."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )
    ingest: IngestSettings = Field(default_factory=IngestSettings)
    roles: RoleSettings = Field(default_factory=RoleSettings)
    policy: PolicySettings = Field(default_factory=PolicySettings)
    audio: AudioSettings = Field(default_factory=AudioSettings)
    vad: VadSettings = Field(default_factory=VadSettings)
    segments: SegmentSettings = Field(default_factory=SegmentSettings)
    line: LineSettings = Field(default_factory=LineSettings)
    denoise: DenoiseSettings = Field(default_factory=DenoiseSettings)
    features: FeatureSettings = Field(default_factory=FeatureSettings)
    model: ModelSettings = Field(default_factory=ModelSettings)
    labels: LabelSettings = Field(default_factory=LabelSettings)
    retrain: RetrainSettings = Field(default_factory=RetrainSettings)
    drift: DriftSettings = Field(default_factory=DriftSettings)
    dissatisfaction: DissatisfactionSettings = Field(default_factory=DissatisfactionSettings)
    report: ReportSettings = Field(default_factory=ReportSettings)
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    health: HealthSettings = Field(default_factory=HealthSettings)
    run: RunSettings = Field(default_factory=RunSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose tables arrive as init arguments."""
        return env_settings, init_settings

    def digest(self) -> str:
        """Short hash of all values, as the run record carries it."""
        return digest(self.model_dump(mode="json"))


def digest(value: object) -> str:
    """Sixteen hex digits that change when a JSON-able value does."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing where no name is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def sections() -> dict[str, type[Section]]:
    """The settings' tables by name, in the order of the file."""
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }
