"""The model card, written by the command that trained the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ser_batch.scoring.bundle_writer import BundleFacts
from ser_batch.training.card_decisions import decisions_section
from ser_batch.training.markdown import table

INTENDED = """\
## What it is for
Finding, among many recorded telephone calls, those in which a customer sounds dissatisfied, and
following that by queue, day and hour. It reads the sound of the voice, not the words.

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
- Other languages, ages and channels than those of the training data were not trained on.
"""


NOTES = """\
## Notes: what was tried, and what lost
"AUC" is of angry against calm, happy and neutral clips, telephone band. Choices were made between
EmoDB and CREMA-D, each left out in turn; RAVDESS, nEMO and TESS (in this order below) were measured
beside them and so guided them too.

- Trees alone lose to a linear head where speakers are few; boosted from the head's logits for
  speakers that it had not seen, they add a little: .929 / .819 / .960 without, .930 / .820 / .972
  with 80 rounds over the descriptors.
- Listeners' votes as label distributions beat acted labels: trained on CREMA-D's votes alone
  .932 / .778 / .942, on EmoDB's acted labels alone .893 / .723 / .850, on both .929 / .819 / .960.
- Weighing EmoDB two or four times: .929 / .821 / .965 and .930 / .820 / .961. Not used.
- Calibration fitted by leaving one corpus out (Platt) calibrates dissatisfaction worse on unseen
  corpora: ECE .15 / .06 / .12 against .08 / .08 / .10 of the votes' own scale. So calibration is
  fitted on unseen speakers and their augmented copies, and never sharpens.
- Directions in which speakers differ, penalised more (within-class whitening): .921 / .698 / .842.
  Lost.
- Copies of the clips over simulated channels (microphone, level, noise, codec, lost packets,
  speed), denoised as a night denoises: .929 / .808 / .971 on clean clips and .927 / .813 / .936 on
  denoised noisy ones, against .930 / .820 / .972 and .925 / .816 / .915 without. One copy a clip is
  used.
- The fine shape of the spectrum (log-mel bands, high cepstral coefficients) and the course of a
  descriptor over a segment gain on unseen speakers of the same corpus and lose on other corpora;
  `ser-batch train --optimise-for in-domain` trusts them fully.
- Removing each caller's own mean gains on corpora, where every speaker shows every emotion, and
  loses where a caller is angry throughout: it is reported by `ser-batch evaluate`, not used.
- Descriptors without F0, the segment's duration, or chroma and tonnetz: .908 / .909, .908 / .908
  and .908 / .909 on CREMA-D and EmoDB, each by a model of the other, against .908 / .909 with all.
  Chroma, tonnetz and duration are not read: nothing is lost without them. Loudness and flux are not
  read either: they scale with the gain of the channel.
- Taking away what is usual at a place moves the scores of the corpora together
  (`ser-batch models align`). Taking away what is usual for a caller loses for the encoder's states:
  .853 / .956 on CREMA-D and EmoDB against .882 / .963.

Tables: `ser-batch bench ablation`, docs/models.md.
"""

STATE_NOTES = """\
## Notes on the encoder's states: what was tried
- They have a linear head of their own, which predicts alone; descriptors enter by the trees. A
  linear head over descriptors beside it, with 20 or 40 % of the weight: .926 / .822 / .965 and
  .920 / .815 / .954 against .929 / .819 / .960.
- Of a large speech encoder's blocks the second and third together beat either alone. Weighing
  frames by how loud they are (voicing) instead of evenly gained nothing; nor did the percentiles
  beside mean and standard deviation. Wide band is better than telephone band, and not what calls
  have.
"""

ENCODER_NOTES = """\
## Notes on our own encoder
- It was trained on unlabelled audio, EmoDB's among it (its own card lists all): figures on EmoDB
  are too high by as much as knowing the voices helps. No audio of the other corpora was used.
- Fine-tuned on CREMA-D's votes (`ser-batch distill --votes cremad`, 160 steps, a fifth of its
  clips) and read by one linear head of CREMA-D alone it loses on EmoDB, by which choices are made:
  .949 against .963. On the other three it has .937 / .814 / .954 against .931 / .781 / .949, with a
  head of both corpora .931 / .843 / .967 against .930 / .820 / .969. Not used; longer training was
  not tried.
"""


def model_card(facts: BundleFacts, *, n_features: int, command: str) -> str:
    """Markdown with every figure taken from the evaluation.

    Args:
        facts: of the model
        n_features: that it reads
        command: that makes this very model
    """
    feature_set, evaluation = facts.feature_set, facts.evaluation
    return "\n".join(
        [
            f"# {facts.name}",
            "",
            f"Two heads over {n_features} features of `{feature_set}`, {facts.band} band: "
            "dissatisfaction, and emotion categories to explain it. Each is a linear head with "
            f"LightGBM trees boosted from its held-out logits. Made by `{command}`.",
            "",
            INTENDED,
            "## Training data",
            *_training_table(facts.training),
            "",
            f"Licence that the model carries from its data: **{facts.licence}**.",
            "",
            "## Figures",
            *_figures(evaluation),
            "",
            *decisions_section(evaluation["decisions"], evaluation["cross_corpus"]),
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
            ["UAR", "95 % interval (speakers resampled)", "accuracy", "ECE"],
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
