"""The model card's sections on what production decides, by corpus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ser_batch.training.markdown import table
from ser_batch.training.risk_coverage import HEAD as RISK_HEAD
from ser_batch.training.risk_coverage import risk_rows

HEAD = (
    "corpus",
    "clips",
    "accuracy",
    "uncertain",
    "mean confidence",
    "ECE",
    "AUC error",
    "AUC anger",
    "ECE dissatisfaction",
    "AUC error of it",
    "correlation",
)
FIGURES = (
    "accuracy",
    "uncertain_share",
    "mean_confidence",
    "ece",
    "auc_error",
    "auc_anger_content",
    "ece_dissatisfaction",
    "auc_error_dissatisfaction",
    "correlation",
)
EXPLAINED = """\
Every clip counts, and every answer: an emotion that the corpus lacks or the model does not know is
an error, and so is `uncertain`. AUC error: how well confidence predicts that the emotion is right.
AUC anger: dissatisfaction of angry clips against calm, happy and neutral ones. AUC error of it: how
well the distance of dissatisfaction from .5 predicts that its side is right. Correlation: of
dissatisfaction with the share of the listeners who perceive anger or frustration. Boredom and calm
count as neutral where the model does not separate them.
"""

RISK_EXPLAINED = """\
Risk: share of the answers that are wrong, of all and of the surest 90, 70 and 50 %; what is out of
distribution is answered last. Area: below the curve of risk over coverage; it equals the risk where
confidence says nothing.
"""


def decisions_section(
    within: Mapping[str, Mapping[str, Any]], cross_corpus: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Lines of the card; none where nothing was measured.

    Args:
        within: by training corpus, on unseen speakers, as `decisions_by_corpus` gives it
        cross_corpus: by corpus that the model was not trained on
    """
    if not within and not cross_corpus:
        return []
    named = [
        *within.items(),
        *((f"{name}, unseen", figures) for name, figures in cross_corpus.items()),
    ]
    rows = [_row(name, figures) for name, figures in named]
    risks = [row for name, figures in named for row in risk_rows(name, figures)]
    lines = ["## What production decides", EXPLAINED, *table(HEAD, rows), ""]
    lines += [RISK_EXPLAINED, *table(RISK_HEAD, risks), ""]
    for name, figures in (*within.items(), *cross_corpus.items()):
        lines += [f"- {name}: {_known_to(figures)}"]
    for name, figures in cross_corpus.items():
        lines += ["", f"{name}: clips by emotion (row) and answer (column):", ""]
        lines += _confusion(figures["confusion"])
    return [*lines, ""]


def _row(name: str, figures: Mapping[str, Any]) -> list[str]:
    return [name, str(figures["n_clips"]), *(_shown(figures[key]) for key in FIGURES)]


def _known_to(figures: Mapping[str, Any]) -> str:
    """Who has seen the corpus before."""
    guided = (
        "its figures guided choices of recipe, flag or model"
        if figures["guided_choices"]
        else "its figures guided no choice"
    )
    return f"{guided}; {encoder_knows(figures)}."


def encoder_knows(figures: Mapping[str, Any]) -> str:
    """Whether the encoder was trained on the corpus."""
    if figures["encoder_labelled"]:
        return "its audio and labels were used to train the encoder: the figures are too high"
    exposed = "was" if figures["encoder_exposed"] else "was not"
    return f"its audio {exposed} used to train the encoder, without labels"


def _confusion(rows: Mapping[str, Mapping[str, int]]) -> list[str]:
    answers = list(next(iter(rows.values())))
    return table(["", *answers], [[name, *row.values()] for name, row in rows.items()])


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
