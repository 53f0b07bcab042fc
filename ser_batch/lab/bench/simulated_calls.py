"""Simulated telephone calls of labelled clips, whose share of angry speech is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import soxr

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray
from ser_batch.audio.decode import Audio
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ
from ser_batch.corpora.base import Clip
from ser_batch.errors import CorpusError
from ser_batch.lab.synthetic.activity import rms_db
from ser_batch.lab.synthetic.scenes import Call, Line, Scene, TruthRow, Utterance

Change = Literal["worsening", "improving", "steady"]
Place = Literal["anywhere", "late", "early", "end"]

ANGRY = ("anger", "frustration")
POSITIVE = ("neutral", "calm", "happiness")
OTHER = ("disgust", "fear", "sadness", "boredom")
"""Neither angry nor positive: a call may be full of them without being an angry one."""
AGENT = ("neutral", "calm")
LEAST_CHANGE = 0.5
N_TURNS = (8, 14)
PAUSE_S = (0.4, 1.6)
SNR_DB = (18.0, 35.0)
LEVEL_DB = (-34.0, -20.0)
"""Level of each side's speech over its whole call; within the call its turns keep theirs."""


@dataclass(frozen=True)
class CallKind:
    """How anger goes through a call.

    Attributes:
        name: of the kind
        share: of all calls
        angry: range of the share of the customer's turns that are angry
        other: probability that a turn which is not angry is sad, afraid, disgusted or bored
        place: where the angry turns lie
    """

    name: str
    share: float
    angry: tuple[float, float]
    other: float
    place: Place = "anywhere"


FURIOUS_END = "calm, then furious"
KINDS = (
    CallKind("content", 0.32, (0.0, 0.0), 0.1),
    CallKind("low mood", 0.14, (0.0, 0.0), 0.6),
    CallKind("a little anger", 0.20, (0.08, 0.25), 0.2),
    CallKind("mixed", 0.08, (0.3, 0.5), 0.2),
    CallKind("angry throughout", 0.08, (0.75, 1.0), 0.2),
    CallKind("worsening", 0.07, (0.4, 0.6), 0.2, "late"),
    CallKind("improving", 0.05, (0.4, 0.6), 0.2, "early"),
    CallKind(FURIOUS_END, 0.06, (0.2, 0.3), 0.2, "end"),
)


@dataclass(frozen=True)
class SimulatedCall:
    """A call of one customer's clips.

    Attributes:
        audio: two channels, the agent's first
        speaker: the customer
        corpus: of the clips
        kind: name of the call's kind
        truth: who speaks when, and how
    """

    audio: Audio
    speaker: str
    corpus: str
    kind: str
    truth: tuple[TruthRow, ...]

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
        """Seconds of each span of the customer's speech, and whether it is angry."""
        rows = [row for row in self.truth if row.kind == "speech" and row.role == "customer"]
        seconds = np.array([row.end_s - row.start_s for row in rows])
        return seconds, np.array([row.emotion in ANGRY for row in rows])

    def anger_of(self, segments: DoubleArray) -> DoubleArray:
        """Share of the customer's speech inside each segment that is angry.

        Args:
            segments: start and end in seconds, shape (n, 2)

        Returns:
            shape (n,), NaN where the customer does not speak
        """
        spoken = np.zeros((len(segments), 2))
        for row in self.truth:
            if row.kind == "speech" and row.role == "customer":
                shared = np.minimum(segments[:, 1], row.end_s) - np.maximum(
                    segments[:, 0], row.start_s
                )
                spoken[:, int(row.emotion in ANGRY)] += np.maximum(shared, 0)
        total = spoken.sum(axis=1)
        return np.where(total > 0, spoken[:, 1] / np.where(total > 0, total, 1), np.nan)


@dataclass(frozen=True)
class Voices:
    """The clips of each speaker by emotion, and who can be a customer or an agent."""

    clips: Mapping[str, Mapping[str, Sequence[Clip]]]
    corpus: Mapping[str, str]
    customers: tuple[str, ...]
    agents: Mapping[str, tuple[str, ...]]


def voices_of(clips: Sequence[Clip]) -> Voices:
    """Who can speak in simulated calls.

    Args:
        clips: of one or more corpora; a customer and their agent are of one corpus

    Raises:
        CorpusError: if no corpus has a speaker with anger and something positive, and an agent
    """
    by_speaker = _by_speaker(clips)
    corpus = {clip.speaker: clip.corpus for clip in clips}
    able = [s for s, emotions in by_speaker.items() if any(emotions[name] for name in AGENT)]
    agents = {
        speaker: tuple(a for a in able if a != speaker and corpus[a] == corpus[speaker])
        for speaker in by_speaker
    }
    customers = tuple(
        speaker
        for speaker, emotions in by_speaker.items()
        if any(emotions[name] for name in ANGRY)
        and any(emotions[name] for name in POSITIVE)
        and agents[speaker]
    )
    if not customers:
        raise CorpusError(
            "simulated calls need a corpus in which a speaker has clips of anger and of "
            f"{', '.join(POSITIVE[:-1])} or {POSITIVE[-1]}, and another of neutral or calm"
        )
    return Voices(by_speaker, corpus, customers, agents)


def simulated_calls(voices: Voices, *, n_calls: int, seed: int) -> Iterator[SimulatedCall]:
    """Calls of all kinds in their shares; every customer calls about as often.

    Args:
        voices: who can speak
        n_calls: how many
        seed: of everything that is drawn
    """
    kinds = _kinds_of(n_calls, np.random.default_rng(seed))
    for number, kind in enumerate(kinds):
        rng = np.random.default_rng([seed, number])
        customer = voices.customers[number % len(voices.customers)]
        agent = str(rng.choice(voices.agents[customer]))
        call = _call(voices.clips[customer], voices.clips[agent], kind, rng)
        audio = Audio(call.samples.T.copy(), TELEPHONE_RATE_HZ, "WAV", "ULAW")
        yield SimulatedCall(audio, customer, voices.corpus[customer], kind.name, call.truth)


def angry_turns(kind: CallKind, n_turns: int, rng: np.random.Generator) -> BoolArray:
    """Which turns of a call are angry, shape (n_turns,).

    `end` is one run of turns at the end; `late` and `early` thin out towards the other end.
    """
    n_angry = round(float(rng.uniform(*kind.angry)) * n_turns)
    if kind.angry[1] > 0:
        n_angry = max(n_angry, 1)
    if kind.place == "end":
        return np.arange(n_turns) >= n_turns - n_angry
    chance = np.ones(n_turns)
    if kind.place != "anywhere":
        chance = np.linspace(-0.25, 1.25, n_turns).clip(0.001, 1) ** 3
    if kind.place == "early":
        chance = chance[::-1]
    chosen = rng.choice(n_turns, size=n_angry, replace=False, p=chance / chance.sum())
    return np.isin(np.arange(n_turns), chosen)


def _kinds_of(n_calls: int, rng: np.random.Generator) -> list[CallKind]:
    """The kind of each call: the shares as exactly as they can be, in random order."""
    ends = np.cumsum([kind.share for kind in KINDS])
    places = (np.arange(n_calls) + 0.5) / n_calls * ends[-1]
    numbers = np.searchsorted(ends, places)
    return [KINDS[i] for i in rng.permutation(numbers)]


def _call(
    customer: Mapping[str, Sequence[Clip]],
    agent: Mapping[str, Sequence[Clip]],
    kind: CallKind,
    rng: np.random.Generator,
) -> Call:
    scene = Scene(rng)
    draw = _Drawer(rng)
    n_turns = int(rng.integers(N_TURNS[0], N_TURNS[1] + 1))
    other = [name for name in OTHER if customer[name]]
    sides: tuple[list[Utterance], list[Utterance]] = ([], [])
    for is_angry in angry_turns(kind, n_turns, rng):
        is_other = bool(other) and rng.uniform() < kind.other
        emotions = ANGRY if is_angry else other if is_other else POSITIVE
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
        self._used: set[Path] = set()

    def __call__(self, voice: Mapping[str, Sequence[Clip]], wanted: Iterable[str]) -> Clip:
        emotion = str(self._rng.choice([name for name in wanted if voice[name]]))
        fresh = [clip for clip in voice[emotion] if clip.path not in self._used]
        if not fresh:
            self._used -= {clip.path for clip in voice[emotion]}
            fresh = list(voice[emotion])
        clip = fresh[int(self._rng.integers(len(fresh)))]
        self._used.add(clip.path)
        return clip


def _utterance(clip: Clip) -> Utterance:
    return Utterance(_samples(clip.path), TELEPHONE_RATE_HZ, clip.emotion)


@lru_cache(maxsize=2048)
def _samples(path: Path) -> FloatArray:
    """Mono samples of a clip at 8 kHz; each clip is decoded once."""
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(samples.mean(axis=1), rate_hz, TELEPHONE_RATE_HZ), np.float32)


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
