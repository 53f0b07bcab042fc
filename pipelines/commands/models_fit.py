"""Commands that fit the champion to a root: models align, models calibrate."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pipelines.commands.models import user_name
from pipelines.options import (
    DEFAULT_ROOT,
    JsonOption,
    RootOption,
    SettingsOption,
    open_root,
    print_json,
    read_settings,
)


def align(
    days: Annotated[int, typer.Option(min=1, help="Latest call dates to adapt to.")] = 28,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Adapt the champion to the channels and voices of this root's calls; no labels are needed.

    Telephone channels, languages and microphones shift the features of every caller alike; this
    subtracts that shift. The new model is registered and scores once it is promoted.

    Example:

      ser-batch models align --days 28
    """
    from ser_batch.store.lock import only_run
    from ser_batch.training.align import align as align_champion

    place = open_root(root)
    with only_run(place):
        found = align_champion(place, read_settings(place, settings), days=days, who=user_name())
    if as_json:
        print_json({**asdict(found), "bundle": found.bundle.model_id})
        return
    typer.echo(
        f"{found.bundle.model_id}: fitted to {found.n_calls} calls, {found.n_segments} segments, "
        f"of {found.first} to {found.last}.\nIt scores once you promote it: ser-batch models "
        f'promote {found.bundle.folder.name} --why "…"'
    )


def calibrate(
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Refit the champion's probability of dissatisfaction to this root's random labels.

    The ranking of segments does not change. A new model is registered only if it predicts labels of
    callers that it was not fitted to better. It scores once it is promoted; `models rollback`
    undoes that.

    Example:

      ser-batch models calibrate
    """
    from ser_batch.store.lock import only_run
    from ser_batch.training.calibrate import calibrate as calibrate_champion

    place = open_root(root)
    with only_run(place):
        found = calibrate_champion(place, read_settings(place, settings), who=user_name())
    refit = found.refit
    if as_json:
        print_json({"bundle": found.bundle.model_id, **refit.as_dict()})
        return
    slope = "kept" if refit.slope is None else _with_interval(refit.calibration.slope, refit.slope)
    typer.echo(
        f"{found.bundle.model_id}: refitted to {refit.n_labels} random labels of "
        f"{refit.n_callers} callers: slope {slope}, offset "
        f"{_with_interval(refit.calibration.offset, refit.offset)}.\nOn callers that it was not "
        f"fitted to: log loss {refit.loss_before:.3f} → {refit.loss_after:.3f}, ECE "
        f"{refit.ece_before:.3f} → {refit.ece_after:.3f}.\nIt scores once you promote it: "
        f'ser-batch models promote {found.bundle.folder.name} --why "…"'
    )


def _with_interval(value: float, interval: tuple[float, float]) -> str:
    return f"{value:.2f} ({interval[0]:.2f} to {interval[1]:.2f})"
