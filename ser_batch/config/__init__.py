"""Every setting: default, unit, range and meaning, in one place.

Values come from the settings file (TOML), then from the environment (`SER_INGEST__MIN_AGE_S=0`),
which wins: `ser_batch.settings_file` reads the one and writes it from these declarations.
"""

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
    ThresholdRule,
)
from ser_batch.config.section import Role, Section, Speaker, digest, nearest, no_emotion
from ser_batch.config.settings import ENV_PREFIX, Settings, sections
from ser_batch.config.weekly import DigestSettings

__all__ = [
    "ENV_PREFIX",
    "AlertSettings",
    "AudioSettings",
    "DenoiseSettings",
    "DigestSettings",
    "DissatisfactionSettings",
    "DriftSettings",
    "EncryptionSettings",
    "FeatureSettings",
    "HealthSettings",
    "IngestSettings",
    "LabelSettings",
    "LineSettings",
    "ModelSettings",
    "PolicySettings",
    "ReportSettings",
    "RetentionSettings",
    "RetrainSettings",
    "Role",
    "RoleSettings",
    "RunSettings",
    "Section",
    "SegmentSettings",
    "Settings",
    "Speaker",
    "StoreSettings",
    "ThresholdRule",
    "TranscriptSettings",
    "VadSettings",
    "digest",
    "nearest",
    "no_emotion",
    "sections",
]
