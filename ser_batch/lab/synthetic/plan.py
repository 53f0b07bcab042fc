"""The demo's calls on paper: who calls when, about what, in which mood, over which line."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from ser_batch.audio.line_signals import RingStyle
from ser_batch.lab.synthetic.dialogue import AGENT, CUSTOMER, Course
from ser_batch.lab.synthetic.scenes import Line
from ser_batch.lab.synthetic.voices import Voice

FIRST_DAY = dt.date(2025, 3, 3)
"""A Monday."""

WEEK: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        ("billing", "calm"),
        ("delivery", "calm_to_angry"),
        ("cancellation", "sad"),
        ("technical", "cheerful"),
        ("delivery", "angry"),
        ("cancellation", "calm"),
    ),
    (
        ("technical", "calm"),
        ("billing", "angry_to_calm"),
        ("delivery", "angry_to_calm"),
        ("cancellation", "calm"),
        ("technical", "calm_to_angry"),
        ("billing", "cheerful"),
    ),
    (
        ("cancellation", "cheerful"),
        ("billing", "calm_to_angry"),
        ("delivery", "calm"),
        ("technical", "angry_to_calm"),
        ("delivery", "sad"),
        ("cancellation", "calm"),
    ),
    (
        ("billing", "angry"),
        ("technical", "calm"),
        ("delivery", "cheerful"),
        ("billing", "calm_to_angry"),
        ("technical", "sad"),
        ("cancellation", "calm_to_angry"),
    ),
)
"""Topic (and queue) and arc of each call, by day: billing gets worse, delivery gets better."""


@dataclass(frozen=True)
class Agent:
    """Somebody who answers."""

    team: str
    voice: Voice


AGENTS: dict[str, Agent] = {
    "A101": Agent("north", Voice("en-US", pitch=0.62, tract=0.88, speed=1.08)),
    "A102": Agent("north", Voice("en-US", pitch=1.05, tract=1.0, speed=1.1)),
    "A103": Agent("north", Voice("en-US", pitch=0.7, tract=0.93, speed=1.0)),
    "A201": Agent("south", Voice("en-US", pitch=1.15, tract=1.04, speed=1.05)),
    "A202": Agent("south", Voice("en-US", pitch=0.56, tract=0.85, speed=1.04)),
    "A203": Agent("south", Voice("en-US", pitch=0.95, tract=0.97, speed=1.12)),
}

CUSTOMER_VOICES: tuple[Voice, ...] = (
    Voice("en-GB", pitch=1.0, tract=1.0),
    Voice("en-GB", pitch=0.6, tract=0.86),
    Voice("en-GB", pitch=1.12, tract=1.05, speed=1.05),
    Voice("en-GB", pitch=0.68, tract=0.9, speed=1.04),
    Voice("en-GB", pitch=0.88, tract=0.96, speed=0.96),
    Voice("en-GB", pitch=0.55, tract=0.84, speed=0.98),
)

CUSTOMER_NAMES: tuple[str, ...] = (
    "C-1001",
    "C-1002",
    "Zoë Łukasiewicz",
    "C-1004",
    "C-1005",
    "C-1006",
    "Åse Grün",
    "C-1008",
    "C-1009",
    "C-1010",
    "C-1011",
    "C-1012",
)

PRODUCTS: dict[str, tuple[str, ...]] = {
    "billing": ("Flat 30", "Flat 45"),
    "cancellation": ("Flat 30", 'Family, "all in"'),
    "delivery": ("Washer 7 kg", "Oak table, 160 cm"),
    "technical": ("Router X2", "TV box"),
}
"""One holds a comma and one holds quotes as well, as exports do."""

OBJECTED_CALL, NO_NOTICE_CALL = 9, 14
"""Numbers of the calls that must not be scored; both are calm, so that the picture stays."""


@dataclass(frozen=True)
class PlannedCall:
    """Everything that is settled about a call before it is spoken.

    Attributes:
        number: from 0, in order of start
        call_id: unique
        started_at: local time
        topic: what it is about, also the queue
        arc: one of `ser_batch.lab.synthetic.dialogue.ARCS`
        n_turns: of the customer
        agent: key of `AGENTS`
        customer: name or number
        customer_voice: how the customer sounds
        product: free attribute
        wait_s: seconds in the queue
        course: ring, hold and so on
        line: levels and noise
    """

    number: int
    call_id: str
    started_at: dt.datetime
    topic: str
    arc: str
    n_turns: int
    agent: str
    customer: str
    customer_voice: Voice
    product: str
    wait_s: int
    course: Course
    line: Line

    @property
    def file(self) -> str:
        """Path below the audio folder."""
        return f"{self.started_at:%Y-%m-%d}/{self.call_id}.wav"

    @property
    def notice_given(self) -> bool:
        """Whether the customer was informed of the analysis."""
        return self.number != NO_NOTICE_CALL

    @property
    def objected(self) -> bool:
        """Whether the customer objected to it."""
        return self.number == OBJECTED_CALL


def plan_calls(n_calls: int, *, seed: int) -> list[PlannedCall]:
    """The first so many calls of the demo's weeks; the same seed gives the same calls."""
    return [_plan_call(number, np.random.default_rng([seed, number])) for number in range(n_calls)]


def _plan_call(number: int, rng: np.random.Generator) -> PlannedCall:
    calls_a_day = len(WEEK[0])
    day, of_day = divmod(number, calls_a_day)
    weeks, weekday = divmod(day, len(WEEK))
    topic, arc = WEEK[weekday][of_day]
    start = dt.datetime.combine(FIRST_DAY, dt.time(8)) + dt.timedelta(
        days=7 * weeks + weekday,
        minutes=110 * of_day + int(rng.integers(0, 90)),
        seconds=int(rng.integers(0, 60)),
    )
    n_turns = int(rng.integers(7, 10))
    return PlannedCall(
        number=number,
        call_id=f"{start:%Y%m%d-%H%M%S}-{number:04d}",
        started_at=start,
        topic=topic,
        arc=arc,
        n_turns=n_turns,
        agent=list(AGENTS)[(number * 5 + weekday) % len(AGENTS)],
        customer=CUSTOMER_NAMES[number % len(CUSTOMER_NAMES)],
        customer_voice=CUSTOMER_VOICES[number % len(CUSTOMER_VOICES)],
        product=PRODUCTS[topic][number % 2],
        wait_s=int(rng.gamma(2.0, 45.0)),
        course=_course(number, n_turns, rng),
        line=_line(rng),
    )


def _course(number: int, n_turns: int, rng: np.random.Generator) -> Course:
    """Ring on most calls, hold on every other; tones also on the customer's channel at times."""
    style: RingStyle = "us" if number % 4 == 3 else "eu"
    ring_channel = (AGENT, CUSTOMER, None)[number % 3]
    return Course(
        ring_channel=ring_channel,
        ring_style=style,
        keys="".join(str(key) for key in rng.integers(0, 10, 4)) if number % 5 == 2 else "",
        beep=number % 4 == 1,
        hold_turn=int(rng.integers(1, n_turns - 2)) if number % 2 else None,
        hold_channel=CUSTOMER if number % 6 == 5 else AGENT,
        hold_s=float(rng.uniform(6, 12)),
        silence_turn=int(rng.integers(1, n_turns - 2)) if number % 3 == 0 else None,
        silence_s=float(rng.uniform(4, 8)),
    )


def _line(rng: np.random.Generator) -> Line:
    agent_snr_db, customer_snr_db = rng.uniform(28, 40), rng.uniform(25, 40)
    return Line(
        gain_db=(float(rng.uniform(-3, 3)), float(rng.uniform(-2, 3))),
        snr_db=(float(agent_snr_db), float(customer_snr_db)),
        cross_talk_db=float(rng.uniform(-45, -36)) if rng.random() < 0.3 else None,
    )
