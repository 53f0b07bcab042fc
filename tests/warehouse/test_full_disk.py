"""Publishing where files may not grow: one line, and the published file as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ser_batch.config import Settings
from ser_batch.store.lake import Lake
from ser_batch.testing.lakes import MODEL_ID, put_call
from ser_batch.testing.rows import prediction
from ser_batch.warehouse import build, connect

# what this process may write to a file is limited, as on a disk that is full; a compiled module
# that it wrote would be cut without an error, and no later process could import it
PROGRAM = """
import resource, sys
from pathlib import Path
from pipelines.options import failure
from ser_batch.config import Settings
from ser_batch.store.lake import Lake
from ser_batch.warehouse import build
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    build(Lake(Path(sys.argv[1])), Path(sys.argv[2]), model_id=sys.argv[4], settings=Settings())
except Exception as error:
    print(failure(error).one_line())
"""


@pytest.mark.parametrize("most_bytes", [4_000, 800_000])
def test_a_full_disk_is_one_line_and_leaves_the_published_file(tmp_path: Path, most_bytes: int):
    lake, target = Lake(tmp_path / "lake"), tmp_path / "warehouse" / "calls.duckdb"
    put_call(lake, prediction())
    build(lake, target, model_id=MODEL_ID, settings=Settings())
    before, beside = target.read_bytes(), sorted(target.parent.iterdir())
    put_call(lake, prediction(), recording_id="r2")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(lake.folder), str(target), str(most_bytes), MODEL_ID],
        capture_output=True, text=True, cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": ".", "PYTHONDONTWRITEBYTECODE": "1"}, check=True,
    )  # fmt: skip
    assert len(done.stdout.splitlines()) == 1, done.stdout
    assert target.read_bytes() == before
    assert sorted(target.parent.iterdir()) == beside
    assert build(lake, target, model_id=MODEL_ID, settings=Settings()).built
    with connect(target) as con:
        assert con.execute("select count(*) from call_summary").fetchall() == [(2,)]
