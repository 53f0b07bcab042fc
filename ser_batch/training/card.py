"""The model card, written by the command that trained the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ser_batch.training.card_decisions import decisions_section
from ser_batch.training.markdown import table

INTENDED = """\
## What it is for
Finding, among many recorded telephone calls, those in which a customer sounds dissatisfied, and
following that by queue, day and hour. It hears the sound of the voice, not the words.

## What it must not be used for
- People at work: inferring their emotions from the voice is prohibited in the EU (Regulation
  (EU) 2024/1689, Art. 5(1)(f)). ser-batch scores the customer's channel only.
- Decisions about one person or one call: its figures hold for many calls, not for each.
- Recognising who speaks.
"""

LIMITS = """\
## Limits
- Acted speech is clearer than life: on real calls expect a usable trend of negative against not
  negative, not this table's recall of each emotion.
- Anger and happiness are both loud and high; they are confused more than any other two.
- Other languages, ages and lines than those of the training data were not heard in training.
"""


NOTES = """\
## Notes: what was tried
- Trees alone lose to a linear head where speakers are few; boosted from the head's logits for
  speakers that it had not seen, they add a little. Support vector machines, a small neural network
  and discriminant analysis on the same features travelled less well to other corpora.
- Copies of the clips over other lines (microphone, level, noise, codec, lost packets, speed) gain
  on calls of unseen speakers and lose a little on calls of other corpora.
- The fine shape of the spectrum (log-mel bands, high cepstral coefficients) and the course of a
  descriptor over a segment gain on unseen speakers of the same corpus and lose on other corpora;
  `ser-batch train --optimise-for in-domain` trusts them fully, the default hardly.
- Removing each caller's own mean gains on corpora, where every speaker shows every emotion, and
  loses where a caller is angry throughout: it is reported by `ser-batch evaluate`, not used.
- Which calls are worst is judged by `ser-batch bench calls`; choices were made on it.
"""

STATE_NOTES = """\
## Notes on the encoder's states: what was tried
- They have a linear head of their own; how much it weighs beside the descriptors' is chosen on
  held-out speakers. Trees hardly add. Descriptors beside them gain little, and give the reasons
  their words: reasons speak of the descriptors' part alone.
- Of a large speech model's blocks the second and third together beat either alone. Weighing frames
  by how loud they are (voicing) instead of evenly gained nothing; nor did the percentiles beside
  mean and standard deviation. Wide band is better than telephone band, and not what calls have.
- Fitting a model to a place's lines and voices (`ser-batch models align`), without labels, ranks
  the calls of unseen corpora clearly better (`ser-batch bench calls`).
"""

ENCODER_NOTES = """\
## Notes on our own encoder
- It was taught on unlabelled audio, EmoDB's among it (its own card lists all): figures on EmoDB
  flatter it by as much as knowing the voices helps. Of the other corpora it heard nothing.
"""


def model_card(
    name: str,
    *,
    feature_set: str,
    n_features: int,
    band: str,
    licence: str,
    training: Sequence[Mapping[str, Any]],
    evaluation: Mapping[str, Any],
    command: str,
) -> str:
    """Markdown with every figure taken from the evaluation.

    Args:
        name: of the model
        evaluation: as `evaluation.json` holds it
        command: that makes this very model
    """
    return "\n".join(
        [
            f"# {name}",
            "",
            f"LightGBM trees boosted from a linear head over {n_features} features of "
            f"`{feature_set}`, {band} band. Made by `{command}`.",
            "",
            INTENDED,
            "## Training data",
            *_training_table(training),
            "",
            f"Licence that the model carries from its data: **{licence}**.",
            "",
            "## Figures",
            *_figures(evaluation),
            "",
            *decisions_section(evaluation["decisions"], evaluation["across"]),
            LIMITS,
            *([NOTES] if "descriptors" in feature_set else []),
            *([ENCODER_NOTES] if "encoder_" in feature_set else []),
            *([STATE_NOTES] if _has_states(feature_set) else []),
        ]
    )


def _has_states(feature_set: str) -> bool:
    """Whether a speech model's states are read, alone or beside descriptors."""
    return any(not part.startswith("descriptors") for part in feature_set.split("+"))


def _training_table(training: Sequence[Mapping[str, Any]]) -> list[str]:
    return table(
        ["corpus", "clips", "speakers", "language", "emotions", "licence"],
        [
            [
                entry["title"],
                _clips(entry),
                entry["n_speakers"],
                entry["language"],
                ", ".join(entry["emotions"]),
                entry["licence"],
            ]
            for entry in training
        ],
    )


def _clips(entry: Mapping[str, Any]) -> str:
    weight = entry.get("weight", 1)
    return str(entry["n_clips"]) if weight == 1 else f"{entry['n_clips']}, each {weight:g} times"


def _figures(evaluation: Mapping[str, Any]) -> list[str]:
    proof = evaluation["proof"]
    return [
        f"{proof['n_speakers']} speakers in {proof['n_folds']} folds, each clip predicted by a "
        "model that was trained, tuned and calibrated without its speaker.",
        "",
        *table(
            ["UAR", "95 % interval (speakers drawn anew)", "accuracy", "ECE"],
            [
                [
                    f"{evaluation['uar']:.3f}",
                    f"{evaluation['uar_low']:.3f} to {evaluation['uar_high']:.3f}",
                    f"{evaluation['wa']:.3f}",
                    f"{evaluation['ece']:.3f}",
                ]
            ],
        ),
        "",
        *table(
            ["emotion", "clips", "recall", "precision"],
            [
                [name, score["n_clips"], f"{score['recall']:.2f}", f"{score['precision']:.2f}"]
                for name, score in evaluation["per_class"].items()
            ],
        ),
        "",
        "Clips by true emotion (row) and predicted emotion (column):",
        "",
        *table(
            ["", *evaluation["classes"]],
            [
                [name, *row]
                for name, row in zip(evaluation["classes"], evaluation["confusion"], strict=True)
            ],
        ),
    ]
