"""Command `corpus import`: the labels of a corpus's file names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.options import JsonOption, print_json

app = typer.Typer(no_args_is_help=True, help="Labelled corpora.")


@app.command("import")
def import_corpus(
    kind: Annotated[
        str, typer.Argument(help="cremad, emodb, iemocap, nemo, ravdess, savee, tess or urdu.")
    ],
    folder: Annotated[Path, typer.Argument(help="Folder of the corpus.")],
    out: Annotated[Path | None, typer.Option(help="CSV file; without it, the terminal.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List a corpus's clips with speaker and emotion, read from its own file names.

    Examples:

      ser-batch corpus import ravdess DIR/ravdess --out ravdess.csv

      ser-batch train --labels ravdess.csv --out MODEL
    """
    from ser_batch.corpora import get_corpus
    from ser_batch.corpora.labels import labels_csv, summary

    clips = get_corpus(kind).read(folder)
    text = labels_csv(clips, folder)
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if as_json:
        print_json(summary(clips))
    elif out is None:
        typer.echo(text, nl=False)
    else:
        typer.echo(f"{len(clips)} clips → {out}")
