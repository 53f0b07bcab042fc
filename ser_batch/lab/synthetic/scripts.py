"""What is said in the demo's calls: agents' and customers' lines by topic, part and mood."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import numpy as np

from ser_batch.lab.synthetic.dialogue import Mood, Part

Lines = tuple[str, ...]

_TEXT = (files("ser_batch.lab.synthetic") / "scripts.toml").read_text(encoding="utf-8")
_AGENT, _CUSTOMER = (tomllib.loads(_TEXT)[side] for side in ("agent", "customer"))


def _by_name(table: dict[str, list[str]]) -> dict[str, Lines]:
    return {name: tuple(lines) for name, lines in table.items()}


AGENT_ANSWERS = _by_name(_AGENT["answers"])
"""By the customer's emotion; of those that are not named, neutral."""
PROBLEMS = _by_name(_CUSTOMER["problems"])
"""By topic."""
MOOD_LINES, CUSTOMER_CLOSINGS = (_by_name(_CUSTOMER[name]) for name in ("moods", "closings"))
"""By emotion."""
TOPIC_LINES = {topic: _by_name(lines) for topic, lines in _CUSTOMER["topics"].items()}
"""By topic and emotion."""


class Deck:
    """Lines drawn without repeating one before all of its kind were used."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._left: dict[Lines, list[str]] = {}

    def draw(self, lines: Lines) -> str:
        """The next of these lines."""
        left = self._left.setdefault(lines, [])
        if not left:
            left += [lines[i] for i in self._rng.permutation(len(lines))]
        return left.pop()


def agent_line(deck: Deck, part: Part, mood: Mood) -> str:
    """What an agent says in a part of the call to a customer in a mood."""
    if part == "middle":
        return deck.draw(AGENT_ANSWERS.get(mood.emotion, AGENT_ANSWERS["neutral"]))
    return deck.draw(tuple(_AGENT[part]))


def customer_line(deck: Deck, part: Part, mood: Mood, *, topic: str) -> str:
    """What a customer with a topic says in a part of the call and a mood."""
    if part == "opening":
        return deck.draw(PROBLEMS[topic])
    if part == "closing":
        return deck.draw(CUSTOMER_CLOSINGS[mood.emotion])
    return deck.draw(MOOD_LINES[mood.emotion] + TOPIC_LINES[topic][mood.emotion])
