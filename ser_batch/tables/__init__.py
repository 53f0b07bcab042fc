"""The contract of every table of the lake: columns, types, keys, version and meaning.

A column is declared here once; Parquet files, the DuckDB staging tables, the documentation and
the checks all follow from it. Rows never carry what can be derived from another table.

On a change: bump `version`, add one step to `MIGRATIONS` (`migrations.py`), freeze a file of the
old version under `tests/store/frozen/`.
"""

from ser_batch.tables.audio import CHANNELS, RECORDINGS, SEGMENTS, features_contract
from ser_batch.tables.calls import CALLS, FILES, METADATA
from ser_batch.tables.contract import Packed, TableContract, column, doc
from ser_batch.tables.labels import LABEL_QUEUE, LABELS
from ser_batch.tables.migrations import MIGRATIONS, migrate
from ser_batch.tables.operation import ACCESS_LOG, ERASED, QUARANTINE, RUNS
from ser_batch.tables.scores import DRIFT, PREDICTIONS, PROFILES, predictions_contract
from ser_batch.tables.transcripts import TRANSCRIPTS

WRITTEN_ANY_TIME = (LABELS, ACCESS_LOG)
"""Tables that people write while a run is at work: each under a lock of its own."""

IRREPLACEABLE = (FILES, METADATA, LABELS, LABEL_QUEUE, ERASED, RUNS, ACCESS_LOG)
"""Tables whose rows nothing else says: the lake keeps every part of them twice."""

__all__ = [
    "ACCESS_LOG",
    "CALLS",
    "CHANNELS",
    "DRIFT",
    "ERASED",
    "FILES",
    "IRREPLACEABLE",
    "LABELS",
    "LABEL_QUEUE",
    "METADATA",
    "MIGRATIONS",
    "PREDICTIONS",
    "PROFILES",
    "QUARANTINE",
    "RECORDINGS",
    "RUNS",
    "SEGMENTS",
    "TRANSCRIPTS",
    "WRITTEN_ANY_TIME",
    "Packed",
    "TableContract",
    "column",
    "doc",
    "features_contract",
    "migrate",
    "predictions_contract",
]
