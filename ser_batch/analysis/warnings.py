"""What sounds wrong with a call that was analysed all the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ser_batch.audio.analysis import CallAnalysis

NO_SPEECH = "no speech was found"


def find_warnings(
    analysis: CallAnalysis, n_channels: int, roles: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Code, message and remedy of each thing that a person should look at.

    Args:
        analysis: what was detected
        n_channels: in the file
        roles: of the channels of a two-channel file
    """
    spoken = any(len(channel.segments) for channel in analysis.channels)
    if not spoken:
        yield "no_speech", NO_SPEECH, "Listen to it: a dead line, or music only?"
    if n_channels == 2 and analysis.dual_mono:
        message = "both channels carry the same signal: both sides in one, or one side only"
        remedy = "Ask the recorder for one side a channel, or say who speaks first: first_speaker."
        yield "dual_mono", message, remedy
    if spoken and (together := not_diarized(analysis)):
        remedy = "Ask the recorder for one side a channel, or lower line.min_separation_confidence."
        yield "not_diarized", together, remedy
    if analysis.agent_channel is not None and roles[analysis.agent_channel] == "customer":
        message = f"an agent seems to speak on channel {analysis.agent_channel}, the customer's"
        yield "roles_swapped", message, "Listen; if so, say it with customer_channel or [roles]."
    for number, channel in enumerate(analysis.channels):
        if channel.line.is_dead:
            yield "dead_channel", f"channel {number} carries nothing", "Check the recorder's line."


def not_diarized(analysis: CallAnalysis) -> str | None:
    """That two voices in one channel could not be diarized, in words; None if they were."""
    if analysis.diarized or analysis.diarization_confidence is None:
        return None
    sure = f"confidence {analysis.diarization_confidence:.2f}"
    return (
        f"the two voices in its one channel could not be distinguished ({sure}), so none is scored"
    )
