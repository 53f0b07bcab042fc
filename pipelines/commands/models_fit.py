"""Commands that fit the champion to a root: models align, calibrate and fit-words."""

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


def fit_words(
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a model of words to this root's labels, and fuse it with the champion.

    It needs policy.transcripts and labelled segments with words. It is written only if it ranks
    labelled segments of callers that it was not fitted to better than the voice alone, and then
    scores from the next night on. `ser-batch retrain` fits it too. Words are counted (TF-IDF), or
    read by the sentence embeddings of a folder, transcripts.sentences.

    Example:

      ser-batch models fit-words
    """
    from ser_batch.scoring.choose import load_model
    from ser_batch.store.lock import only_run
    from ser_batch.training.words import fit_words as fit_words_of

    place = open_root(root)
    chosen = read_settings(place, settings)
    with only_run(place):
        found = fit_words_of(place, chosen, load_model(place, chosen))
    if as_json:
        print_json(asdict(found))
        return
    read = f"{found.n_terms} terms" if found.n_terms else "by sentence embeddings"
    typer.echo(
        f"Words of {found.n_learnt} labelled segments, {read}.\nOn "
        f"{found.n_measured} segments of {found.n_callers} callers that no part was fitted to "
        f"({found.n_with_words} with known words): AUC of the voice {found.auc_voice:.3f}, of "
        f"words {found.auc_words:.3f}, of both {found.auc_fused:.3f} (gain {found.auc_gain:.3f}, "
        f"at least {found.auc_gain_low:.3f}).\nThe next night scores with both."
    )


def _with_interval(value: float, interval: tuple[float, float]) -> str:
    return f"{value:.2f} ({interval[0]:.2f} to {interval[1]:.2f})"
