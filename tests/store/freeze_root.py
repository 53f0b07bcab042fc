"""Freeze a small root as this version leaves it: `python -m tests.store.freeze_root`, at a release.

Its calls are rows that are drawn, no recordings. `expected.json` beside the root says what every
later version must read in it.
"""

from __future__ import annotations

import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import ser_batch
from ser_batch import warehouse
from ser_batch.config import Settings
from ser_batch.ingest.tombstones import put_tombstones, recording_stone
from ser_batch.labels.history import label_row
from ser_batch.scoring.registry import Registry
from ser_batch.stages.publish import publish
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import (
    ACCESS_LOG,
    CALLS,
    CHANNELS,
    ERASED,
    LABELS,
    METADATA,
    RECORDINGS,
    SEGMENTS,
    predictions_contract,
)
from ser_batch.testing.lakes import MODEL_ID, put_weeks
from ser_batch.testing.rows import MIDDAY

FOLDER = Path(__file__).with_name("frozen")
SETTINGS = Settings(report={"min_calls": 1})
TABLES = (
    ACCESS_LOG,
    CALLS,
    CHANNELS,
    ERASED,
    LABELS,
    METADATA,
    RECORDINGS,
    SEGMENTS,
    predictions_contract(MODEL_ID),
)
FIGURES = """
    select queue, count(*) as count_calls, round(avg(dissatisfaction), 4) as dissatisfaction
    from call_summary group by queue order by queue nulls last
"""


def state(root: Root) -> dict[str, Any]:
    """What is read in a root: rows of each table, the registry, and figures of the warehouse."""
    lake = Lake(root.lake)
    with warehouse.connect(root.warehouse) as con:
        figures = con.execute(FIGURES).fetchall()
    return {
        "rows": {table.name: lake.read(table).num_rows for table in TABLES},
        "registry": [entry.event for entry in Registry(root.models).entries()],
        "figures": [list(row) for row in figures],
    }


def fill(root: Root) -> None:
    """Write two days of calls, and what people and programs add to them."""
    lake = Lake(root.lake)
    put_weeks(lake, MODEL_ID, n_calls=12, n_days=2)
    [key, *_] = lake.read(SEGMENTS).to_pylist()
    segment = (key["recording_id"], key["channel"], key["segment_no"])
    times = {"made_at": MIDDAY, "imported_at": MIDDAY}
    label = label_row(segment, (0.0, 3.0), annotator="ann", emotion="anger", source="csv", **times)
    lake.write(LABELS, Part(None, "labels"), LABELS.from_rows([label]))
    line = {
        "source": "0" * 32,
        "source_name": "export.csv",
        "line_no": 1,
        "fields": [("call_id", "c1"), ("queue", "billing")],
        "arrived_at": MIDDAY,
    }
    lake.write(METADATA, Part(None, "export"), METADATA.from_rows([line]))
    put_tombstones(lake, [recording_stone("erased")], MIDDAY)
    Registry(root.models).add("registered", MODEL_ID, MODEL_ID, who="ann", why=("a release",))


def main() -> None:
    """Write `frozen/root-<version>.tar.xz`."""
    with tempfile.TemporaryDirectory() as folder:
        root = Root(Path(folder) / "root")
        fill(root)
        publish(root, SETTINGS, MODEL_ID)
        expected = json.dumps(state(root), indent=1)
        (root.path.parent / "expected.json").write_text(expected + "\n", encoding="utf-8")
        target = FOLDER / f"root-{ser_batch.__version__}.tar.xz"
        with tarfile.open(target, "w:xz") as archive:
            for name in ("expected.json", "root"):
                archive.add(root.path.parent / name, name, filter=_anonymous)
        print(f"{target}: {target.stat().st_size} bytes")


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Without the user's name; locks stay behind."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return None if member.name.endswith(".lock") else member


if __name__ == "__main__":
    main()
