"""Commands of retraining: retrain, rescore, drift, bench retraining."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.decision_tables import show_contest
from pipelines.display import Display
from pipelines.inputs import CorporaOption, check_inputs, given_corpora
from pipelines.logs import start_log, writes_json
from pipelines.options import (
    DEFAULT_ROOT,
    JsonOption,
    LogFormatOption,
    RootOption,
    SettingsOption,
    existing_root,
    print_json,
    read_settings,
)
from pipelines.terminal import show_lines, show_table
from ser_batch.progress import LogFormat


def retrain(
    promote: Annotated[
        bool, typer.Option(help="Let the new model take over if it is better.")
    ] = True,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    log_format: LogFormatOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model on the labels; promote it if it is better on held-out callers.

    Emotions with too few labels are left out, with a warning; where fewer than two emotions are
    left it stops. A model that is not better, or worse for one queue, stays a challenger, with the
    reasons. Its settings: the table retrain.

    Examples:

      ser-batch retrain

      SER_RETRAIN__CORPORA='["emodb"]' SER_RETRAIN__CORPORA_FOLDER=/corpora ser-batch retrain
    """
    result = run_retrain(root, settings, promote=promote, quiet=as_json, log_format=log_format)
    if as_json:
        print_json(result)
    elif not writes_json():
        _show_retrained(result)


def run_retrain(
    root: Path,
    settings: Path | None,
    *,
    promote: bool,
    quiet: bool,
    log_format: LogFormat | None = None,
) -> dict[str, Any]:
    """The flow, with a quiet Prefect; wrong roots and settings are reported before it starts.

    Raises:
        NoRootError: if there is no root
        SettingsError: naming the key that is wrong
    """
    from pipelines.prefect_api import prefect_api
    from ser_batch.store.lock import only_run

    place = existing_root(root)
    found = read_settings(place, settings)
    has_bars = start_log(log_format or found.run.log_format, quiet=quiet)
    with only_run(place):  # another run is named before Prefect starts
        pass
    with prefect_api(place, _flow) as flow:
        result: dict[str, Any] = flow(
            root=str(root),
            settings_file=str(settings) if settings else None,
            promote=promote,
            quiet=not has_bars,
        )
    return result


def _flow() -> Any:
    from pipelines.retrain import retrain

    return retrain


def rescore(
    model: Annotated[str, typer.Option(help="Model that scores; `models list` names them.")],
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First call date.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last call date.")
    ] = None,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score past calls with another model; marts and reports keep showing the champion.

    The mart model_comparison then shows what the model would change.

    Example:

      ser-batch rescore --model calls-3f2a91c0 --since 2026-10-01
    """
    from ser_batch.scoring.choose import model_id
    from ser_batch.scoring.models import usable
    from ser_batch.stages.publish import publish
    from ser_batch.stages.rescore import rescore as rescore_calls
    from ser_batch.store.lake import Lake
    from ser_batch.store.lock import only_run

    place = existing_root(root)
    chosen = read_settings(place, settings)
    bundle = usable(place, chosen, model)
    first, last = (day.date() if day else None for day in (since, until))
    with only_run(place), Display(quiet=as_json) as display:
        result = rescore_calls(
            Lake(place.lake),
            chosen,
            bundle,
            since=first,
            until=last,
            on_shard=lambda done, total: display.reach("rescore", done, total),
        )
        publish(place, chosen, model_id(place, chosen))
    if as_json:
        print_json(asdict(result))
    else:
        typer.echo(
            f"{result.model_id}: {result.n_segments} segments scored in {result.n_shards} shards, "
            f"{result.n_current} shards were scored before"
        )
        if days := result.past_retention:
            typer.echo(
                f"{len(days)} call dates from {days[0]} to {days[-1]} cannot be scored: what the "
                "model would read is past its retention"
            )


_FIGURES = ("psi", "psi_expected")


def drift(
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the newest calls with earlier ones and with the training data.

    Every night computes this; the mart drift has each day.

    Example:

      ser-batch drift --json
    """
    from ser_batch.scoring.choose import model_id
    from ser_batch.stages.drift import newest_drift
    from ser_batch.store.lake import Lake

    place = existing_root(root)
    in_use = model_id(place, read_settings(place, settings))
    rows = newest_drift(Lake(place.lake), in_use)
    if as_json:
        print_json({"model_id": in_use, "drift": rows})
        return
    if not rows:
        show_lines("No night has compared calls yet.")
        return
    show_table(
        ("what", "against", "index", "expected", "status", "what to do"),
        (
            (
                f"{row['subject']}: {row['name']}",
                row["reference"],
                *("" if row[name] is None else f"{row[name]:.2f}" for name in _FIGURES),
                row["status"],
                row["advice"] or "",
            )
            for row in rows
        ),
    )
    if rows[0]["model_id"] != in_use:
        show_lines(
            f"These rows are of {rows[0]['model_id']}, {rows[0]['call_date']}; the next night "
            f"compares by {in_use}, which was promoted since."
        )


def bench_retraining(
    corpora: CorporaOption = None,
    corpus: Annotated[
        str, typer.Option(help="Corpus whose speakers are labelled and tested on.")
    ] = "ravdess",
    draws: Annotated[int, typer.Option(min=1, help="Number of random splits of its speakers.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """What labels are worth: recall on unseen speakers after each 50, by queue and by chance.

    Example:

      ser-batch bench retraining --corpora DIR --corpus ravdess --json
    """
    from ser_batch.lab.bench.retraining import START, run
    from ser_batch.scoring.bundle import default_bundle_path
    from ser_batch.scoring.manifest import read_manifest

    check_inputs(None, feature_sets=[read_manifest(default_bundle_path()).feature_set])
    folder = given_corpora(corpora, [START, corpus])
    with Display(quiet=as_json) as display:
        result = run(folder, corpus, draws=draws, on_progress=display.reach)
    if as_json:
        print_json(result)
        return
    show_table(
        ("labels", *result["uar"]),
        (
            (str(n_labels), *(f"{curve[i]:.3f}" for curve in result["uar"].values()))
            for i, n_labels in enumerate(result["labels"])
        ),
        title=f"UAR, {corpus}, speakers never labelled",
    )
    show_lines(
        f"{result['gain_at_200']:+.1f} points of UAR with the last step's labels by queue, "
        f"{result['gain_at_200_by_chance']:+.1f} by chance; for the same recall the queue saves "
        f"{result['labels_saved']:.0f} labels (below 0: chance does)"
    )


def _show_retrained(result: dict[str, Any]) -> None:
    labels = ", ".join(f"{count:g} {name}" for name, count in result["labels"].items())
    typer.echo(
        f"{result['model_id']}: {result['n_labels']} labels of {result['n_callers']} callers"
    )
    typer.echo(f"  {labels}")
    for reason, count in result["not_used"].items():
        typer.echo(f"  {count} labels not used: {reason}")
    for numbers in result["too_few_labels"]:
        typer.echo(f"  warning: left out, not learned: {numbers}")
    if result["comparison"] is not None:
        show_contest({"champion": "champion", "challenger": "challenger", **result["comparison"]})
    verdict = "It scores from the next night on" if result["promoted"] else "It stays a challenger"
    typer.echo(f"{verdict}: {'; '.join(result['reasons'])}")
    if words := result.get("words"):
        gain = "AUC of the voice {auc_voice:.3f}, of both {auc_fused:.3f}"
        typer.echo(f"Words: {words.get('reason') or gain.format(**words)}")
