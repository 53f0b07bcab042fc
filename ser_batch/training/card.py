"""The model card, written by the command that trained the model: `card.md` filled in.

`card_notes.md` holds notes on the recipe, with figures that were measured on the corpora of the
bundled models: only a model of these corpora carries them.
"""

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
NOTED = {"cremad", "emodb"}
"""Corpora of the bundled models."""


def model_card(facts: BundleFacts, *, n_features: int, command: str) -> str:
    """Markdown with every figure taken from the evaluation.

    Args:
        facts: of the model
        n_features: that it reads
        command: that makes this very model
    """
    network = facts.evaluation.get("network")
    has_encoder = any(not part.startswith("descriptors") for part in facts.feature_set.split("+"))
    has_notes = {entry["corpus"] for entry in facts.training} == NOTED
    values = {
        "facts": facts,
        "network": network,
        "figures": facts.evaluation,
        "decided": DECIDED,
        "risk_head": HEAD,
        "risk_rows": risk_rows,
        "n_features": n_features,
        "command": command,
        "has_encoder": has_encoder,
        "has_notes": has_notes,
        "has_states": has_encoder and not network,
    }
    notes = fill_card("ser_batch.training", values, "card_notes.md") if has_notes else ""
    return fill_card("ser_batch.training", values) + notes


def fill_card(package: str, values: Mapping[str, Any], name: str = "card.md") -> str:
    """A Markdown file of a package, filled in.

    Args:
        package: where the file lies
        values: by their names in the file
        name: of the file
    """
    markdown = Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    markdown.filters |= {
        "places": _places,
        "known_to": _known_to,
        "encoder_knows": encoder_knows,
    }
    text = (files(package) / name).read_text(encoding="utf-8")
    return markdown.from_string(text).render(values)


def encoder_knows(figures: Mapping[str, Any]) -> str:
    """Whether the encoder was trained on the corpus of some decisions."""
    if figures["encoder_labelled"]:
        return "its audio and labels were used to train the encoder: the figures are too high"
    if figures["encoder_exposed"]:
        return "its audio was used to train the encoder, without labels"
    return "its audio was not used to train the encoder"


def _known_to(figures: Mapping[str, Any]) -> str:
    """Whether choices were made by the figures of a corpus."""
    if figures["guided_choices"]:
        return "its figures guided choices of recipe, flag or model"
    return "its figures guided no choice"


def _places(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
