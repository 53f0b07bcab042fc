"""Command `docs`: the tables of the warehouse as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.options import DEFAULT_ROOT, JsonOption, RootOption, existing_root, print_json


def docs(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File; without it, docs.html beside the warehouse."),
    ] = None,
    root: RootOption = DEFAULT_ROOT,
    as_json: JsonOption = False,
) -> None:
    """Write a page of the warehouse's tables: columns, units, lineage, functions, cookbook.

    The page is one file and works offline.

    Examples:

      ser-batch docs

      ser-batch docs -o warehouse.html
    """
    from ser_batch.report.docs import render_docs
    from ser_batch.store.atomic import write_text_atomic

    target = existing_root(root, only="warehouse").warehouse
    page = output or target.with_name("docs.html")
    write_text_atomic(page, render_docs(target))
    if as_json:
        print_json({"page": str(page)})
    else:
        typer.echo(page)
