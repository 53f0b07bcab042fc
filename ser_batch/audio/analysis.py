"""From decoded recordings to clean signals, segments and their measures: one pass in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.bandwidth import bandwidth_hz, mean_spectra, mean_spectrum
from ser_batch.audio.channels import Line, is_dead, lines
from ser_batch.audio.decode import Audio
from ser_batch.audio.denoise import denoised, pays
from ser_batch.audio.diarization import separate
from ser_batch.audio.interaction import CallInteraction, interaction, syllable_rate
from ser_batch.audio.intervals import from_mask, lengths
from ser_batch.audio.levels import LEVEL_FRAME_S, channel_level, decibel, snr_db, sums
from ser_batch.audio.sounds import Sounds
from ser_batch.audio.speech import ChannelSpeech, call_speech, sides
from ser_batch.audio.vad import speech_probability
from ser_batch.config import Settings

LEAST_VOTES = 2
"""Signs that must agree on who the agent is."""


@dataclass(frozen=True)
class LineDiagnosis:
    """What is wrong with a channel, and what on it is not speech.

    Attributes:
        is_dead: never louder than `line.dead_db`
        bandwidth_hz: to which its speech reaches, as recorded, Hz; NaN without speech
        crosstalk_db: level of the other side on it, dB under that side's own level;
            NaN where there is none
        crosstalk_removed_s: seconds of crosstalk that do not count as this side's speech
        ring_s: seconds of ring-back, busy or dial tone
        keys_s: seconds of pressed keys (DTMF)
        beep_s: seconds of other single tones
        music_s: seconds of hold music
    """

    is_dead: bool
    bandwidth_hz: float
    crosstalk_db: float
    crosstalk_removed_s: float
    ring_s: float
    keys_s: float
    beep_s: float
    music_s: float


@dataclass(frozen=True)
class ChannelAnalysis:
    """One channel of a call, or one of two speakers who share its only signal.

    Attributes:
        signal: at the analysis rate, without DC, denoised where it pays, shape (n_samples,)
        turns: speech with the pauses inside it, seconds, shape (n_turns, 2), in order
        sounds: its tones and music
        segments: turns fit to be described, seconds, shape (n, 2), in order
        measures: of each segment, shape (n,) each, float32:
            speech_ratio: share of its duration that is speech, 0..1
            level_db: mean power of its speech, dB re full scale
            snr_db: its speech over the channel's noise floor, dB
            clipping_ratio: share of its samples cut off at a ceiling, 0..1
            overlap_ratio: share of its speech during which the other side speaks, 0..1
        bandwidth_hz: to which each segment's speech reaches at the analysis rate, Hz, shape (n,);
            NaN where it does not stand out of the noise
        speech_s: seconds of speech
        level_db: mean power of the speech, dB re full scale; NaN without speech
        noise_db: median power of what is neither speech nor tone nor music, dB re full scale
        snr_db: speech over noise, dB; NaN without speech
        clipping_ratio: share of samples cut off at a ceiling, 0..1
        dc_offset: mean of the samples before it was taken off, -1..1
        dropped_speech_s: seconds of speech in intervals too short and isolated for a segment
        denoised: whether the noise was lowered
        line: what is wrong with it
    """

    signal: FloatArray
    turns: DoubleArray
    sounds: Sounds
    segments: DoubleArray
    measures: dict[str, FloatArray]
    bandwidth_hz: FloatArray
    speech_s: float
    level_db: float
    noise_db: float
    snr_db: float
    clipping_ratio: float
    dc_offset: float
    dropped_speech_s: float
    denoised: bool
    line: LineDiagnosis


@dataclass(frozen=True)
class CallAnalysis:
    """A call.

    Attributes:
        duration_s: seconds
        dual_mono: whether both channels carried the same signal; then one is kept
        diarized: whether two speakers of one signal were diarized
        diarization_confidence: how clearly they were, 0..1; None where that was not tried
        channels: in the order of the recording; where `diarized`, the first to speak first
        interaction: how the sides talk with each other, one a channel
        agent_channel: the channel on which an agent seems to speak, by who pressed keys, where the
            beep sounds and who spoke first; None where too little or contradictory is detected. A
            hint that the roles may be swapped, no more.
    """

    duration_s: float
    dual_mono: bool
    diarized: bool
    diarization_confidence: float | None
    channels: tuple[ChannelAnalysis, ...]
    interaction: CallInteraction
    agent_channel: int | None


def analyse_calls(
    audios: Sequence[Audio],
    settings: Settings,
    denoise_channels: Sequence[Collection[int]] | None = None,
    two_speakers: Sequence[bool] | None = None,
) -> list[CallAnalysis]:
    """Find, measure and clean the speech of some calls.

    Args:
        audios: recordings of any rate and length; voice activity runs over all their channels
            side by side
        settings: of all steps
        denoise_channels: for each call, the channels worth the work because they will be scored;
            None: all
        two_speakers: for each call, whether its speakers are to be diarized if it carries one
            signal; None: in none

    Returns:
        one a recording, in order
    """
    calls = [lines(audio, settings.audio) for audio in audios]
    worth = denoise_channels or [range(2) for _ in calls]
    shared = two_speakers or [False for _ in calls]
    signals = [line.signal for call in calls for line in call]
    probabilities = iter(speech_probability(signals, settings.audio.analysis_rate_hz, settings.vad))
    return [
        _call(
            _detected(call, [next(probabilities) for _ in call], two, settings),
            audio,
            some,
            settings,
        )
        for audio, call, some, two in zip(audios, calls, worth, shared, strict=True)
    ]


@dataclass(frozen=True)
class _Detected:
    """Who speaks when on each side of a call.

    Attributes:
        lines: the signal of each side; twice the same where its speakers were diarized
        speech: of each side
        confidence: of telling them apart, None where that was not tried
        diarized: whether they were
    """

    lines: list[Line]
    speech: list[ChannelSpeech]
    confidence: float | None = None
    diarized: bool = False


def _detected(
    call: list[Line], probabilities: list[FloatArray], two_speakers: bool, settings: Settings
) -> _Detected:
    """The speech of a call, its two speakers diarized if they are to be and can be."""
    speech = call_speech(call, probabilities, settings)
    if not two_speakers or len(call) > 1:
        return _Detected(call, speech)
    found = separate(call[0].signal, call[0].sample_rate, speech[0].bursts)
    if not found.is_clear(settings.line.min_separation_confidence):
        return _Detected(call, speech, found.confidence)
    both = sides(speech[0], found.speakers, probabilities[0], settings)
    return _Detected(call * len(both), both, found.confidence, diarized=True)


def _call(
    detected: _Detected, audio: Audio, to_denoise: Collection[int], settings: Settings
) -> CallAnalysis:
    call, speech = detected.lines, detected.speech
    channels = tuple(
        _channel(line, own, settings, may_denoise=number in to_denoise)
        for number, (line, own) in enumerate(zip(call, speech, strict=True))
    )
    return CallAnalysis(
        duration_s=audio.duration_s,
        dual_mono=len(audio.samples) > 1 and (detected.diarized or len(call) == 1),
        diarized=detected.diarized,
        diarization_confidence=detected.confidence,
        channels=channels,
        interaction=interaction(
            [channel.turns for channel in channels],
            [channel.sounds.waiting for channel in channels],
            [
                syllable_rate(line.signal, line.sample_rate, own.bursts)
                for line, own in zip(call, speech, strict=True)
            ],
            ringing=[channel.sounds.ringing for channel in channels],
            duration_s=audio.duration_s,
            settings=settings.line,
        ),
        agent_channel=None if detected.diarized else _agent_channel(speech),
    )


def _channel(
    line: Line, speech: ChannelSpeech, settings: Settings, *, may_denoise: bool
) -> ChannelAnalysis:
    """Measure one channel, and lower its noise where that pays."""
    level = channel_level(line.power, speech.own, speech.quiet)
    noise = mean_spectrum(line.signal, line.sample_rate, from_mask(speech.quiet, LEVEL_FRAME_S))
    signal, clean = line.signal, may_denoise and pays(level.snr_db, settings.denoise)
    if clean:
        signal = denoised(signal, line.sample_rate, ~speech.quiet, settings.denoise)
    return ChannelAnalysis(
        signal=signal,
        turns=speech.turns,
        sounds=speech.sounds,
        segments=speech.segments,
        measures=_measures(line, speech, level.noise_db),
        bandwidth_hz=bandwidth_hz(
            mean_spectra(line.signal, line.sample_rate, speech.segments), noise
        ),
        speech_s=float(np.count_nonzero(speech.own) * LEVEL_FRAME_S),
        level_db=level.level_db,
        noise_db=level.noise_db,
        snr_db=level.snr_db,
        clipping_ratio=float(line.clipped.mean()),
        dc_offset=line.dc_offset,
        dropped_speech_s=speech.dropped_s,
        denoised=clean,
        line=_diagnosis(line, speech, settings),
    )


def _measures(line: Line, speech: ChannelSpeech, noise_db: float) -> dict[str, FloatArray]:
    """Measures of each segment, see `ChannelAnalysis`."""
    n_frames = np.maximum(sums(np.ones_like(line.power), speech.segments), 1)
    n_speech = np.maximum(sums(speech.own, speech.segments), 1)
    power = sums(np.where(speech.own, line.power, 0), speech.segments) / n_speech
    return {
        "speech_ratio": (sums(speech.own, speech.segments) / n_frames).astype(np.float32),
        "level_db": decibel(power),
        "snr_db": snr_db(power, noise_db),
        "clipping_ratio": (sums(line.clipped, speech.segments) / n_frames).astype(np.float32),
        "overlap_ratio": (sums(speech.overlapped, speech.segments) / n_speech).astype(np.float32),
    }


def _diagnosis(line: Line, speech: ChannelSpeech, settings: Settings) -> LineDiagnosis:
    """See `LineDiagnosis`; the bandwidth is that of the samples as they were recorded."""
    spectrum, noise = (
        mean_spectrum(line.recorded, line.recorded_rate, times)
        for times in (speech.bursts, from_mask(speech.quiet, LEVEL_FRAME_S))
    )
    return LineDiagnosis(
        is_dead=is_dead(line, settings.line),
        bandwidth_hz=float(bandwidth_hz(spectrum, noise)),
        crosstalk_db=speech.crosstalk.gain_db if speech.crosstalk else float("nan"),
        crosstalk_removed_s=speech.crosstalk_removed_s,
        ring_s=float(lengths(speech.sounds.ring).sum()),
        keys_s=float(lengths(speech.sounds.keys).sum()),
        beep_s=float(lengths(speech.sounds.beep).sum()),
        music_s=float(lengths(speech.sounds.music).sum()),
    )


def _agent_channel(speech: Sequence[ChannelSpeech]) -> int | None:
    """See `CallAnalysis`. Callers press keys; the agent's side beeps, and greets first."""
    if len(speech) < 2:
        return None
    votes = []
    for side, own in enumerate(speech):
        votes += [1 - side] if len(own.sounds.keys) else []
        votes += [side] if len(own.sounds.beep) else []
    if all(len(own.turns) for own in speech):
        votes.append(int(np.argmin([own.turns[0, 0] for own in speech])))
    agreed = len(votes) >= LEAST_VOTES and len(set(votes)) == 1
    return votes[0] if agreed else None
