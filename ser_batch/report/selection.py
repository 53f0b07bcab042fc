"""Whether there is anything of what a reader asked to see."""

from __future__ import annotations

import datetime as dt

import duckdb

from ser_batch.config import nearest
from ser_batch.errors import ChoiceError
from ser_batch.report.content import PERIODS_DAYS, Choice

_MOST_NAMED = 20


def check_choice(con: duckdb.DuckDBPyConnection, choice: Choice) -> None:
    """Refuse days and queues of which an empty page would be made.

    Args:
        con: of the published warehouse
        choice: what was asked for

    Raises:
        ChoiceError: naming what there is
    """
    if choice.first and choice.last and choice.first > choice.last:
        raise ChoiceError(f"the first day, {choice.first}, lies after the last, {choice.last}")
    if choice.queue is not None:
        _check_queue(con, choice.queue)
    # read to its end: a result that is not holds the connection
    [(earliest, latest)] = con.execute(
        "select min(call_date), max(call_date) from call_summary where queue = $1 or $1 is null",
        [choice.queue],
    ).fetchall()
    if earliest is not None:
        _check_days(choice, earliest, latest)


def _check_queue(con: duckdb.DuckDBPyConnection, queue: str) -> None:
    rows = con.execute("select distinct queue from call_summary where queue is not null order by 1")
    known = [str(name) for (name,) in rows.fetchall()]
    if queue not in known:
        more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
        named = f"there are {', '.join(known[:_MOST_NAMED])}{more}" if known else "no call has one"
        raise ChoiceError(f"no call has the queue {queue!r}{nearest(queue, known)}; {named}")


def _check_days(choice: Choice, earliest: dt.date, latest: dt.date) -> None:
    last = choice.last or max(latest, choice.first or latest)
    first = choice.first or last - dt.timedelta(days=max(PERIODS_DAYS) - 1)
    if last < earliest or first > latest:
        of = f" of the queue {choice.queue!r}" if choice.queue else ""
        raise ChoiceError(
            f"there is no call{of} from {first} to {last}: there are calls from {earliest} "
            f"to {latest}"
        )
