"""How much of the speech of simulated calls is detected, emotion by emotion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ser_batch.arrays import BoolArray
from ser_batch.audio.analysis import analyse_calls
from ser_batch.audio.intervals import intervals, merge_gaps, to_mask
from ser_batch.audio.levels import LEVEL_FRAME_S
from ser_batch.config import Settings
from ser_batch.corpora import CORPORA, installed
from ser_batch.corpora.base import Clip
from ser_batch.lab.bench.simulated_calls import SimulatedCall, simulated_calls, voices_of

BATCH = 16
CUSTOMER = 1
"""Channel of the customer."""
EDGE_S = 0.1
"""What is detected this near to speech is not called false."""


def run(
    corpora: Path, settings: Settings, *, n_calls: int, on_step: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Detected speech in simulated calls of each corpus.

    Args:
        corpora: folder of corpora
        settings: of voice activity and segments
        n_calls: of each corpus
        on_step: called with each corpus

    Returns:
        a row a corpus: corpus; false (share of the time without speech that is detected), speech
        (share of all speech that is detected), and that share of each emotion, None without it
    """
    rows = []
    for name, clips in installed(corpora, CORPORA.keys()).items():
        on_step(name)
        rows.append({"corpus": name, **_shares(clips, settings, n_calls)})
    emotions = sorted({name for row in rows for name in row} - {"corpus", "false", "speech"})
    return [
        {name: row.get(name) for name in ("corpus", "false", "speech", *emotions)} for row in rows
    ]


def _shares(clips: Sequence[Clip], settings: Settings, n_calls: int) -> dict[str, float]:
    spoken, found = Counter[str](), Counter[str]()
    n_other = n_false = 0
    calls = simulated_calls(voices_of(clips), n_calls=n_calls, seed=1)
    for call, detected in _detected(calls, settings):
        said = [row for row in call.truth if row.kind == "speech" and row.role == "customer"]
        for row in said:
            start, stop = (round(at / LEVEL_FRAME_S) for at in (row.start_s, row.end_s))
            inside = detected[start:stop]
            spoken[row.emotion] += len(inside)
            found[row.emotion] += int(inside.sum())
        near = intervals((row.start_s - EDGE_S, row.end_s + EDGE_S) for row in said)
        turns = merge_gaps(near, settings.segments.min_pause_s)
        other = ~to_mask(turns, len(detected), LEVEL_FRAME_S)
        n_other += int(other.sum())
        n_false += int((other & detected).sum())
    shares = {emotion: found[emotion] / spoken[emotion] for emotion in spoken}
    return {"false": n_false / n_other, "speech": found.total() / spoken.total(), **shares}


def _detected(
    calls: Iterator[SimulatedCall], settings: Settings
) -> Iterator[tuple[SimulatedCall, BoolArray]]:
    """Each call with the 10 ms frames in which the customer is detected to speak."""
    while batch := list(islice(calls, BATCH)):
        analyses = analyse_calls([call.audio for call in batch], settings, [()] * len(batch))
        for call, analysis in zip(batch, analyses, strict=True):
            n_frames = round(analysis.duration_s / LEVEL_FRAME_S)
            yield call, to_mask(analysis.channels[CUSTOMER].turns, n_frames, LEVEL_FRAME_S)
