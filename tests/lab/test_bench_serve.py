"""`bench serve` asks for every kind of page and sets each against its plain query."""

from __future__ import annotations

import pytest

from ser_batch.config import Settings
from ser_batch.lab.bench.serve import run


@pytest.mark.slow
def test_every_kind_of_page_is_measured_against_its_plain_query():
    pages = run(300, 5, Settings())["pages"]
    assert set(pages) == {"overview", "queue", "day", "calls", "search", "call"}
    for figures in pages.values():
        assert figures["n"] >= 15
        assert 0 < figures["median_ms"] <= figures["p95_ms"] <= figures["slowest_ms"]
        assert figures["ratio"] == pytest.approx(figures["p95_ms"] / figures["plain_p95_ms"])
