"""Telephone calls made of acted clips, whose true share of anger is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import soundfile

from ser_batch.arrays import BoolArray, DoubleArray
from ser_batch.audio.decode import Audio
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ
from ser_batch.corpora.base import Clip
from ser_batch.errors import CorpusError
from ser_batch.lab.synthetic.activity import rms_db
from ser_batch.lab.synthetic.scenes import Call, Line, Scene, TruthRow, Utterance

Arc = Literal["stayed positive", "worsening", "improving", "stayed negative", "mixed"]
Change = Literal["worsening", "improving", "steady"]
ARCS: tuple[Arc, ...] = get_args(Arc)

ANGRY = "anger"
POSITIVE = ("neutral", "calm", "happiness")
AGENT = ("neutral", "calm")
LEAST_CHANGE = 0.5
N_TURNS = (8, 14)
PAUSE_S = (0.4, 1.6)
SNR_DB = (18.0, 35.0)
LEVEL_DB = (-34.0, -20.0)
"""Level of each side's speech over its whole call; within the call its turns keep theirs."""

_STEADY_ANGER: dict[Arc, float] = {"stayed positive": 0.0, "stayed negative": 0.9, "mixed": 0.4}


@dataclass(frozen=True)
class ActedCall:
    """A call of one customer's clips.

    Attributes:
        audio: two channels, the agent's first
        speaker: the customer
        arc: how the anger goes
        truth: who speaks when, and how
    """

    audio: Audio
    speaker: str
    arc: Arc
    truth: tuple[TruthRow, ...]

    def forgotten(self) -> ActedCall:
        """The same call without its samples, once they have been heard."""
        return replace(self, audio=replace(self.audio, samples=np.zeros((2, 0), np.float32)))

    @property
    def true_share(self) -> float:
        """Share of the customer's speech that is angry."""
        seconds, angry = self._spoken()
        return float(np.average(angry, weights=seconds))

    @property
    def true_change(self) -> Change:
        """Whether the share of anger rose or fell by half from the first to the last third."""
        seconds, angry = self._spoken()
        middle = np.cumsum(seconds) - seconds / 2
        first, last = middle <= seconds.sum() / 3, middle >= seconds.sum() * 2 / 3
        change = np.average(angry[last], weights=seconds[last]) - np.average(
            angry[first], weights=seconds[first]
        )
        if abs(change) < LEAST_CHANGE:
            return "steady"
        return "worsening" if change > 0 else "improving"

    def _spoken(self) -> tuple[DoubleArray, BoolArray]:
        """Seconds of each stretch of the customer's speech, and whether it is angry."""
        rows = [row for row in self.truth if row.kind == "speech" and row.role == "customer"]
        seconds = np.array([row.end_s - row.start_s for row in rows])
        return seconds, np.array([row.emotion == ANGRY for row in rows])

    def anger_of(self, segments: DoubleArray) -> DoubleArray:
        """Share of the customer's speech inside each segment that is angry.

        Args:
            segments: start and end in seconds, shape (n, 2)

        Returns:
            shape (n,), NaN where the customer does not speak
        """
        heard = np.zeros((len(segments), 2))
        for row in self.truth:
            if row.kind == "speech" and row.role == "customer":
                shared = np.minimum(segments[:, 1], row.end_s) - np.maximum(
                    segments[:, 0], row.start_s
                )
                heard[:, int(row.emotion == ANGRY)] += np.maximum(shared, 0)
        total = heard.sum(axis=1)
        return np.where(total > 0, heard[:, 1] / np.where(total > 0, total, 1), np.nan)


def acted_calls(clips: Sequence[Clip], *, n_calls: int, seed: int) -> Iterator[ActedCall]:
    """Calls of customers who are heard angry and otherwise, each arc as often.

    Args:
        clips: of corpora with anger and something positive
        n_calls: how many; every arc and every speaker has its turn
        seed: of everything that is drawn

    Raises:
        CorpusError: if no speaker has both, or there is no agent
    """
    by_speaker = _by_speaker(clips)
    customers = [
        speaker
        for speaker, emotions in by_speaker.items()
        if emotions[ANGRY] and any(emotions[name] for name in POSITIVE)
    ]
    agents = [s for s, emotions in by_speaker.items() if any(emotions[name] for name in AGENT)]
    if not customers or len(agents) < 2:
        raise CorpusError(f"calls need {ANGRY} and {' or '.join(POSITIVE)} of several speakers")
    for number in range(n_calls):
        rng = np.random.default_rng([seed, number])
        customer = customers[number % len(customers)]
        agent = str(rng.choice([speaker for speaker in agents if speaker != customer]))
        # the arcs go round once more than the speakers, so that each meets each
        arc = ARCS[(number + number // len(customers)) % len(ARCS)]
        call = _call(by_speaker[customer], by_speaker[agent], arc, rng)
        audio = Audio(call.samples.T.copy(), TELEPHONE_RATE_HZ, "WAV", "ULAW")
        yield ActedCall(audio, customer, arc, call.truth)


def anger_probability(arc: Arc, n_turns: int) -> DoubleArray:
    """How likely each turn of an arc is angry, shape (n_turns,)."""
    if arc == "worsening":
        return np.linspace(-0.25, 1.25, n_turns).clip(0, 1)
    if arc == "improving":
        return np.linspace(1.25, -0.25, n_turns).clip(0, 1)
    return np.full(n_turns, _STEADY_ANGER[arc])


def _call(
    customer: Mapping[str, Sequence[Clip]],
    agent: Mapping[str, Sequence[Clip]],
    arc: Arc,
    rng: np.random.Generator,
) -> Call:
    scene = Scene(rng)
    draw = _Drawer(rng)
    n_turns = int(rng.integers(N_TURNS[0], N_TURNS[1] + 1))
    sides: tuple[list[Utterance], list[Utterance]] = ([], [])
    for probability in anger_probability(arc, n_turns):
        emotions = (ANGRY,) if rng.uniform() < probability else POSITIVE
        sides[0].append(_utterance(draw(agent, AGENT)))
        sides[1].append(_utterance(draw(customer, emotions)))
    levelled = [_at_level(side, rng.uniform(*LEVEL_DB)) for side in sides]
    for turns in zip(*levelled, strict=True):
        for channel, utterance in enumerate(turns):
            scene.say(channel, utterance, after_s=rng.uniform(*PAUSE_S))
    snr_db = rng.uniform(*SNR_DB, 2)
    return scene.render(Line(snr_db=(float(snr_db[0]), float(snr_db[1]))))


class _Drawer:
    """Draws clips of wanted emotions, each as often, no clip twice while there are others."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._used: set[Clip] = set()

    def __call__(self, voice: Mapping[str, Sequence[Clip]], wanted: Iterable[str]) -> Clip:
        emotion = str(self._rng.choice([name for name in wanted if voice[name]]))
        fresh = [clip for clip in voice[emotion] if clip not in self._used]
        if not fresh:
            self._used -= set(voice[emotion])
            fresh = list(voice[emotion])
        clip = fresh[int(self._rng.integers(len(fresh)))]
        self._used.add(clip)
        return clip


def _utterance(clip: Clip) -> Utterance:
    samples, rate_hz = soundfile.read(clip.path, dtype="float32", always_2d=True)
    return Utterance(samples.mean(axis=1), rate_hz, clip.emotion)


def _at_level(utterances: Sequence[Utterance], level_db: float) -> list[Utterance]:
    """One side's turns, all changed by the gain that brings their common level to `level_db`."""
    everything = np.concatenate([utterance.samples for utterance in utterances])
    gain = 10 ** ((level_db - rms_db(everything, level_db)) / 20)
    return [
        replace(utterance, samples=(utterance.samples * gain).astype(np.float32))
        for utterance in utterances
    ]


def _by_speaker(clips: Sequence[Clip]) -> dict[str, Mapping[str, list[Clip]]]:
    sorted_clips: dict[str, dict[str, list[Clip]]] = {}
    for clip in sorted(clips, key=lambda clip: clip.path.name):
        sorted_clips.setdefault(clip.speaker, defaultdict(list))[clip.emotion].append(clip)
    return dict(sorted(sorted_clips.items()))
