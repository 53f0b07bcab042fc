"""Read what was left out, and let it be tried again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ser_batch.errors import AnalysisLostError
from ser_batch.ingest.issues import IssueRow
from ser_batch.store.lake import Lake, Part
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root
from ser_batch.tables import QUARANTINE, RECORDINGS

LOST = AnalysisLostError.code
"""Waits for its recording even where what is left of the call is shown."""


def read_quarantine(root: Root, *, warnings: bool, code: str | None) -> list[IssueRow]:
    """Rows of `quarantine`, files left out first.

    Args:
        root: whose
        warnings: with the rows of files that were taken all the same
        code: only this reason
    """
    rows: list[IssueRow] = Lake(root.lake).read(QUARANTINE).to_pylist()
    wanted = [
        row
        for row in rows
        if (warnings or row["severity"] == "quarantine") and code in (None, row["code"])
    ]
    return sorted(wanted, key=lambda row: (row["severity"], row["path"], row["code"]))


@dataclass(frozen=True)
class Reason:
    """The rows of one reason.

    Attributes:
        severity: quarantine (left out) or warning (taken all the same)
        code: stable reason code
        remedy: what to do
        rows: of `quarantine`, the ones noticed last first
    """

    severity: str
    code: str
    remedy: str
    rows: tuple[IssueRow, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON, without the rows."""
        noticed = [row["noticed_at"] for row in self.rows]
        return {
            "severity": self.severity,
            "code": self.code,
            "remedy": self.remedy,
            "count": len(self.rows),
            "first_noticed_at": noticed[-1],
            "last_noticed_at": noticed[0],
        }


def by_reason(rows: Sequence[IssueRow]) -> list[Reason]:
    """Rows of `quarantine` by reason: files left out before warnings, the most frequent first."""
    groups: dict[tuple[str, str, str], list[IssueRow]] = defaultdict(list)
    for row in rows:
        groups[str(row["severity"]), str(row["code"]), str(row["remedy"])].append(row)
    reasons = [
        Reason(*key, tuple(sorted(group, key=_noticed_at, reverse=True)))
        for key, group in groups.items()
    ]
    return sorted(reasons, key=lambda reason: (reason.severity, -len(reason.rows), reason.code))


def _noticed_at(row: IssueRow) -> tuple[str, str]:
    return str(row["noticed_at"]), str(row["path"])


def release(root: Root, *, code: str | None) -> list[str]:
    """Forget that analysis left files out, so that the next night tries them again.

    Args:
        root: whose
        code: only files left out for this reason

    Returns:
        their paths

    Raises:
        LockedError: while a run is at work
    """
    lake = Lake(root.lake)
    with only_run(root):
        return [
            path
            for part in lake.parts(QUARANTINE)
            if part.name.startswith("shard-")
            for path in _release_shard(lake, part, code)
        ]


def _release_shard(lake: Lake, part: Part, code: str | None) -> list[str]:
    rows = lake.read(QUARANTINE, [part]).to_pylist()
    waiting = [row for row in rows if row["severity"] == "quarantine" or row["code"] == LOST]
    freed = [row for row in waiting if code in (None, row["code"])]
    if not freed:
        return []
    name = part.name.removeprefix("shard-")
    for shard in lake.parts(RECORDINGS):
        if shard.name == name:  # without its tags the shard counts as out of date
            lake.write(RECORDINGS, shard, lake.read(RECORDINGS, [shard]))
    kept = [row for row in rows if row not in freed]
    lake.write(QUARANTINE, part, QUARANTINE.from_rows(kept), lake.tags(QUARANTINE, part))
    return [str(row["path"]) for row in freed]
