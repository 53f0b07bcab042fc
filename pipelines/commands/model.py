"""Commands of the model room: train, models, corpus."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

models_app = typer.Typer(no_args_is_help=True, help="Model bundles.")
corpus_app = typer.Typer(no_args_is_help=True, help="Labelled corpora.")

CorporaOption = Annotated[
    Path, typer.Option("--corpora", help="Folder below which each corpus has its own.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


class BandName(StrEnum):
    """What clips are sent through."""

    telephone = "telephone"
    wide = "wide"


def train(
    corpora: CorporaOption,
    corpus: Annotated[
        list[str] | None, typer.Option(help="Corpus to train on; may be given several times.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the bundle; its name is the model's.")
    ] = None,
    band: Annotated[BandName, typer.Option(help="What the clips are sent through.")] = (
        BandName.telephone
    ),
    as_json: JsonOption = False,
) -> None:
    """Train a model on labelled corpora and write it as a bundle with its card.

    The figures are of speakers that the model had not heard. The bundled model is made by
    `ser-batch train --corpora DIR --corpus emodb --out data/bundled/emodb-telephone`.
    """
    from ser_batch.corpora.build import build_bundle

    names = corpus or ["emodb"]
    folder = out or Path("data/models") / f"{'-'.join(names)}-{band.value}"
    with _progress_bar() as on_progress:
        bundle = build_bundle(corpora, names, folder, band=band.value, on_progress=on_progress)
    _show(bundle.folder, as_json=as_json)


@models_app.command("show")
def show(
    folder: Annotated[
        Path | None, typer.Argument(help="Bundle; without it, the one that comes along.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What a model was made from, what it is good for, and how good it is."""
    from ser_batch.model.bundle import default_bundle_path

    _show(folder or default_bundle_path(), as_json=as_json)


@corpus_app.command("import")
def import_corpus(
    kind: Annotated[str, typer.Argument(help="emodb, nemo, ravdess or tess.")],
    folder: Annotated[Path, typer.Argument(help="Folder of the corpus.")],
    out: Annotated[Path | None, typer.Option(help="CSV file; without it, the terminal.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Labels of a corpus, read from its own file names."""
    from ser_batch.corpora import get_corpus
    from ser_batch.corpora.labels import labels_csv, summary

    clips = get_corpus(kind).read(folder)
    text = labels_csv(clips, folder)
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(summary(clips)))
    elif out is None:
        typer.echo(text, nl=False)
    else:
        typer.echo(f"{len(clips)} clips → {out}")


@contextmanager
def _progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on the error stream, told what is being done, how far, of how much."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def on_progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done)

        yield on_progress


def _show(folder: Path, *, as_json: bool) -> None:
    from ser_batch.model.bundle import Bundle

    bundle = Bundle.load(folder)
    if as_json:
        typer.echo(json.dumps({**_described(bundle), "evaluation": bundle.evaluation}))
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    console.print(Markdown((folder / "CARD.md").read_text(encoding="utf-8")))
    console.print(f"\n{bundle.model_id}  {folder}")


def _described(bundle: Any) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "model_id": manifest.model_id,
        "folder": str(bundle.folder),
        "feature_set": manifest.feature_set,
        "n_features": len(manifest.feature_names),
        "classes": list(manifest.classes),
        "band": manifest.band,
        "licence": manifest.licence,
        "training": list(manifest.training),
    }
