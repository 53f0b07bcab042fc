"""Read what was left out, and let it be tried again."""

from __future__ import annotations

from ser_batch.lake import Lake, Part
from ser_batch.lock import only_run
from ser_batch.paths import Root
from ser_batch.stages.remarks import Row
from ser_batch.tables import QUARANTINE, RECORDINGS


def read_quarantine(root: Root, *, warnings: bool, code: str | None) -> list[Row]:
    """Rows of `quarantine`, files left out first.

    Args:
        root: whose
        warnings: with the rows of files that were taken all the same
        code: only this reason
    """
    rows: list[Row] = Lake(root.lake).read(QUARANTINE).to_pylist()
    wanted = [
        row
        for row in rows
        if (warnings or row["severity"] == "quarantine") and code in (None, row["code"])
    ]
    return sorted(wanted, key=lambda row: (row["severity"], row["path"], row["code"]))


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
    freed = [row for row in rows if row["severity"] == "quarantine" and code in (None, row["code"])]
    if not freed:
        return []
    name = part.name.removeprefix("shard-")
    for shard in lake.parts(RECORDINGS):
        if shard.name == name:  # without its tags the shard counts as out of date
            lake.write(RECORDINGS, shard, lake.read(RECORDINGS, [shard]))
    kept = [row for row in rows if row not in freed]
    lake.write(QUARANTINE, part, QUARANTINE.from_rows(kept), lake.tags(QUARANTINE, part))
    return [str(row["path"]) for row in freed]
