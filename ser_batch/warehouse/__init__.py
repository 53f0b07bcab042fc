"""The DuckDB warehouse: built from the lake by `sql/`, tested, and published by a swap.

Staging tables and marts stand side by side in one file that refers to nothing outside itself, so
it can be copied and opened anywhere.
"""

from ser_batch.warehouse.build import BuildResult, build
from ser_batch.warehouse.published import TableDoc, connect, describe, query

__all__ = ["BuildResult", "TableDoc", "build", "connect", "describe", "query"]
