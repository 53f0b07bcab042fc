"""Tables as sheets of an Excel workbook: headings, formats, colours, links.

Text never becomes a formula: a call's id or a queue's name comes from outside.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ser_batch.errors import DependencyError
from ser_batch.report.queries import Row

MOST_ROWS = 100_000
"""Rows of a sheet; Excel itself takes a million, nobody scrolls them."""

Kind = Literal["value", "count", "percent", "points", "index", "seconds", "clock", "yes"]

_NUMBERS: dict[str, str] = {
    "count": "#,##0",
    "percent": "0%",
    "points": "+0;-0;0",
    "index": "0.00",
    "seconds": "0",
    "clock": "[m]:ss",
}
_COLD, _HOT = "#FFFFFF", "#E0675C"
_LEFT = {"align": "left", "indent": 1}
_DAY_S = 86_400
_HEADING_HEIGHT = 32
"""Points: two lines."""
_WIDEST = 60
"""Characters that a column grows to."""


@dataclass(frozen=True)
class Column:
    """A column of a sheet.

    Attributes:
        heading: as people read it
        field: of a row
        kind: how its values are written; `value`: by their type
        width: characters
        note: shown at the heading
        is_coloured: from white at 0 to red at 1
    """

    heading: str
    field: str
    kind: Kind = "value"
    width: int = 12
    note: str = ""
    is_coloured: bool = False


class Workbook:
    """A workbook that is being written."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def style(self, **properties: Any) -> Any:
        """A format of XlsxWriter, one for all cells that share it."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"valign": "top", **properties})
        return self._formats[key]

    def heading(self, kind: Kind = "value") -> Any:
        """The format of a column's heading: numbers stand at the right."""
        side: dict[str, Any] = {"align": "right"} if kind in _NUMBERS else _LEFT
        return self.style(bold=True, text_wrap=True, bottom=1, bg_color="#F3EFE9", **side)

    def page(self, name: str) -> Any:
        """An empty sheet, printed as wide as a page."""
        sheet = self._book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&RPage &P of &N")
        return sheet

    def line_chart(self) -> Any:
        """A chart of lines, to be inserted in a sheet."""
        return self._book.add_chart({"type": "line"})

    def table(
        self,
        name: str,
        columns: Sequence[Column],
        rows: Sequence[Row],
        links: Mapping[str, str] | None = None,
    ) -> None:
        """A sheet of rows under a header that stays in sight, with filters.

        Args:
            name: of the sheet
            columns: in order
            rows: a dictionary a row; those beyond `MOST_ROWS` are left out
            links: by recording_id, where the first cell of a row leads
        """
        sheet = self.page(name)
        sheet.set_row(0, _HEADING_HEIGHT)
        for number, column in enumerate(columns):
            sheet.write_string(0, number, column.heading, self.heading(column.kind))
            if column.note:
                sheet.write_comment(0, number, column.note)
            sheet.set_column(number, number, _width(column, rows))
        for row_no, row in enumerate(rows[:MOST_ROWS], start=1):
            for number, column in enumerate(columns):
                self.write(sheet, row_no, number, row[column.field], column.kind)
            if links and row["recording_id"] in links:
                text, where = str(row[columns[0].field]), links[row["recording_id"]]
                link = self.style(font_color="#1F5F8B", underline=1, **_LEFT)
                sheet.write_url(row_no, 0, f"external:{where}", link, text)
        last = max(min(len(rows), MOST_ROWS), 1)
        for number, column in enumerate(columns):
            if column.is_coloured:
                sheet.conditional_format(1, number, last, number, _SCALE)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.autofilter(0, 0, last, len(columns) - 1)

    def write(self, sheet: Any, row: int, column: int, value: Any, kind: Kind = "value") -> None:
        """A value in its format; nothing where it is None."""
        if value is None:
            return
        if isinstance(value, (list, dict)):
            value = json.dumps(value, ensure_ascii=False)
        if isinstance(value, bool):
            value = "yes" if value else "no"
        if isinstance(value, str):
            sheet.write_string(row, column, value, self.style(**_LEFT))
        elif isinstance(value, (dt.date, dt.datetime)):
            has_time = isinstance(value, dt.datetime)
            number = "yyyy-mm-dd hh:mm" if has_time else "yyyy-mm-dd"
            sheet.write_datetime(
                row, column, value, self.style(num_format=number, align="left", indent=1)
            )
        else:
            if kind == "clock":
                value = int(value) / _DAY_S  # whole seconds, as the pages show them
            known = _NUMBERS.get(kind, "0.00" if isinstance(value, float) else "0")
            sheet.write_number(row, column, value, self.style(num_format=known))


def _width(column: Column, rows: Sequence[Row]) -> int:
    """Characters: as given, more where a text of the rows is longer, up to `_WIDEST`."""
    texts = (row[column.field] for row in rows[:MOST_ROWS])
    longest = max((len(text) for text in texts if isinstance(text, str)), default=0)
    return max(column.width, min(longest + 2, _WIDEST))


_SCALE = {
    "type": "2_color_scale",
    "min_type": "num",
    "min_value": 0,
    "min_color": _COLD,
    "max_type": "num",
    "max_value": 1,
    "max_color": _HOT,
}


@contextmanager
def new_workbook(path: Path) -> Iterator[Workbook]:
    """Write a workbook.

    Raises:
        DependencyError: if XlsxWriter is not installed
    """
    try:
        xlsxwriter = importlib.import_module("xlsxwriter")
    except ImportError as error:
        raise DependencyError("a workbook needs XlsxWriter: pip install XlsxWriter") from error
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(path, options) as book:
        yield Workbook(book)
