"""The list of calls: what its URL asks for, as SQL over the published warehouse.

A page follows the one before by the keys of its last row, never by a count of rows to skip: the
thousandth page costs what the first does.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

NO_QUEUE = "no queue"
"""Stands in a URL for calls without a queue, as it does in the report."""

PAGE_ROWS = 25
LONGEST_TEXT = 200
MOST_WORDS = 8

SHOWN = {
    "listen": ("Calls to listen to", "is_dissatisfied"),
    "all": ("All calls", "true"),
    "not-scored": ("Calls not scored", "dissatisfaction is null"),
}
"""What may be shown: title and condition. A call that is content is none to listen to."""

SORTS = {
    "worst": (
        "worst first",
        (
            "-coalesce(is_dissatisfied::int, -1)",
            "-coalesce(dissatisfaction, -1)",
            "-coalesce(dissatisfaction_peak, -1)",
        ),
    ),
    "newest": ("newest first", ("-epoch_us(started_at)",)),
    "ending": ("worst ending first", ("-coalesce(dissatisfaction_end, -1)",)),
    "longest": ("longest first", ("-duration_s",)),
    "hold": ("longest on hold first", ("-hold_s",)),
}
"""Orders: name and keys, smallest first; `worst` ranks as the priority calls of the report."""

COLUMNS = (
    "recording_id, call_id, call_date, started_at, queue, duration_s, dissatisfaction, "
    "dissatisfaction_start, dissatisfaction_end, dissatisfaction_peak, dissatisfied_share, "
    "is_dissatisfied, worst_start_s, arc, emotions, top_reasons, coverage, hold_s, "
    "not_scored_reason"
)

_ATTRIBUTE = "attribute."


class FilterError(Exception):
    """A URL asks for what no list can show; the message says what."""


@dataclass(frozen=True)
class CallFilter:
    """What a list of calls shows.

    Attributes:
        shown: a key of `SHOWN`
        text: words, each of which stands in the call id, the queue or an attribute
        queue: the only queue; None: all
        first: first call date; None: the first there is
        last: last call date; None: the last there is
        attributes: name and value of attributes
        sort: a key of `SORTS`
        after: keys of the row after which the page begins
    """

    shown: str = "listen"
    text: str = ""
    queue: str | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    sort: str = "worst"
    after: tuple[float | str, ...] = ()

    @classmethod
    def of(cls, query: Mapping[str, str]) -> CallFilter:
        """The filter in a URL's query.

        Raises:
            FilterError: if a value cannot be used
        """
        shown, sort = query.get("show", "listen"), query.get("sort", "worst")
        if shown not in SHOWN or sort not in SORTS:
            raise FilterError("there is no such list")
        return cls(
            shown=shown,
            text=query.get("q", "").strip()[:LONGEST_TEXT],
            queue=query.get("queue") or None,
            first=_date(query.get("from")),
            last=_date(query.get("to")),
            attributes=tuple(
                (name.removeprefix(_ATTRIBUTE), value)
                for name, value in query.items()
                if name.startswith(_ATTRIBUTE) and value
            ),
            sort=sort,
            after=_keys(query.get("after"), len(SORTS[sort][1])),
        )

    def url(self, **changes: Any) -> str:
        """Path and query of the list with this filter and some changes."""
        wanted = replace(self, **changes)
        fields = {
            "show": wanted.shown if wanted.shown != "listen" else None,
            "q": wanted.text,
            "queue": wanted.queue,
            "from": wanted.first,
            "to": wanted.last,
            **{f"{_ATTRIBUTE}{name}": value for name, value in wanted.attributes},
            "sort": wanted.sort if wanted.sort != "worst" else None,
            "after": _text_of(wanted.after) if wanted.after else None,
        }
        query = urlencode({name: str(value) for name, value in fields.items() if value})
        return f"/calls?{query}" if query else "/calls"

    def page_query(self) -> tuple[str, list[object]]:
        """SQL and values of a page's rows and one more, each with its `keys`."""
        condition, values = self._condition()
        keys = [*SORTS[self.sort][1], "recording_id"]
        if self.after:
            places = ", ".join("?" for _ in keys)
            condition += f" and ({', '.join(keys)}) > ({places})"
            values += self.after
        order = ", ".join(keys)
        sql = (
            f"select {COLUMNS}, [{', '.join(SORTS[self.sort][1])}]::double[] as keys "
            f"from call_summary where {condition} order by {order} limit {PAGE_ROWS + 1}"
        )
        return sql, values

    def count_query(self) -> tuple[str, list[object]]:
        """SQL and values of the number of calls on all pages."""
        condition, values = self._condition()
        return f"select count(*) as n from call_summary where {condition}", values

    def _condition(self) -> tuple[str, list[object]]:
        conditions, values = [SHOWN[self.shown][1]], list[object]()
        if self.queue is not None:
            conditions.append("queue is null" if self.queue == NO_QUEUE else "queue = ?")
            values += [] if self.queue == NO_QUEUE else [self.queue]
        for day, comparison in ((self.first, ">="), (self.last, "<=")):
            if day is not None:
                conditions.append(f"call_date {comparison} ?")
                values.append(day)
        for name, value in self.attributes:
            conditions.append("attributes[?] = ?")
            values += [name, value]
        for word in self.text.split()[:MOST_WORDS]:
            conditions.append(
                "(contains(lower(call_id), ?) or contains(lower(coalesce(queue, '')), ?) "
                "or contains(lower(array_to_string(map_values(attributes), '\n')), ?))"
            )
            values += [word.lower()] * 3
        return " and ".join(conditions), values


def next_keys(row: Mapping[str, Any]) -> tuple[float | str, ...]:
    """What the page after a row begins with: `CallFilter.after`."""
    return (*row["keys"], row["recording_id"])


def _date(text: str | None) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise FilterError(f"{text!r} is no date") from None


def _text_of(keys: Sequence[float | str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode()


def _keys(text: str | None, n_numbers: int) -> tuple[float | str, ...]:
    """What `_text_of` wrote: numbers, and a recording_id."""
    if not text:
        return ()
    try:
        *numbers, last = json.loads(base64.urlsafe_b64decode(text))
        if len(numbers) != n_numbers or not isinstance(last, str):
            raise ValueError
        return (*map(float, numbers), last)
    except (ValueError, TypeError, RecursionError):
        raise FilterError("the link does not lead to a page of this list") from None
