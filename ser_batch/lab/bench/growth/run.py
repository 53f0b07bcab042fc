"""The same night on histories of several sizes, each in a process of its own."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ser_batch.config import Settings
from ser_batch.lab.bench.growth.days import TONIGHT, Day, days_before, write_lines
from ser_batch.lab.bench.growth.history import make_history
from ser_batch.lab.bench.growth.kept import Place, copy_of_kept
from ser_batch.lab.bench.growth.night import Cost, night
from ser_batch.lab.bench.growth.recorded import Recorded

EMPTY = 0
LEAST_S = 0.1
"""Core seconds under which a ratio says nothing."""

Nights = dict[int, Cost]


def run(
    sizes: Sequence[int],
    recording: Path,
    settings: Settings,
    *,
    n_new: int = 1000,
    n_late: int = 10,
    histories: Path | None = None,
    on_step: Callable[[str], None] = lambda _said: None,
) -> dict[str, Any]:
    """Write a history of each size, and run a night of new calls on it, and one without any.

    Args:
        sizes: calls recorded before, besides none
        recording: a call of two channels; what is detected in it is in every call
        settings: of the nights; pages of single calls, which need audio, are not written
        n_new: calls of the measured night
        n_late: lines of metadata that come late, spread over the history
        histories: folder in which histories are kept, and found again; None: none is kept
        on_step: called with what is done next

    Returns:
        a row a stage and night: core seconds by size of the history, the ratio of the largest
        to an empty lake, and core seconds more for 100,000 calls more; a row of peak memory
    """
    report = settings.report.model_copy(update={"call_pages": False})
    ingest = settings.ingest.model_copy(update={"min_age_s": 0})
    settings = settings.model_copy(update={"report": report, "ingest": ingest})
    recorded = Recorded.of([recording], settings).shortened
    busy: Nights = {}
    idle: Nights = {}
    for size in sorted({EMPTY, *sizes}):
        on_step(f"a history of {size:,} calls")
        days = days_before(size)
        with _history(days, histories, recorded, settings) as place:
            lines = _receive(place, days, n_new, n_late)
            measured = (place.root, place.audio, lines, recorded, settings)
            on_step(f"a night of {n_new:,} calls on {size:,}")
            busy[size] = apart(night, *measured)
            on_step(f"a night with nothing new on {size + n_new:,}")
            idle[size] = apart(night, *measured)
    return {
        "n_new": n_new,
        "n_late": n_late,
        "dates_built": {f"{size:,}": cost.n_dates for size, cost in busy.items()},
        "night of new calls, core s": _table(busy),
        "night with nothing new, core s": _table(idle),
    }


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """A function in a process of its own, whose memory is then only its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


@contextmanager
def _history(
    days: Sequence[Day], histories: Path | None, recorded: Recorded, settings: Settings
) -> Iterator[Place]:
    """The days before as their last night left them, new or as they are kept."""

    def make(place: Place) -> None:
        apart(make_history, place.root, place.audio, days, recorded, settings)

    def settle(place: Place) -> None:
        if days:
            apart(night, place.root, place.audio, (), recorded, settings)

    if histories is None or not days:
        with tempfile.TemporaryDirectory(prefix="ser-batch-bench-") as folder:
            place = Place.below(Path(folder))
            make(place)
            settle(place)
            yield place
        return
    kept = histories.resolve() / str(sum(day.n_calls for day in days))
    with copy_of_kept(kept, settings, make, settle) as place:
        yield place


def _receive(place: Place, days: Sequence[Day], n_new: int, n_late: int) -> tuple[Path, ...]:
    """The new recordings, and the metadata files of the night."""
    new = Day(TONIGHT.date() - dt.timedelta(days=1), n_new)
    (place.audio / str(new.date)).mkdir()
    for path in new.paths:
        (place.audio / path).write_text(path)
    own, late = place.night / "new.csv", place.night / "late.csv"
    write_lines(own, new.lines())
    calls = [(day, number) for day in days for number in range(day.n_calls)]
    chosen = calls[:: max(1, len(calls) // max(n_late, 1))][:n_late]
    if not chosen:
        return (own,)
    write_lines(late, (day.line(number) | {"queue": "retention"} for day, number in chosen))
    return own, late


def _table(nights: Nights) -> list[dict[str, Any]]:
    """A row a stage, their sum, and the peak memory."""
    stages = list(nights[EMPTY].core_s)
    rows = [_row(stage, {n: cost.core_s[stage] for n, cost in nights.items()}) for stage in stages]
    rows.append(_row("all", {n: sum(cost.core_s.values()) for n, cost in nights.items()}))
    rows.append(_row("peak memory, MB", {n: cost.peak_mb for n, cost in nights.items()}))
    return rows


def _row(name: str, figures: dict[int, float]) -> dict[str, Any]:
    """Figures by size of the history, their ratio to none, and the slope between the largest."""
    sizes = sorted(figures)
    first, before, last = figures[EMPTY], figures[sizes[-2]], figures[sizes[-1]]
    return {
        "stage": name,
        **{f"{size:,}": figures[size] for size in sizes},
        "ratio": last / first if first >= LEAST_S else None,
        "per 100,000": (last - before) / (sizes[-1] - sizes[-2]) * 100_000,
    }
