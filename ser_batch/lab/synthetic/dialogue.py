"""How a call goes: whose turn it is, in which mood, with which pauses and interruptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from ser_batch.audio.line_signals import RingStyle
from ser_batch.lab.synthetic.scenes import NOMINAL_LEVEL_DB, Scene, Utterance

AGENT, CUSTOMER = 0, 1
"""Channels of a composed call."""

Part = Literal["opening", "middle", "hold", "back", "closing"]


@dataclass(frozen=True)
class Mood:
    """The customer's emotion at a turn, and how much of it (0 to 1)."""

    emotion: str
    intensity: float = 1.0


_NEUTRAL, _CALM = Mood("neutral"), Mood("calm")

ARCS: dict[str, tuple[Mood, ...]] = {
    "calm": (_NEUTRAL, _CALM, _CALM, _NEUTRAL, _CALM),
    "calm_to_angry": (
        *(_NEUTRAL, _CALM, _NEUTRAL),
        *(Mood("anger", 0.8), Mood("anger"), Mood("anger"), Mood("anger")),
    ),
    "angry_to_calm": (
        *(Mood("anger"), Mood("anger"), Mood("anger"), Mood("anger", 0.7)),
        *(_NEUTRAL, _CALM, _CALM),
    ),
    "angry": (Mood("anger", 0.9), Mood("anger"), Mood("anger"), Mood("anger")),
    "sad": (_NEUTRAL, Mood("sadness", 0.7), Mood("sadness"), Mood("sadness"), Mood("sadness", 0.8)),
    "cheerful": (Mood("happiness", 0.7), Mood("happiness"), _NEUTRAL, Mood("happiness")),
}
"""How the customer's mood goes from the first turn to the last."""


def moods(arc: str, n_turns: int) -> tuple[Mood, ...]:
    """The customer's mood at each of so many turns."""
    course = ARCS[arc]
    return tuple(course[turn * len(course) // n_turns] for turn in range(n_turns))


class UtteranceSource(Protocol):
    """Where the turns of one speaker come from."""

    def utter(self, part: Part, mood: Mood) -> Utterance:
        """What is said next.

        Args:
            part: of the call
            mood: the customer's, also where the agent speaks: it is what is answered
        """
        ...


@dataclass(frozen=True)
class Course:
    """What happens in a call besides talk. Turns are the customer's, counted from 0.

    Attributes:
        ring_channel: channel that carries ring-back tone before the call, None for no ring
        ring_style: whose ring-back tone
        keys: pressed by the customer in the menu before the agent answers
        beep: whether a beep says that the call is recorded
        hold_turn: turn after which the customer is put on hold, None for no hold
        hold_channel: channel that carries the music
        hold_s: seconds of music
        silence_turn: turn after which nobody speaks for a while, None for no such time
        silence_s: seconds of it
        overlap: chance that a turn begins before the other's has ended; anger raises it
    """

    ring_channel: int | None = None
    ring_style: RingStyle = "eu"
    keys: str = ""
    beep: bool = False
    hold_turn: int | None = None
    hold_channel: int = AGENT
    hold_s: float = 8.0
    silence_turn: int | None = None
    silence_s: float = 6.0
    overlap: float = 0.08


def converse(
    scene: Scene,
    *,
    agent: UtteranceSource,
    customer: UtteranceSource,
    moods: Sequence[Mood],
    course: Course,
) -> None:
    """Fill a scene with a call.

    Args:
        scene: an empty timeline; its generator draws the pauses
        agent: speaks on channel 0
        customer: speaks on channel 1
        moods: the customer's, one a turn, at least two
        course: what happens besides
    """
    _before(scene, course)
    scene.say(AGENT, agent.utter("opening", moods[0]), after_s=0.6)
    for turn, mood in enumerate(moods):
        last = turn == len(moods) - 1
        part: Part = "opening" if turn == 0 else "closing" if last else "middle"
        scene.say(CUSTOMER, customer.utter(part, mood), after_s=_gap_s(scene.rng, mood, course))
        if turn == course.hold_turn:
            _hold(scene, agent, mood, course)
        if turn == course.silence_turn:
            scene.silence(course.silence_s)
        answer = agent.utter("closing" if last else "middle", mood)
        scene.say(AGENT, answer, after_s=_gap_s(scene.rng, Mood("neutral"), course))


def _before(scene: Scene, course: Course) -> None:
    """Ring, menu and beep before anybody speaks."""
    if course.ring_channel is not None:
        scene.ring(
            course.ring_channel,
            n_rings=int(scene.rng.integers(1, 3)),
            style=course.ring_style,
            level_db=NOMINAL_LEVEL_DB,
        )
    if course.keys:
        scene.press(CUSTOMER, course.keys, after_s=1.0, level_db=NOMINAL_LEVEL_DB + 4)
    if course.beep:
        scene.beep(AGENT, after_s=0.8, level_db=NOMINAL_LEVEL_DB)


def _hold(scene: Scene, agent: UtteranceSource, mood: Mood, course: Course) -> None:
    """The agent asks for patience, music plays, the agent is back."""
    scene.say(AGENT, agent.utter("hold", mood), after_s=0.5)
    scene.hold(course.hold_channel, course.hold_s, after_s=0.7, level_db=NOMINAL_LEVEL_DB + 1)
    scene.say(AGENT, agent.utter("back", mood), after_s=0.5)
    scene.silence(0.4)


def _gap_s(rng: np.random.Generator, mood: Mood, course: Course) -> float:
    """Pause before a turn, negative where it interrupts."""
    angry = mood.intensity if mood.emotion == "anger" else 0.0
    slow = 1.6 if mood.emotion == "sadness" else 1.0
    interrupts = rng.random() < course.overlap + 0.35 * angry
    pause_s = slow * float(np.clip(rng.lognormal(np.log(0.45), 0.45), 0.15, 1.5))
    return -float(rng.uniform(0.3, 1.2)) if interrupts else pause_s
