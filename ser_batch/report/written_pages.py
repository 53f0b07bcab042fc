"""Pages that were written: calls are taken out of them that may not be shown any more."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import escape

from ser_batch import warehouse
from ser_batch.policy import NOT_SCORED
from ser_batch.store.atomic import write_text_atomic

_LISTED = re.compile(r"[ \t]*<li data-facets=.*?</li>\n?", re.DOTALL)
"""A call of the list, as `report/page.html` writes it."""

_TABLE_ROW = re.compile(r"[ \t]*<tr>.*?</tr>\n?", re.DOTALL)
_NAMED = re.compile(r'data-copy="([^"]*)"|href="[^"/]*-calls/([^"/]*\.html)"')
"""The file of a listed call, and its page if it has one."""


@dataclass(frozen=True)
class Shown:
    """A call as pages show it.

    Attributes:
        recording_id: names its page
        file: the recording's path from the audio folder on, with that folder's
    """

    recording_id: str
    file: str


def forget_unscored(reports: Path, built: Path, dates: Sequence[dt.date]) -> int:
    """Take calls that the law bars from being scored out of all reports; how many pages changed.

    Args:
        reports: folder of the reports
        built: the warehouse that says which calls are scored
        dates: call dates whose calls may be scored otherwise than before
    """
    sql = """
        select recording_id, audio_root || '/' || path from call_summary
        where list_contains(?::date[], call_date) and list_contains(?, not_scored_reason)
    """
    with warehouse.connect(built) as con:
        rows = con.execute(sql, [list(dates), list(NOT_SCORED)]).fetchall()
    return forget_calls(reports, [Shown(*row) for row in rows])


def forget_calls(reports: Path, calls: Iterable[Shown]) -> int:
    """Delete the pages of calls and their entries in the lists; how many pages changed."""
    shown = list(calls)
    n_changed = 0
    ids = {f"{call.recording_id}.html" for call in shown}
    for page in reports.glob("*-calls/*.html"):
        if page.name in ids:
            page.unlink()
            n_changed += 1
    names = ids | {str(escape(call.file)) for call in shown}
    for page in reports.glob("*.html") if names else ():
        n_changed += _without(page, _LISTED, lambda entry: not names.isdisjoint(_names(entry)))
    return n_changed


def erase_mentions(reports: Path, mention: re.Pattern[str]) -> int:
    """Take table rows that mention something out of all reports; how many pages changed.

    A report that mentions it elsewhere too is deleted with its call pages: it cannot be made again
    as it was.
    """
    n_changed = 0
    for page in reports.glob("*.html"):
        n_changed += _without(page, _TABLE_ROW, lambda row: mention.search(row) is not None)
        if mention.search(page.read_text(encoding="utf-8")):
            page.unlink()
            shutil.rmtree(reports / f"{page.stem}-calls", ignore_errors=True)
            n_changed += 1
    return n_changed


def _names(entry: str) -> list[str]:
    return [name for names in _NAMED.findall(entry) for name in names if name]


def _without(page: Path, blocks: re.Pattern[str], goes: Callable[[str], bool]) -> bool:
    """Write a page again without some of its blocks; whether there were any."""
    text = page.read_text(encoding="utf-8")
    kept = blocks.sub(lambda block: "" if goes(block[0]) else block[0], text)
    if kept == text:
        return False
    write_text_atomic(page, kept)
    return True
