"""Days of a simulated call centre: names of recordings, and what the export says of each call."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CALLS_A_DAY = 1000
TONIGHT = dt.datetime(2026, 11, 3, 2)
"""When the night that is measured begins, UTC."""
N_CUSTOMERS = 90_000
COLUMN_NAMES = ("file", "started_at", "queue", "team", "customer", "language", "product")


@dataclass(frozen=True)
class Day:
    """A call date.

    Attributes:
        date: of the calls
        n_calls: how many
    """

    date: dt.date
    n_calls: int

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the recordings below the audio folder."""
        return tuple(map(self.path, range(self.n_calls)))

    def path(self, number: int) -> str:
        """Of a call's recording below the audio folder."""
        return f"{self.date}/call-{self.date:%Y%m%d}-{number:05}.wav"

    @property
    def night(self) -> dt.datetime:
        """When the night that took the calls in began, UTC."""
        return dt.datetime.combine(self.date + dt.timedelta(days=1), TONIGHT.time())

    def customer(self, number: int) -> str:
        """Who called; a quarter of eight weeks' calls are by somebody who called before in them."""
        call = self.date.toordinal() * CALLS_A_DAY + number
        return f"customer-{int(digest_of(str(call))[:8], 16) % N_CUSTOMERS:06}"

    def line(self, number: int) -> dict[str, str]:
        """What the export says of a call."""
        time = dt.datetime.combine(self.date, dt.time(8)) + dt.timedelta(seconds=30 * number)
        return {
            "file": self.path(number),
            "started_at": time.isoformat(),
            "queue": ("billing", "technical", "sales", "delivery")[number % 4],
            "team": ("north", "south", "west")[number % 3],
            "customer": self.customer(number),
            "language": ("en", "de")[number % 2],
            "product": ("fibre", "mobile", "television")[number % 3],
        }

    def lines(self) -> list[dict[str, str]]:
        """What the export says of each call."""
        return [self.line(number) for number in range(self.n_calls)]


def days_before(n_calls: int) -> list[Day]:
    """The days of a history, oldest first; the last one may be shorter."""
    n_days = -(-n_calls // CALLS_A_DAY)
    tonight = TONIGHT.date() - dt.timedelta(days=1)
    return [
        Day(
            tonight - dt.timedelta(days=n_days - number),
            min(CALLS_A_DAY, n_calls - number * CALLS_A_DAY),
        )
        for number in range(n_days)
    ]


def write_lines(path: Path, lines: Iterable[dict[str, str]]) -> None:
    """A metadata file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMN_NAMES)
        writer.writeheader()
        writer.writerows(lines)


def digest_of(*texts: str) -> str:
    """A recording_id or the name of a part: of a name, for there is no audio."""
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=16).hexdigest()
