"""Tables of what production decides, and of how two models compare on labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.terminal import show_lines, show_table

COLUMNS = {
    "accuracy": "accuracy",
    "uncertain_share": "uncertain",
    "mean_confidence": "confidence",
    "ece": "ECE",
    "auc_error": "AUC error",
    "auc_anger_content": "AUC anger",
    "ece_dissatisfaction": "ECE diss.",
    "ood_share": "out of dist.",
}
"""Figure of `decided_figures`, and the heading of its column."""


def show_decisions(decisions: Mapping[str, Mapping[str, Any]], *, confusion: bool) -> None:
    """Print production's decisions by corpus.

    Args:
        decisions: as `training.decided.decisions_by_corpus` gives them
        confusion: also print emotions by answer, for each corpus
    """
    from ser_batch.training.risk_coverage import HEAD, risk_rows

    show_table(
        ("corpus", "clips", *COLUMNS.values()),
        (
            (name, str(figures["n_clips"]), *(_shown(figures[key]) for key in COLUMNS))
            for name, figures in decisions.items()
        ),
        title="what production decides, no class dropped",
    )
    show_table(
        HEAD,
        (row for name, figures in decisions.items() for row in risk_rows(name, figures)),
        title="share of wrong answers where only the surest are given",
    )
    for name, figures in decisions.items():
        show_lines(f"{name}: {known_to(figures)}", style="dim")
    if confusion:
        for name, figures in decisions.items():
            _show_confusion(name, figures["confusion"])


def known_to(figures: Mapping[str, Any]) -> str:
    """Who has seen a corpus before: its figures may flatter."""
    from ser_batch.training.card import encoder_knows

    choices = "guided our choices" if figures["guided_choices"] else "never guided a choice"
    return f"{choices}; {encoder_knows(figures)}"


def _show_confusion(name: str, rows: Mapping[str, Mapping[str, int]]) -> None:
    answers = list(next(iter(rows.values())))
    show_table(
        (name, *(answer[:5] for answer in answers)),
        ((emotion, *(str(counts[a]) for a in answers)) for emotion, counts in rows.items()),
        title="clips by emotion and answer",
    )


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def show_contest(found: dict[str, Any]) -> None:
    """Both models' figures, and by how much they differ."""
    compared = (
        ("AUC of dissatisfaction", found["champion_auc"], found["challenger_auc"]),
        ("Brier score", found["champion_brier"], found["challenger_brier"]),
        ("coverage", found["champion_coverage"], found["challenger_coverage"]),
        *(
            (f"AUC, {part['name']} {part['value']}", part["champion_auc"], part["challenger_auc"])
            for part in found["slices"]
        ),
    )
    show_table(
        ("", found["champion"], found["challenger"], "difference"),
        (
            (name, f"{ours:.3f}", f"{theirs:.3f}", f"{theirs - ours:+.3f}")
            for name, ours, theirs in compared
        ),
    )
    show_lines(
        f"{found['n_segments']} segments of {found['n_callers']} callers; the difference of the "
        f"AUC lies between {found['low']:+.3f} and {found['high']:+.3f}"
    )
    if found["n_cannot_tell"]:
        show_lines(f"of {found['n_cannot_tell']} more no annotator can tell")
    if found["n_unknown"]:
        show_lines(f"of {found['n_unknown']} more the label is unknown to one of the models")
