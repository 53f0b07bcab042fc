"""On simulated labels words are adopted where they fit, and change little where they do not."""

from __future__ import annotations

from ser_batch.lab.bench.words import run


def test_words_that_fit_help_and_words_that_say_nothing_change_little() -> None:
    found = run(n_labels=240, n_runs=2, on_progress=lambda _what, _done, _total: None)
    rows = {row["words"]: row for row in found["rows"]}
    nothing, fitting = rows["the same lines, 50% fit"], rows["the same lines, 90% fit"]
    assert nothing["adopted"] == 0
    assert nothing["auc_fused"] > nothing["auc_voice"] - 0.04
    assert fitting["adopted"] == 1
    assert fitting["auc_fused"] > fitting["auc_voice"] + 0.05
