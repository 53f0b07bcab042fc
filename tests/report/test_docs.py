"""The page of the warehouse's tables: complete, offline, by keyboard, on a phone."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from ser_batch.report.docs import functions, lineage, render_docs, units
from ser_batch.report.lineage import lineage_svg
from ser_batch.resources import sql_folder
from ser_batch.warehouse import describe
from ser_batch.warehouse.cookbook import recipes
from ser_batch.warehouse.models import read_blueprint
from tests.report.pages import axe_violations, words

pytestmark = pytest.mark.xdist_group("report")
NO_UNIT = {"psi", "psi_expected", "ood_score", "design_effect", "prediction_weight"}
"""Numbers without one; their meaning says how to read them."""


@pytest.fixture(scope="module")
def target(reported: Path) -> Path:
    return reported.parents[1] / "warehouse" / "calls.duckdb"


@pytest.fixture(scope="module")
def html(target) -> str:
    return render_docs(target)


def _letters(text: str) -> str:
    """Without spaces, and without the backticks that the page shows as code."""
    return re.sub(r"[\s`]+", "", text)


def test_every_column_has_a_text_and_every_measure_a_unit(target, html):
    shown = _letters(words(unescape(html)))
    for table in describe(target, staging=True):
        assert table.grain
        of = units(table)
        for column in table.columns:
            assert column.meaning
            assert _letters(column.meaning) in shown
            assert (
                of[column.name] or column.type not in ("double", "float") or column.name in NO_UNIT
            )


@pytest.mark.parametrize(
    ("table", "column", "unit"),
    [
        ("call_summary", "duration_s", "s"),
        ("call_summary", "hour", "0..23"),
        ("call_summary", "slope_per_min", "per minute"),
        ("call_side", "level_db", "dB"),
        ("trend", "count_days", "number"),
        ("trend", "window_days", "days"),
        ("trend", "adjusted_change_high", "-1..1"),
        ("trend", "dissatisfied_call_share_before_low", "0..1"),
        ("team_day", "interruptions_per_hour_low", "per hour"),
        ("call_summary", "path", ""),
    ],
)
def test_units_follow_from_names_and_meanings(target, table, column, unit):
    [found] = [each for each in describe(target) if each.name == table]
    assert units(found)[column] == unit


def test_recipes_and_functions_are_all_there(html):
    shown = words(unescape(html))
    for recipe in recipes():
        assert recipe.question in shown
        assert recipe.sql.rstrip() in unescape(html)
    macros = "".join((sql_folder() / f"{name}.sql").read_text() for name in ("macros", "functions"))
    documented = [signature for each in functions(macros) for signature in each.signatures]
    assert len(documented) == macros.count("create macro ")
    assert all(signature in shown for signature in documented)


def test_the_lineage_leads_from_the_lake_to_every_table():
    reads = lineage(read_blueprint(sql_folder()))
    assert reads["stg_calls"] == {"lake_calls", "lake_recordings"}
    assert reads["trend"] == {"call_summary", "stg_date_correlation"}
    svg = lineage_svg(reads)
    assert {name for name in reads if f'href="#{name}"' not in svg} == set()
    place = {
        name: int(x) for x, name in re.findall(r'<rect x="(\d+)"[^>]*/><text[^>]*>(\w+)<', svg)
    }
    assert all(place[source] < place[name] for name, own in reads.items() for source in own)


@pytest.mark.browser
def test_the_page_works_offline_on_a_phone_and_by_keyboard(browser, html, tmp_path):
    file = tmp_path / "docs.html"
    file.write_text(html, encoding="utf-8")
    page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: trouble.append(request.url))
    page.goto(file.as_uri())
    assert trouble == [file.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator('svg a[href="#trend"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#trend[open]")
    page.locator("#find").focus()
    page.keyboard.type("worth listening")
    assert page.locator("details:visible").evaluate_all(
        "found => found.map((each) => each.id)"
    ) == ["cookbook-worst_moments"]
    page.locator("#cookbook-worst_moments summary").focus()
    page.keyboard.press("Enter")
    page.locator("#cookbook-worst_moments .copy").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Copied")
    page.fill("#find", "")
    assert axe_violations(page) == []
    assert len(trouble) == 1 or trouble[1:] == [page.url]
    page.close()
