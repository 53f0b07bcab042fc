"""The documentation of tables and columns, kept in the published file as comments."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from ser_batch.errors import WarehouseError
from ser_batch.warehouse.models import Model
from ser_batch.warehouse.sources import quoted, source_docs


def document(
    con: duckdb.DuckDBPyConnection, models: Sequence[Model], commented: Sequence[Model] = ()
) -> None:
    """Comment every table with its grain and every column with its meaning and unit.

    A column that a model only passes on keeps the doc of the table where it was made.

    Args:
        con: to the file that is being built
        models: all, in the order of what they read
        commented: those whose tables were there before and keep their comments

    Raises:
        WarehouseError: if a column has no doc, or a doc no column
    """
    docs = source_docs()
    for model in models:
        inherited = {
            column: text
            for table in sorted(model.reads & docs.keys())
            for column, text in docs[table].items()
        }
        docs[model.name] = {**inherited, **model.column_docs}
        if model not in commented:
            _comment(con, model, docs[model.name])


def _comment(con: duckdb.DuckDBPyConnection, model: Model, docs: dict[str, str]) -> None:
    columns = [row[0] for row in con.execute(f"describe {model.name}").fetchall()]
    strays = [name for name in model.column_docs if name not in columns]
    bare = [name for name in columns if name not in docs]
    if strays or bare:
        raise WarehouseError(
            f"model {model.name}: documents missing columns {strays}, does not document {bare}"
        )
    comments = [f"comment on table {model.name} is {quoted(model.grain)}"]
    comments += [
        f"comment on column {model.name}.{name} is {quoted(docs[name])}" for name in columns
    ]
    con.execute("; ".join(comments))
