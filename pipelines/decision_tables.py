"""Tables of what production decides, as `evaluate` and `models show` print them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLUMNS = {
    "accuracy": "accuracy",
    "uncertain_share": "uncertain",
    "mean_confidence": "confidence",
    "ece": "ECE",
    "auc_error": "AUC error",
    "auc_anger_content": "AUC anger",
    "ece_dissatisfaction": "ECE diss.",
}
"""Figure of `decided_figures`, and the heading of its column."""


def show_decisions(decisions: Mapping[str, Mapping[str, Any]], *, confusion: bool) -> None:
    """Print production's decisions by corpus.

    Args:
        decisions: as `training.decided.decisions_by_corpus` gives them
        confusion: also print emotions by answer, for each corpus
    """
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(
        "corpus", "clips", *COLUMNS.values(), title="what production decides, no class dropped"
    )
    for name, figures in decisions.items():
        table.add_row(name, str(figures["n_clips"]), *(_shown(figures[key]) for key in COLUMNS))
    console.print(table)
    for name, figures in decisions.items():
        console.print(f"{name}: {known_to(figures)}", style="dim")
    if confusion:
        for name, figures in decisions.items():
            console.print(_confusion(name, figures["confusion"]))


def known_to(figures: Mapping[str, Any]) -> str:
    """Who has seen a corpus before: its figures may flatter."""
    choices = "guided our choices" if figures["guided_choices"] else "never guided a choice"
    exposed = "was" if figures["encoder_exposed"] else "was not"
    return f"{choices}; its audio {exposed} used to train the encoder, without labels"


def _confusion(name: str, rows: Mapping[str, Mapping[str, int]]) -> Any:
    from rich.table import Table

    answers = list(next(iter(rows.values())))
    table = Table(name, *(answer[:5] for answer in answers), title="clips by emotion and answer")
    for emotion, counts in rows.items():
        table.add_row(emotion, *(str(counts[answer]) for answer in answers))
    return table


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
