"""A night of thousands of calls without decoding them: what is beside the analysis, by stage.

Some real calls are decoded and described; what was detected in them is in every call of the night.
All else is real: names, metadata, the lake, scores, drift, warehouse and report. There is no flow:
`bench night` without `--simulated` measures that.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ser_batch.config import Settings
from ser_batch.lab.bench.growth.days import TONIGHT, Day, write_lines
from ser_batch.lab.bench.growth.night import Cost, night
from ser_batch.lab.bench.growth.recorded import Recorded
from ser_batch.lab.bench.growth.run import apart
from ser_batch.store.paths import Root

SHORTER = 4
"""The night beside which it is laid has this part of the calls."""


def run(
    sources: Sequence[Path],
    hours: float,
    settings: Settings,
    on_step: Callable[[str], None] = lambda _said: None,
) -> dict[str, Any]:
    """Run a night of simulated calls and one of a quarter of them, each in a process of its own.

    Args:
        sources: two-channel recordings, decoded once each
        hours: of calls in the longer night
        settings: of the nights; pages of single calls, which need audio, are not written
        on_step: called with what is done next

    Returns:
        core seconds of the analysis, by the decoded sample; core seconds of all else by stage, and
        of it fixed seconds and those an hour of calls (a line through the two nights); peak memory
    """
    report = settings.report.model_copy(update={"call_pages": False})
    ingest = settings.ingest.model_copy(update={"min_age_s": 0})
    settings = settings.model_copy(update={"report": report, "ingest": ingest})
    on_step(f"decoding {len(sources)} calls")
    recorded = apart(Recorded.of, sources, settings)
    n_calls = max(SHORTER, round(hours * 3600 / recorded.mean_s))
    on_step(f"a night of {n_calls // SHORTER:,} calls")
    shorter = apart(_night, n_calls // SHORTER, recorded, settings)
    on_step(f"a night of {n_calls:,} calls")
    longer = apart(_night, n_calls, recorded, settings)
    hour = recorded.mean_s / 3600
    core_s = sum(sum(each.seconds.values()) for each in recorded.outcomes)
    analysis_s = core_s / (len(recorded.outcomes) * hour)
    return {
        "hours": n_calls * hour,
        "n_calls": n_calls,
        "decoded_calls": len(recorded.outcomes),
        "analysis, core s an hour of calls (of the decoded calls)": analysis_s,
        "beside the analysis, core s": _rows(shorter, longer, n_calls, hour),
        "beside the analysis, core min": sum(longer.core_s.values()) / 60,
        "peak_memory_mb": {"quarter": shorter.peak_mb, "night": longer.peak_mb},
    }


def _night(n_calls: int, recorded: Recorded, settings: Settings) -> Cost:
    """A night of one call date on an empty lake."""
    with tempfile.TemporaryDirectory(prefix="ser-batch-bench-") as folder:
        place = Path(folder)
        day = Day(TONIGHT.date() - dt.timedelta(days=1), n_calls)
        (place / "audio" / str(day.date)).mkdir(parents=True)
        for path in day.paths:
            (place / "audio" / path).write_text(path)
        lines = place / "lines.csv"
        write_lines(lines, day.lines())
        return night(Root(place / "root"), place / "audio", (lines,), recorded, settings)


def _rows(shorter: Cost, longer: Cost, n_calls: int, hour: float) -> list[dict[str, Any]]:
    """A row a stage and one of their sum."""
    stages = {**longer.core_s, "all": sum(longer.core_s.values())}
    before = {**shorter.core_s, "all": sum(shorter.core_s.values())}
    n_more = n_calls - n_calls // SHORTER
    rows = []
    for stage, seconds in stages.items():
        an_hour = (seconds - before[stage]) / (n_more * hour)
        rows.append(
            {
                "stage": stage,
                "quarter": before[stage],
                "night": seconds,
                "fixed": seconds - an_hour * n_calls * hour,
                "an hour of calls": an_hour,
            }
        )
    return rows
