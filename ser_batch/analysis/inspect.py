"""One call looked at closely: what is detected in it, before anything is scored."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ser_batch.analysis.warnings import find_warnings
from ser_batch.audio.analysis import CallAnalysis, ChannelAnalysis, analyse_calls
from ser_batch.audio.decode import Audio, read_audio
from ser_batch.config import Role, Settings
from ser_batch.ingest.folders import check_file
from ser_batch.policy import channel_roles
from ser_batch.serialise import plain


@dataclass(frozen=True)
class Inspection:
    """A call and all that was detected in it.

    Attributes:
        audio: the recording
        analysis: of it
        roles: who speaks on each channel of the analysis
        warnings: code, message and remedy of what a person should look at
    """

    audio: Audio
    analysis: CallAnalysis
    roles: tuple[Role, ...]
    warnings: tuple[tuple[str, str, str], ...]


def inspect_file(path: Path, settings: Settings) -> Inspection:
    """Analyse one recording as a night does it.

    Raises:
        FileError: if it cannot be read
    """
    check_file(path)
    audio = read_audio(path, settings.audio)
    said = settings.roles
    (analysis,) = analyse_calls([audio], settings, two_speakers=[said.first_speaker is not None])
    n_channels = len(audio.samples)
    roles = channel_roles(
        said.channels,
        said.single_channel,
        said.first_speaker,
        n_channels=n_channels,
        dual_mono=analysis.dual_mono,
        diarized=analysis.diarized,
    )
    found = tuple(find_warnings(analysis, n_channels, said.channels))
    return Inspection(audio, analysis, roles, found)


def as_dict(seen: Inspection) -> dict[str, Any]:
    """All that was detected, without samples; what could not be measured is null."""
    audio, analysis = seen.audio, seen.analysis
    found: dict[str, Any] = plain(
        {
            "duration_s": analysis.duration_s,
            "container": audio.container,
            "codec": audio.codec,
            "sample_rate_hz": audio.sample_rate,
            "n_channels": len(audio.samples),
            "dual_mono": analysis.dual_mono,
            "diarized": analysis.diarized,
            "diarization_confidence": analysis.diarization_confidence,
            "agent_channel": analysis.agent_channel,
            "interaction": asdict(analysis.interaction),
            "channels": [
                {"channel": number, "role": role, **_channel(channel)}
                for number, (role, channel) in enumerate(
                    zip(seen.roles, analysis.channels, strict=True)
                )
            ],
            "warnings": [
                {"code": code, "message": message, "remedy": remedy}
                for code, message, remedy in seen.warnings
            ],
        },
        decimals=4,
    )
    return found


def _channel(channel: ChannelAnalysis) -> dict[str, Any]:
    """A channel's measures, its segments one by one, and its sounds by kind."""
    fields = asdict(channel)
    measures = {**fields.pop("measures"), "bandwidth_hz": fields.pop("bandwidth_hz")}
    edges = fields.pop("segments")
    del fields["signal"]
    return {
        **fields,
        "segments": [
            {"start_s": start, "end_s": end, **{name: each[no] for name, each in measures.items()}}
            for no, (start, end) in enumerate(edges.tolist())
        ],
    }
