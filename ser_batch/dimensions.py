"""Arousal and valence: their scale, and what votes for emotions say of them.

Both run from 1 to 5, as raters mark them: 1 calm or unpleasant, 5 excited or pleasant.
"""

from __future__ import annotations

from collections.abc import Mapping

DIMENSIONS = {
    "arousal": "how excited it sounds, 1 calm..5 excited",
    "valence": "how pleasant it sounds, 1 unpleasant..5 pleasant",
}
LOWEST, MIDDLE, HIGHEST = 1.0, 3.0, 5.0

_PLEASURE_AND_AROUSAL = {
    "anger": (-0.51, 0.59),
    "boredom": (-0.65, -0.62),
    "calm": (0.68, -0.46),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "frustration": (-0.64, 0.52),
    "happiness": (0.76, 0.48),
    "neutral": (0.0, 0.0),
    "sadness": (-0.63, -0.27),
    "surprise": (0.40, 0.67),
}
"""Mean ratings of the words angry, bored, relaxed, disgusted, fearful, frustrated, joyful, sad and
surprised, -1 to 1; neutral lies in the middle.

Source: Russell & Mehrabian (1977), "Evidence for a three-factor theory of emotions".
"""

_LEVEL_AROUSAL = {"low": -0.5, "high": 0.5}
"""What an acted level adds to the arousal of what is not neutral, points of the scale."""


def derived_dimensions(shares: Mapping[str, float], level: str | None) -> tuple[float, float]:
    """Arousal and valence that listeners' votes for emotions suggest; nobody rated them.

    Args:
        shares: share of the listeners by emotion
        level: at which it was acted, low, medium or high; None: not known

    Returns:
        arousal and valence, 1 to 5
    """
    pleasure, arousal = (
        sum(share * _PLEASURE_AND_AROUSAL[name][which] for name, share in shares.items())
        for which in (0, 1)
    )
    moved = _LEVEL_AROUSAL.get(level or "", 0.0) * (1 - shares.get("neutral", 0.0))
    return _held(MIDDLE + 2 * arousal + moved), _held(MIDDLE + 2 * pleasure)


def _held(value: float) -> float:
    return min(max(value, LOWEST), HIGHEST)
