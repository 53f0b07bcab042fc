"""The model card, written by the command that trained the model: `card.md` filled in."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from ser_batch.scoring.bundle_writer import BundleFacts
from ser_batch.training.risk_coverage import HEAD, risk_rows

DECIDED = (
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
"""Figures of `decided_figures` in the order of the card's columns."""


def model_card(facts: BundleFacts, *, n_features: int, command: str) -> str:
    """Markdown with every figure taken from the evaluation.

    Args:
        facts: of the model
        n_features: that it reads
        command: that makes this very model
    """
    network = facts.evaluation.get("network")
    values = {
        "facts": facts,
        "network": network,
        "figures": facts.evaluation,
        "decided": DECIDED,
        "risk_head": HEAD,
        "risk_rows": risk_rows,
        "n_features": n_features,
        "command": command,
        "has_states": not network
        and any(not part.startswith("descriptors") for part in facts.feature_set.split("+")),
    }
    return fill_card("ser_batch.training", values)


def fill_card(package: str, values: Mapping[str, Any]) -> str:
    """The file `card.md` of a package, filled in.

    Args:
        package: where the file lies
        values: by their names in the file
    """
    markdown = Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    markdown.filters |= {"places": _places, "known_to": _known_to}
    text = (files(package) / "card.md").read_text(encoding="utf-8")
    return markdown.from_string(text).render(values)


def encoder_knows(figures: Mapping[str, Any]) -> str:
    """Whether the encoder was trained on the corpus of some decisions."""
    if figures["encoder_labelled"]:
        return "its audio and labels were used to train the encoder: the figures are too high"
    exposed = "was" if figures["encoder_exposed"] else "was not"
    return f"its audio {exposed} used to train the encoder, without labels"


def _known_to(figures: Mapping[str, Any]) -> str:
    """Who has seen the corpus before."""
    guided = (
        "its figures guided choices of recipe, flag or model"
        if figures["guided_choices"]
        else "its figures guided no choice"
    )
    return f"{guided}; {encoder_knows(figures)}"


def _places(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
