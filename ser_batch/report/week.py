"""The workbook of some days, for people who were not there: headline, tables, calls, notes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from ser_batch.config import Settings
from ser_batch.report.content import Choice, Content, query_values, read_content
from ser_batch.report.data import Rules
from ser_batch.report.files import read_report
from ser_batch.report.queries import Row, statement
from ser_batch.report.week_sheets import CALLS, CHANGES, DAYS, NOT_SCORED, QUEUES, notes
from ser_batch.report.words import change_word, counted, lasting, period_words, thousands, verdict
from ser_batch.report.workbook import Column, Kind, Workbook
from ser_batch.serialise import plain_rows
from ser_batch.warehouse import TableDoc, query, quoted

_TITLE_SIZE = 18
_WITHHELD = "withheld"
_CHART_ROW = 15
_HEADINGS: dict[str, Kind] = {
    "Figure": "value",
    "Value": "count",
    "95 % from": "count",
    "95 % to": "count",
    "Of": "value",
}
_GRID = {"visible": True, "line": {"color": "#E3DEDA"}}
_NOTE_WIDTH, _LINE_HEIGHT = 100, 15
_DAYS_SHEET = "By day"


def call_links(reports: Path, target: Path) -> dict[str, str]:
    """By recording_id, the path from a workbook to the page of a call in the latest report."""
    latest = read_report(reports, "latest")
    if latest is None:
        return {}
    folder = reports / f"{latest.run_id}-calls"
    return {
        name: Path(os.path.relpath(folder / f"{name}.html", target.parent)).as_posix()
        for name in latest.call_pages
    }


def write_week(
    book: Workbook,
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    choice: Choice,
    links: Mapping[str, str],
    every_column: TableDoc | None = None,
) -> int:
    """Write all sheets.

    Args:
        book: the workbook
        con: of the published warehouse
        settings: thresholds and least number of calls in a figure
        choice: days and queue
        links: see `call_links`
        every_column: the mart of calls, whose columns are all written; None: those people read

    Returns:
        number of rows below headings
    """
    content = read_content(con, settings, choice)
    queues = f"(queue = {quoted(choice.queue)})" if choice.queue else "true"
    values = query_values(content.period, queues, settings)
    days = dictionaries(query(con, statement("days_of_all_queues", values)))
    calls = dictionaries(query(con, statement("calls_of_period", values)))
    calls = calls if every_column else [_queue_named(row) for row in calls]
    tables: list[tuple[str, Sequence[Column], list[Row]]] = [
        (_DAYS_SHEET, DAYS, days),
        ("By queue and day", QUEUES, _of_period(content)),
        ("This week, week before", CHANGES, _changes(content)),
        ("Calls", columns_of(every_column) if every_column else CALLS, calls),
        ("Not scored", NOT_SCORED, content.rows["not_scored"]),
    ]
    _summary(book, content, Rules.of(settings), days)
    for name, columns, rows in tables:
        book.table(name, columns, rows, links if name == "Calls" and not every_column else None)
    _notes(book, notes(Rules.of(settings), content))
    return sum(len(rows) for *_, rows in tables)


def dictionaries(rows: pa.Table) -> list[Row]:
    """Rows of a table, a dictionary each; times stay times."""
    names = rows.column_names
    return [dict(zip(names, row, strict=True)) for row in plain_rows(rows, keep_times=True)]


def columns_of(mart: TableDoc) -> list[Column]:
    """All columns of a mart, each with its meaning as a note."""
    return [
        Column(each.name, each.name, width=max(10, len(each.name) + 2), note=each.meaning)
        for each in mart.columns
    ]


def _of_period(content: Content) -> list[Row]:
    period = content.period
    if period is None:
        return []
    rows = content.rows["days"]
    return [_queue_named(row) for row in rows if period.first <= row["call_date"] <= period.last]


def _changes(content: Content) -> list[Row]:
    return [
        {
            **_queue_named(row),
            "word": change_word(row),
            **{name: _points(row[name]) for name in _CHANGES},
        }
        for row in content.rows["changes"]
    ]


_CHANGES = ("adjusted_change", "adjusted_change_low", "adjusted_change_high")


def _queue_named(row: Row) -> Row:
    is_sum = row.get("scope") == "all"
    return {**row, "queue": "All queues" if is_sum else row["queue"] or "no queue"}


def _points(difference: float | None) -> float | None:
    return None if difference is None else 100 * difference


def _summary(book: Workbook, content: Content, rules: Rules, days: Sequence[Row]) -> None:
    """Title, verdict, headline figures with their intervals, and a chart of the days."""
    sheet, head = book.page("Summary"), content.headline
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, 3, 13)
    sheet.set_column(4, 4, 46)
    title = "Customer dissatisfaction" + (f", queue {content.queue}" if content.queue else "")
    sheet.write_string(0, 0, title, book.style(bold=True, font_size=_TITLE_SIZE))
    if content.period is not None:
        sheet.write_string(1, 0, period_words(content.period), book.style(font_color="#66605C"))
    said = book.style(text_wrap=True, font_size=12)
    sheet.merge_range(2, 0, 2, 4, "", said)
    sheet.write_string(2, 0, verdict(content, min_calls=rules.min_calls), said)
    for row, height in ((0, 28), (1, 20), (2, 36)):
        sheet.set_row(row, height)
    if head["count_synthetic"]:
        n_synthetic = counted(head["count_synthetic"], "call is", "calls are")
        warning = f"The speech is synthetic: {n_synthetic} generated, and describe no customers."
        sheet.write_string(3, 0, warning, book.style(bold=True, font_color="#C2342B"))
    for column, (name, kind) in enumerate(_HEADINGS.items()):
        sheet.write_string(5, column, name, book.heading(kind))
    for row, (name, kind, figures, of) in enumerate(_figures(head, rules), start=6):
        book.write(sheet, row, 0, name)
        for column, value in enumerate(figures, start=1):
            book.write(sheet, row, column, value, kind)
        sheet.write_string(row, 4, of, book.style(font_color="#66605C", align="left", indent=1))
    if any(row["dissatisfied_call_share"] is not None for row in days):
        sheet.insert_chart(_CHART_ROW, 0, _chart(book, len(days)))


def _figures(head: Row, rules: Rules) -> list[tuple[str, Kind, tuple[object, ...], str]]:
    """Name, kind, value with the ends of its interval, and what it is of."""
    is_shown = head["count_scored"] >= rules.min_calls
    was_shown = head["count_scored_before"] >= rules.min_calls
    share = (head["share"], head["share_low"], head["share_high"])
    before = (head["share_before"], head["share_before_low"], head["share_before_high"])
    names = ("difference", "difference_low", "difference_high")
    change = tuple(_points(head[name]) for name in names)
    of_before = f"{thousands(head['count_scored_before'])} scored calls"
    scored = f"{thousands(head['hits'])} of {thousands(head['count_scored'])} scored calls"
    both = is_shown and was_shown
    return [
        ("Calls", "count", (head["count_calls"],), f"{lasting(head['duration_s'])} of audio"),
        ("Scored calls", "count", (head["count_scored"],), ""),
        ("Dissatisfied calls", "percent", share if is_shown else (_WITHHELD,), scored),
        ("Four weeks before", "percent", before if was_shown else (_WITHHELD,), of_before),
        ("Change, percentage points", "points", change if both else (_WITHHELD,), ""),
        ("Coverage", "percent", (head["coverage"],), "of the customers' speech was scored"),
        (
            "Coverage of eligible speech",
            "percent",
            (head["coverage_eligible"],),
            "of the speech that may be scored was",
        ),
    ]


def _chart(book: Workbook, n_days: int) -> object:
    """Share of dissatisfied calls by day with its interval."""
    chart = book.line_chart()
    names = [column.field for column in DAYS]
    for field, name, colour, width in (
        ("dissatisfied_call_share_high", "95 % interval, to", "#9DBBD0", 1),
        ("dissatisfied_call_share", "Dissatisfied calls", "#1F5F8B", 2.5),
        ("dissatisfied_call_share_low", "95 % interval, from", "#9DBBD0", 1),
    ):
        at = names.index(field)
        is_share = field == "dissatisfied_call_share"
        marker = {"type": "circle", "size": 6, "fill": {"color": colour}} if is_share else None
        chart.add_series(
            {
                "name": name,
                "categories": [_DAYS_SHEET, 1, 0, n_days, 0],
                "values": [_DAYS_SHEET, 1, at, n_days, at],
                "line": {"color": colour, "width": width},
                "marker": marker or {"type": "none"},
            }
        )
    chart.set_title({"name": "Dissatisfied calls by day", "name_font": {"size": 13}})
    chart.set_y_axis({"num_format": "0%", "min": 0, "major_gridlines": _GRID})
    chart.set_x_axis({"num_format": "d mmm", "date_axis": True, "major_unit": max(1, n_days // 12)})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 900, "height": 340})
    return chart


def _notes(book: Workbook, lines: Sequence[tuple[str, str]]) -> None:
    sheet = book.page("Notes")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, _NOTE_WIDTH)
    for row, (term, meaning) in enumerate(lines):
        # not every program fits the height of a row to its text
        sheet.set_row(row, _LINE_HEIGHT * (1 + len(meaning) // (_NOTE_WIDTH - 10)) + 4)
        sheet.write_string(row, 0, term, book.style(bold=True))
        sheet.write_string(row, 1, meaning, book.style(text_wrap=True))
