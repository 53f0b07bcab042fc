"""Whether an adapted encoder takes over from the one that it began as, and the log of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ser_batch.corpora.base import Clip
from ser_batch.features.encoders.local import LocalEncoder
from ser_batch.features.sets import get_feature_set
from ser_batch.training.crossvalidate import cross_validate
from ser_batch.training.describe import describe_clips
from ser_batch.training.recipes import recipe_for

LOG = "encoders.jsonl"
LEAST_FALL = 0.01
"""Share of the error of held-out recordings that an adaptation must take away."""

MOST_UAR_FALL = 0.005
MOST_FOLDS = 5


@dataclass(frozen=True)
class EncoderComparison:
    """An adapted encoder beside the one that it began as.

    Attributes:
        name, former: of both
        error, former_error: of recordings that neither was adapted to, in standard deviations
        uar, former_uar: on labelled clips of unseen speakers; None without labels
        adopted: whether the adapted one takes over
        why: in words
    """

    name: str
    former: str
    error: float
    former_error: float
    uar: float | None
    former_uar: float | None
    adopted: bool
    why: tuple[str, ...]


def contest(
    encoder: LocalEncoder, former: LocalEncoder, labelled: Sequence[Clip] = ()
) -> EncoderComparison:
    """Compare an adapted encoder with the one that it began as.

    Args:
        encoder: as `run.distill` wrote it, with its held-out error before and after
        former: the one that it began as
        labelled: clips of at least two speakers, none of which need be of its recordings
    """
    held_out = encoder.manifest["held_out"]
    error, former_error = float(held_out["error"]), float(held_out["error_before"])
    uar, former_uar = (uar_of(one, labelled) if labelled else None for one in (encoder, former))
    why, adopted = _verdict(error, former_error, uar, former_uar)
    return EncoderComparison(
        encoder.name, former.name, error, former_error, uar, former_uar, adopted, tuple(why)
    )


def _verdict(
    error: float, former_error: float, uar: float | None, former_uar: float | None
) -> tuple[list[str], bool]:
    fall = 1 - error / former_error if former_error > 0 else float("nan")
    why = [
        f"error of held-out recordings {former_error:.3f} → {error:.3f} ({-100 * fall:+.1f} %), "
        f"wanted {-100 * LEAST_FALL:+.0f} % or better"
    ]
    adopted = bool(np.isfinite(fall) and fall >= LEAST_FALL)
    if uar is not None and former_uar is not None:
        why.append(
            f"UAR on labelled clips {former_uar:.3f} → {uar:.3f}, "
            f"at most {MOST_UAR_FALL:.3f} may be lost"
        )
        adopted = adopted and uar >= former_uar - MOST_UAR_FALL
    return why, adopted


def uar_of(encoder: LocalEncoder, clips: Sequence[Clip]) -> float:
    """UAR on clips of unseen speakers, by a model of the others' clips."""
    dataset = describe_clips(clips, get_feature_set(encoder.name))
    n_folds = min(len(set(dataset.speakers)), MOST_FOLDS)
    found = cross_validate(dataset, n_folds=n_folds, recipe=recipe_for(encoder.name))
    return found.evaluation.uar


def log(found: EncoderComparison, folder: Path, who: str) -> None:
    """Add a line to the encoders' log, beside their folders.

    Args:
        found: what came of the contest
        folder: of the encoders
        who: the account
    """
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    line = {"event": "adopted" if found.adopted else "refused", "at": at, "who": who}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({**line, **asdict(found)}, ensure_ascii=False) + "\n")
