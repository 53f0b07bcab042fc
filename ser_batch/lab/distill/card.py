"""The encoder's card, written by the command that trained it: `card.md` filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ser_batch.lab.distill.curve import CURVE_FILE
from ser_batch.training.card import fill_card


def encoder_card(manifest: Mapping[str, Any]) -> str:
    """Markdown with every figure taken from the manifest."""
    values = {"votes": (), "inherited_material": (), **manifest, "curve_file": CURVE_FILE}
    return fill_card("ser_batch.lab.distill", values)
