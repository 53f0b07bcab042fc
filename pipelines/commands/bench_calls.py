"""Command `bench calls`: the call-level benchmark, and the operating point of the flag."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.inputs import (
    AugmentationsOption,
    CorporaOption,
    Objective,
    ObjectiveOption,
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

ROWS = {
    "segment AUC": "segment_auc",
    "segment ECE": "segment_ece",
    "rank correlation": "spearman",
    "  of the plain mean": "spearman_plain_mean",
    "worst tenth half angry": "precision_at_10",
    "  by the plain mean": "precision_at_10_plain_mean",
    "  of all calls": "half_angry_share",
    "flag: precision": "flag_precision",
    "flag: recall": "flag_recall",
    "  a third angry": "third_angry_share",
    "  finds furious ends": "furious_end_recall",
    "  flags calm calls": "calm_flagged_share",
    "arcs right": "arc_accuracy",
    "  mean of three recalls": "arc_recall",
    "  steady calls": "steady_share",
    "scored speech": "coverage",
}
"""Label of each row of the table, and its figure."""

FLAG_COLUMNS = ("whole", "end", "precision", "recall", "furious end")
SHOWN_AROUND = 0.05
"""Levels this near the chosen ones are shown."""


def bench_calls(
    corpora: CorporaOption = None,
    train_on: Annotated[
        list[str] | None,
        typer.Option("--train", help="Train on this corpus instead; may be repeated."),
    ] = None,
    test_on: Annotated[
        list[str] | None,
        typer.Option(
            "--test", help="Corpus to simulate calls of; may be repeated. Without it, all."
        ),
    ] = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option(help="CSV of your own clips as one more unseen corpus; may be repeated."),
    ] = None,
    calls: Annotated[int, typer.Option(min=10, help="Calls of each seed.")] = 200,
    seeds: Annotated[
        int, typer.Option(min=1, help="Number of seeds; each simulates other calls.")
    ] = 3,
    tune_flag: Annotated[
        bool,
        typer.Option(
            "--tune-flag",
            help="Precision and recall of the flag by its limits, and the best limits.",
        ),
    ] = False,
    context: Annotated[
        bool,
        typer.Option(
            "--context",
            help="Also a head that reads each call's segments in order; needs --train.",
        ),
    ] = False,
    augmentations: AugmentationsOption = None,
    optimise_for: ObjectiveOption = Objective.cross_domain,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ranking, flag and arc of simulated calls whose truth is known.

    Calls are simulated from labelled clips, pass the night's analysis, and are scored with the
    product's decisions. Without --train it is the model in use, on corpora that it never saw.

    Examples:

      ser-batch bench calls --corpora DIR

      ser-batch bench calls --corpora DIR --tune-flag

      ser-batch bench calls --corpora DIR --train emodb --train cremad --context --json
    """
    from platformdirs import user_cache_path

    from ser_batch.features.sets import get_feature_set
    from ser_batch.lab.bench.calls import Task, measure
    from ser_batch.lab.bench.scored_calls import Benchmark
    from ser_batch.scoring.choose import load_model
    from ser_batch.training.setup import TrainingSetup

    place = open_root(root)
    values = read_settings(place, settings)
    bundle = None if train_on else load_model(place, values)
    features = bundle.feature_set if bundle else values.features.set
    check_inputs(corpora, tables=labels or (), feature_sets=[features])
    task = Task(
        corpora=given_corpora(corpora, [*(train_on or ()), *(test_on or ())]),
        bundle=bundle,
        train_on=tuple(train_on or ()),
        test_on=tuple(test_on or ()),
        labels=tuple(labels or ()),
        setup=TrainingSetup.choose(
            features=features, copies=augmentations, optimise_for=optimise_for.value
        ),
    )
    with progress_bar() as on_progress:
        benchmark = Benchmark(
            settings=values,
            feature_set=get_feature_set(features),
            n_calls=calls,
            seeds=tuple(range(1, seeds + 1)),
            cache=user_cache_path("ser-batch") / "bench-simulated-calls",
            on_progress=on_progress,
        )
        result = measure(task, benchmark, tune=tune_flag, context=context)
    if as_json:
        print_json(result)
        return
    _show(result["ours"])
    if "context" in result:
        _show_context(result["context"])
    if "flag" in result:
        _show_flag(result["flag"])


def _show_context(found: dict[str, Any]) -> None:
    """A row a figure: by single segments, within the call, and the difference."""
    columns = [found[name] for name in ("plain", "in_context", "gain")]
    show_table(
        ("unseen corpora (95 % over customers)", "segments alone", "within the call", "gain"),
        ((name, *(_figure(column[name]) for column in columns)) for name in found["gain"]),
    )


def _show(settings: list[dict[str, Any]]) -> None:
    show_table(
        ("(95 % over customers)", *(one["setting"] for one in settings)),
        (
            (label, *(_figure(one["figures"][name]) for one in settings))
            for label, name in ROWS.items()
        ),
    )
    for one in settings:
        show_lines(
            f"{one['setting']}: {'+'.join(one['trained_on'])} → {'+'.join(one['tested_on'])}, "
            f"{one['n_calls']} calls of {one['n_customers']} customers, seeds: {one['n_seeds']}",
            style="dim",
        )
    columns = ("corpus", "calls", "AUC", "rank", "precision", "recall", "known to")
    show_table(columns, _corpus_rows(settings))


def _corpus_rows(settings: list[dict[str, Any]]) -> Iterator[Sequence[str]]:
    names = ("segment_auc", "spearman", "flag_precision", "flag_recall")
    for one in settings:
        yield ()
        yield (f"[bold]{one['setting']}[/]",)
        for corpus, part in one["by_corpus"].items():
            values = (part["figures"][name]["value"] for name in names)
            shown = (_number(value, 2) for value in values)
            yield (corpus, str(part["n_calls"]), *shown, _known_to(part))


def _known_to(part: dict[str, Any]) -> str:
    """Who has seen the corpus before: its figures may flatter."""
    found = ["our choices"] if part["guided_choices"] else []
    if part["encoder_labelled"]:
        found.append("the encoder, with labels")
    elif part["encoder_exposed"]:
        found.append("the encoder, without labels")
    return ", ".join(found) or "nobody"


def _figure(figure: dict[str, float | None]) -> str:
    if figure["value"] is None:
        return "-"
    interval = "" if figure["low"] is None else f" ({figure['low']:.2f} to {figure['high']:.2f})"
    return f"{figure['value']:.2f}{interval}"


def _number(value: float | None, places: int) -> str:
    return "-" if value is None else f"{value:.{places}f}"


def _show_flag(flag: dict[str, Any]) -> None:
    title = f"flag: {flag['n_calls']} calls, {flag['base_rate']:.0%} of them at least a third angry"
    show_table(("", *FLAG_COLUMNS), _flag_rows(flag), title=title)
    show_table(
        ("index", "rank", "by corpus", "worst 10th", *FLAG_COLUMNS[2:]),
        (
            (
                name,
                _number(found["spearman"], 3),
                " ".join(_number(value, 2) for value in found["spearman_by_corpus"].values()),
                _number(found["precision_at_10"], 3),
                *_point(found["point"])[2:],
            )
            for name, found in flag["indices"].items()
        ),
    )
    show_lines(
        f"dissatisfaction.call_threshold = {flag['chosen']['call_threshold']:g}, "
        f"dissatisfaction.end_threshold = {flag['chosen']['end_threshold']:g}"
    )


def _flag_rows(flag: dict[str, Any]) -> Iterator[Sequence[str]]:
    chosen_level = flag["chosen"]["call_threshold"]
    yield ("in use", *_point(flag["in_use"]))
    yield ("best", *_point(flag["chosen"]))
    yield ("best, whole call alone", *_point(flag["whole_call_alone"]))
    for name, point in flag["left_out"].items():
        yield (f"{name}, by the others", *_point(point))
    yield ()
    for point in flag["near"]:
        if abs(point["call_threshold"] - chosen_level) < SHOWN_AROUND:
            yield ("other whole call", *_point(point))
    yield ()
    for point in flag["ends"][4::5]:
        if point["end_threshold"] > chosen_level:
            yield ("other end", *_point(point))


def _point(point: dict[str, float]) -> list[str]:
    names = ("call_threshold", "end_threshold", "precision", "recall", "furious_end_recall")
    return [f"{point[name]:.2f}" for name in names]
