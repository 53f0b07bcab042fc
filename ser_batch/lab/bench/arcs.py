"""Which way a call went: its one home in Python; in SQL, `arc_class` of `sql/macros.sql`."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ser_batch.config import DissatisfactionSettings
from ser_batch.emotions import first_and_last_third, is_call_dissatisfied

Arc = Literal["stayed positive", "improving", "worsening", "stayed negative", "uncertain"]

LOG_ODDS_CLIP = 0.002
"""A third's dissatisfaction is held this far from 0 and 1, where log-odds are compared."""

MIN_SEGMENTS = 3
"""With fewer scored segments a call has no beginning and end to compare."""


def arc_class(
    dissatisfaction: ArrayLike, duration_s: ArrayLike, settings: DissatisfactionSettings
) -> Arc:
    """Which way a call went.

    A change counts where its worse end reaches half of `call_threshold` and its better end lies at
    most halfway from it to 1: from very content to content is no worsening, nor is from
    dissatisfied to very dissatisfied.

    Args:
        dissatisfaction: of each scored segment in order of time, shape (n_segments,), 0..1
        duration_s: of each scored segment, shape (n_segments,), seconds
        settings: rule of the flag, and the change that counts as one
    """
    first, last = first_and_last_third(dissatisfaction, duration_s)
    if np.size(dissatisfaction) < MIN_SEGMENTS or np.isnan(first) or np.isnan(last):
        return "uncertain"
    held = np.clip((first, last), LOG_ODDS_CLIP, 1 - LOG_ODDS_CLIP)
    change = np.diff(np.log(held / (1 - held)))[0]
    is_change = max(first, last) >= settings.call_threshold / 2
    is_change &= min(first, last) <= (1 + settings.call_threshold) / 2
    if is_change and change >= settings.arc_change:
        return "worsening"
    if is_change and change <= -settings.arc_change:
        return "improving"
    is_flagged = is_call_dissatisfied(dissatisfaction, duration_s, **settings.flag)
    return "stayed negative" if is_flagged else "stayed positive"
