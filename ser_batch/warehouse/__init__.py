"""The DuckDB warehouse: built from the lake by `sql/`, tested, and published by a swap.

Staging tables and marts stand side by side in one file that refers to nothing outside itself, so
it can be copied and opened anywhere.
"""

from ser_batch.warehouse.build import BuildResult, build, swap_in
from ser_batch.warehouse.published import ColumnDoc, TableDoc, connect, describe, model_of, query
from ser_batch.warehouse.sources import quoted

__all__ = [
    "BuildResult",
    "ColumnDoc",
    "TableDoc",
    "build",
    "connect",
    "describe",
    "model_of",
    "query",
    "quoted",
    "swap_in",
]
