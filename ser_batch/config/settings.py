"""All settings, assembled from their sections."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ser_batch.config.audio import (
    AudioSettings,
    DenoiseSettings,
    LineSettings,
    SegmentSettings,
    VadSettings,
)
from ser_batch.config.calls import (
    IngestSettings,
    PolicySettings,
    RoleSettings,
    TranscriptSettings,
)
from ser_batch.config.model import (
    DissatisfactionSettings,
    FeatureSettings,
    LabelSettings,
    ModelSettings,
    RetrainSettings,
)
from ser_batch.config.operation import (
    AlertSettings,
    DriftSettings,
    EncryptionSettings,
    HealthSettings,
    ReportSettings,
    RetentionSettings,
    RunSettings,
    StoreSettings,
)
from ser_batch.config.section import Section, digest
from ser_batch.config.weekly import DigestSettings

ENV_PREFIX = "SER_"


class Settings(BaseSettings):
    """All settings of a run."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )
    ingest: IngestSettings = Field(default_factory=IngestSettings)
    roles: RoleSettings = Field(default_factory=RoleSettings)
    policy: PolicySettings = Field(default_factory=PolicySettings)
    transcripts: TranscriptSettings = Field(default_factory=TranscriptSettings)
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
    digest: DigestSettings = Field(default_factory=DigestSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    encryption: EncryptionSettings = Field(default_factory=EncryptionSettings)
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

    def settings_id(self) -> str:
        """Short hash of all values, as the run record carries it."""
        return digest(self.model_dump(mode="json"))


def sections() -> dict[str, type[Section]]:
    """The settings' tables by name, in the order of the file."""
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }
