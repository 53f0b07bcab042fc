"""Two-channel telephone calls put together from utterances, with the truth of who speaks when.

Where the voices come from does not matter: synthetic speech for the demo, emotional clips for
the benches. Everything is drawn from the generator that is passed in, so that a seed gives the
same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from ser_batch.arrays import BoolArray, FloatArray
from ser_batch.audio import line_signals as signals
from ser_batch.audio.channel_simulator import at_level
from ser_batch.audio.intervals import runs
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ as RATE_HZ
from ser_batch.audio.telephone import telephone
from ser_batch.config import Role
from ser_batch.lab.synthetic.activity import rms_db, speech_activity

NOMINAL_LEVEL_DB = -26.0
"""Level of active speech, dB re full scale. Source: ITU-T G.100.1, the nominal -26 dBov."""

Kind = Literal["speech", "overlap", "ring", "hold", "keys", "beep", "silence"]


@dataclass(frozen=True)
class Utterance:
    """What somebody says in one turn.

    Attributes:
        samples: mono, full scale 1, shape (n_samples,)
        rate_hz: sampling rate of `samples`
        emotion: one of `ser_batch.emotions.EMOTIONS`
        intensity: how much of it, 0 to 1
        text: the words, as far as known
    """

    samples: FloatArray
    rate_hz: int
    emotion: str
    intensity: float = 1.0
    text: str = ""


@dataclass(frozen=True)
class TruthRow:
    """One interval of a channel, exact to the sample.

    Attributes:
        kind: what it holds; `overlap` rows repeat parts of `speech` rows
        channel: 0 or 1
        role: who speaks on the channel
        start_s: in the call, seconds
        end_s: in the call, seconds
        turn_no: number of the turn in the call, -1 where nobody speaks; a turn with pauses
            inside has several rows
        emotion: of a customer's speech, else empty: people at work are given none
        intensity: how much of it, 0 to 1
        text: words of the whole turn
    """

    kind: Kind
    channel: int
    role: Role
    start_s: float
    end_s: float
    turn_no: int = -1
    emotion: str = ""
    intensity: float = 0.0
    text: str = ""


@dataclass(frozen=True)
class Line:
    """What the line does to the two channels.

    Attributes:
        gain_db: level change of each channel's speech and tones
        snr_db: speech level over line noise in each channel, None for no noise at all
        cross_talk_db: level at which each channel leaks into the other, None for none
    """

    gain_db: tuple[float, float] = (0.0, 0.0)
    snr_db: tuple[float | None, float | None] = (30.0, 30.0)
    cross_talk_db: float | None = None


@dataclass(frozen=True)
class Call:
    """A finished call.

    Attributes:
        samples: shape (n_samples, 2), 8 kHz, full scale 1
        truth: in order of start and channel
    """

    samples: FloatArray
    truth: tuple[TruthRow, ...]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / RATE_HZ


@dataclass
class Scene:
    """The timeline of a call: turns, tones and pauses, added in order.

    Attributes:
        rng: draws tunes and noise
        roles: who speaks on each channel
    """

    rng: np.random.Generator
    roles: tuple[Role, Role] = ("agent", "customer")
    _placed: list[tuple[int, int, FloatArray]] = field(default_factory=list)
    _truth: list[TruthRow] = field(default_factory=list)
    _end: int = 0
    _channel_end: list[int] = field(default_factory=lambda: [0, 0])
    _n_turns: int = 0

    def say(self, channel: int, utterance: Utterance, *, after_s: float) -> None:
        """Add a turn.

        Args:
            channel: whose
            utterance: what is said; the silence at its ends is cut off, in its pauses made complete
            after_s: pause after all that was before; negative to begin before that has ended,
                though never before the channel's own last turn has
        """
        samples = telephone(utterance.samples, utterance.rate_hz)
        active = speech_activity(samples, rate_hz=RATE_HZ)
        if not active.any():
            return
        first, last = np.flatnonzero(active)[[0, -1]]
        # what is left in pauses (breath, room) goes, so that the truth has no grey parts
        samples, active = (samples * active)[first : last + 1], active[first : last + 1]
        start = max(self._end + round(after_s * RATE_HZ), self._channel_end[channel], 0)
        self._place(channel, start, samples)
        row = TruthRow("speech", channel, self.roles[channel], 0, 0, self._n_turns)
        row = replace(row, text=utterance.text)
        if self.roles[channel] == "customer":
            row = replace(row, emotion=utterance.emotion, intensity=utterance.intensity)
        self._truth += [
            replace(row, start_s=(start + a) / RATE_HZ, end_s=(start + b) / RATE_HZ)
            for a, b in runs(active)
        ]
        self._n_turns += 1

    def ring(
        self, channel: int, *, n_rings: int = 2, style: signals.RingStyle = "eu", level_db: float
    ) -> None:
        """Add ring-back tone, as many rings with the pauses after them."""
        on_s, off_s = signals.RING_CADENCE_S[style]
        burst = signals.tone(signals.RING_HZ[style], on_s, rate_hz=RATE_HZ)
        for _ in range(n_rings):
            self._add("ring", channel, burst, level_db)
            self._end += round(off_s * RATE_HZ)

    def hold(self, channel: int, duration_s: float, *, after_s: float, level_db: float) -> None:
        """Add hold music."""
        self._end += round(after_s * RATE_HZ)
        tune = signals.hold_music(duration_s, rate_hz=RATE_HZ, rng=self.rng)
        self._add("hold", channel, telephone(tune, RATE_HZ, level_db=level_db), level_db)

    def press(self, channel: int, digits: str, *, after_s: float, level_db: float) -> None:
        """Add keys pressed on a telephone."""
        self._end += round(after_s * RATE_HZ)
        self._add("keys", channel, signals.keys(digits, rate_hz=RATE_HZ), level_db)

    def beep(self, channel: int, *, after_s: float, level_db: float) -> None:
        """Add the beep that says that the call is recorded."""
        self._end += round(after_s * RATE_HZ)
        self._add("beep", channel, signals.tone((1400.0,), 0.4, rate_hz=RATE_HZ), level_db)

    def silence(self, duration_s: float) -> None:
        """Add a time in which nobody speaks."""
        start, self._end = self._end, self._end + round(duration_s * RATE_HZ)
        self._truth += [
            TruthRow("silence", channel, role, start / RATE_HZ, self._end / RATE_HZ)
            for channel, role in enumerate(self.roles)
        ]

    def render(self, line: Line | None = None) -> Call:
        """The call as the line delivers it, half a second longer than what was added."""
        line = line or Line()
        clean = np.zeros((self._end + RATE_HZ // 2, 2), dtype=np.float32)
        for channel, start, samples in self._placed:
            clean[start : start + len(samples), channel] += samples
        clean *= 10 ** (np.array(line.gain_db, dtype=np.float32) / 20)
        speech = self._speech_mask(len(clean))
        mixed = clean.copy()
        if line.cross_talk_db is not None:
            mixed += clean[:, ::-1] * np.float32(10 ** (line.cross_talk_db / 20))
        for channel, snr_db in enumerate(line.snr_db):
            if snr_db is not None:
                level_db = rms_db(clean[speech[:, channel], channel], NOMINAL_LEVEL_DB)
                mixed[:, channel] += self._noise(len(mixed), level_db - snr_db)
        truth = sorted(
            [*self._truth, *self._overlaps(speech)], key=lambda row: (row.start_s, row.channel)
        )
        return Call(np.clip(mixed, -1.0, 1.0), tuple(truth))

    def _place(self, channel: int, start: int, samples: FloatArray) -> None:
        self._placed.append((channel, start, samples))
        self._channel_end[channel] = start + len(samples)
        self._end = max(self._end, start + len(samples))

    def _add(self, kind: Kind, channel: int, wave: FloatArray, level_db: float) -> None:
        start = self._end
        self._place(channel, start, at_level(wave, level_db))
        row = TruthRow(kind, channel, self.roles[channel], start / RATE_HZ, self._end / RATE_HZ)
        self._truth.append(row)

    def _noise(self, n_samples: int, level_db: float) -> FloatArray:
        noise = signals.line_noise(n_samples, rate_hz=RATE_HZ, rng=self.rng)
        return at_level(noise, level_db)

    def _speech_mask(self, n_samples: int) -> BoolArray:
        """Where each channel holds speech, shape (n_samples, 2)."""
        mask = np.zeros((n_samples, 2), dtype=bool)
        for row in self._truth:
            if row.kind == "speech":
                mask[round(row.start_s * RATE_HZ) : round(row.end_s * RATE_HZ), row.channel] = True
        return mask

    def _overlaps(self, speech: BoolArray) -> Iterable[TruthRow]:
        """Rows of both channels where both hold speech."""
        for start, end in runs(speech[:, 0] & speech[:, 1]):
            for channel, role in enumerate(self.roles):
                yield TruthRow("overlap", channel, role, start / RATE_HZ, end / RATE_HZ)


def write_call(path: Path, call: Call) -> None:
    """Write a call as a two-channel mu-law WAV file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    pcm = np.round(call.samples * 32767).astype(np.int16)
    soundfile.write(unfinished, pcm, RATE_HZ, format="WAV", subtype="ULAW")
    unfinished.replace(path)
