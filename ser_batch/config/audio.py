"""Sections on the signal: decoding, voice activity, segments, noise, the line."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from ser_batch.config.section import Seconds, Section, Share


class AudioSettings(Section):
    """What is accepted as a recording, and at which rate it is analysed."""

    analysis_rate_hz: Literal[8000, 16000] = Field(
        8000, description="Hz; every recording is brought to this rate, the model's own"
    )
    min_duration_s: Seconds = Field(0.25, description="s; shorter files are quarantined")
    max_duration_s: Seconds = Field(7200, description="s; longer files are quarantined")
    max_decoded_mb: int = Field(
        2048,
        ge=16,
        description=(
            "MB that the samples of one recording may take in memory (4 bytes each, at its own "
            "rate); larger files are quarantined. It bounds the memory of a worker process"
        ),
    )
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
        -65, ge=-120, le=0, description="dB re full scale; frames below are silence"
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
