"""Commands `bench features`, `bench models`, `bench ablation` and `bench ood`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands.bench import demo_recordings, print_figures
from pipelines.inputs import (
    CorporaOption,
    check_inputs,
    given_corpora,
)
from pipelines.options import (
    DEFAULT_ROOT,
    JsonOption,
    RootOption,
    SettingsOption,
    open_root,
    print_json,
    read_settings,
)
from pipelines.terminal import progress_bar, show_lines, show_table

SHOWN_BESIDE = 4
"""Columns of `bench models` side by side."""


def bench_features(
    calls: Annotated[Path, typer.Option(help="Folder of WAV recordings to compute features of.")],
    minutes: Annotated[float, typer.Option(min=0.1, help="Minutes of speech.")] = 10.0,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Features: × real time per core, beside librosa and, if it is installed, openSMILE.

    Example:

      ser-batch bench features --calls /calls --minutes 10 --json
    """
    from ser_batch.lab.bench.features import run

    found = sorted(path for path in calls.rglob("*") if path.suffix.lower() == ".wav")
    values = read_settings(open_root(root), settings)
    check_inputs(None, feature_sets=[values.features.set])
    result = run(found, values, minutes=minutes)
    if as_json:
        print_json(result)
    else:
        _show_speeds(result)


def bench_models(
    corpora: CorporaOption = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROW",
            help="Row of the table, such as 'shipped recipe', SVM or MLP; may be repeated. Without "
            "it, all; --computed names them.",
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column to compute, such as EmoDB or 'unseen nemo'; may be repeated. Without it, "
            "all.",
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            help="Compute at most so many folds of each column; its figure says of how many it is.",
            min=1,
        ),
    ] = None,
    computed: Annotated[
        bool,
        typer.Option("--computed", help="Show what earlier runs computed, and compute nothing."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """The shipped recipe beside LightGBM, SVM, logistic regression, MLP, networks and openSMILE.

    UAR on EmoDB, RAVDESS, CREMA-D, on corpora that are left out, on classes of sex and emotion and
    from few labels, on unseen speakers; core seconds an hour of calls, size, minutes of training.
    The whole table takes hours of a core. Each figure is kept: a run that was killed goes on where
    it was, and --computed shows what there is. Networks need ser-batch\\[neural], openSMILE's sets
    the package opensmile; without them these rows are left out.

    Examples:

      ser-batch bench models --corpora DIR

      ser-batch bench models --corpora DIR --only SVM --only "logistic regression" --json

      ser-batch bench models --corpora DIR --only MLP --column CREMA-D --folds 1
    """
    from platformdirs import user_cache_path

    from ser_batch.errors import DependencyError
    from ser_batch.lab.bench.models.material import Material
    from ser_batch.lab.bench.models.run import Table, chosen_columns, chosen_rows, run

    rows, columns = chosen_rows(only or ()), chosen_columns(column or ())
    for row in rows if only else ():
        if why := row.missing():
            raise DependencyError(f"{row.name} cannot be run: {why}")
    folder, cache = given_corpora(corpora), user_cache_path("ser-batch")
    with progress_bar() as on_progress:
        material = Material(folder, cache / "bench-encoder", on_progress)
        table = Table(
            material,
            cache / "bench-models",
            demo_recordings(),
            computes=not computed,
            columns=columns,
            most_folds=folds,
        )
        result = run(table, rows)
    print_json(result) if as_json else _show_models(result)


def bench_ablation(
    corpora: CorporaOption = None,
    features: Annotated[
        list[str] | None,
        typer.Option(help="Feature set to compare; may be repeated. Without it, the default ones."),
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(
            help="feature set, left out, F0 ceiling, copies or normalisation; may be repeated. "
            "Without it, all."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The choices behind the bundled models: what is left out, normalised, augmented.

    One logistic regression a variant, on EmoDB and CREMA-D, each left out in turn, and on the
    other corpora of the folder by a model of both.

    Example:

      ser-batch bench ablation --corpora DIR --features encoder_v2 --topic normalisation
    """
    from platformdirs import user_cache_path

    from ser_batch.config import FeatureSettings
    from ser_batch.lab.bench.ablation import CHOICE, TOPICS, run

    names = features or [FeatureSettings().set]
    unknown = sorted(set(topic or ()) - set(TOPICS))
    if unknown:
        raise typer.BadParameter(
            f"{unknown[0]!r} is none of {', '.join(TOPICS)}", param_hint="--topic"
        )
    check_inputs(None, feature_sets=names)
    folder = given_corpora(corpora, CHOICE)
    with progress_bar() as on_progress:
        rows = run(
            folder,
            names,
            topics=topic or TOPICS,
            cache=user_cache_path("ser-batch") / "bench-encoder",
            on_progress=on_progress,
        )
    print_json({"rows": rows}) if as_json else _show_ablation(rows)


def _show_ablation(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("AUC of anger", *rows[0]["auc"], "together")
    headings = [f"{row['topic']}, {row['features']}" for row in rows]
    for number, row in enumerate(rows):
        if headings[number] not in headings[:number]:
            table.add_section()
            table.add_row(f"[bold]{headings[number]}[/]")
        figures = (*row["auc"].values(), row["auc_pooled"])
        table.add_row(row["name"], *("-" if one is None else f"{one:.3f}" for one in figures))
    Console().print(table)


def _show_speeds(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    title = f"{result['audio_s'] / 60:.1f} min of speech in {result['n_segments']} segments"
    title += f", {result['bytes_a_segment']:,.0f} bytes each in the lake"
    table = Table("", "× real time per core", "ours is × as fast", title=title)
    table.add_row(f"ours, {result['n_features']} features", f"{result['ours']['extract']:,.0f}")
    for name, speed in result["peers"].items():
        table.add_row(name.replace("_", " "), f"{speed:,.1f}", f"{result['ratios'][name]:.1f}")
    Console().print(table)


def _show_models(result: dict[str, Any]) -> None:
    """UAR in percent a column, then what the models cost."""
    columns = result["columns"]
    for begin in range(0, len(columns), SHOWN_BESIDE):
        names = [column["name"] for column in columns[begin : begin + SHOWN_BESIDE]]
        show_table(
            ("UAR, % (95 %)", *names),
            ((row["row"], *(_uar(row["cells"][name]) for name in names)) for row in result["rows"]),
        )
    costs = ("core s an hour of calls", "minutes of training", "MB")
    show_table(("", "features", *costs), (_costs(row) for row in result["rows"]))
    if any(cell and cell["known_to"] for row in result["rows"] for cell in row["cells"].values()):
        show_lines(
            "*: the corpus guided choices, or the encoder was trained on it (--json: by whom)"
        )
    for column in columns:
        size = f"{column['n_clips']} clips of {column['n_speakers']} speakers"
        show_lines(f"{column['name']}: {column['says']}; {size}", style="dim")
    for name, why in result["not_run"].items():
        show_lines(f"not run: {name} ({why})", markup=False)


def _uar(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return "-"
    low, high = (100 * cell[f"uar_{end}"] for end in ("low", "high"))
    some = f" {cell['n_folds']}/{cell['of_folds']} folds" * (cell["n_folds"] < cell["of_folds"])
    return f"{100 * cell['uar']:.1f} ({low:.0f}-{high:.0f}){some}" + "*" * bool(cell["known_to"])


def _costs(row: dict[str, Any]) -> tuple[str, ...]:
    figures = (row["core_s_an_hour"], row["training_min"], row["n_bytes"] and row["n_bytes"] / 1e6)
    return (row["row"], row["features"], *("-" if one is None else f"{one:.3g}" for one in figures))


def bench_ood(
    corpora: CorporaOption = None,
    model: Annotated[
        Path | None, typer.Option(help="Bundle; without it, the bundled model.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Take only every Nth clip.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Share of each kind of sound that is out of distribution: speech, music, noise.

    Environmental sounds and calls are measured too where noise/ and calls/ lie beside the corpora.

    Examples:

      ser-batch bench ood --corpora DIR

      ser-batch bench ood --corpora DIR --model MODEL --every 1 --json
    """
    from ser_batch.config import Settings
    from ser_batch.lab.bench.ood import Sources, run
    from ser_batch.scoring.bundle import Bundle, default_bundle_path

    bundle = Bundle.load(model or default_bundle_path())
    check_inputs(corpora, feature_sets=[bundle.feature_set])
    folder = given_corpora(corpora)
    noise, calls = (
        place if place.is_dir() else None for place in (folder / "noise", folder / "calls")
    )
    with progress_bar() as on_progress:
        sources = Sources(folder, every, noise, calls)
        result = run(bundle, Settings(), sources, on_progress=on_progress)
    print_figures(result, as_json=as_json)
