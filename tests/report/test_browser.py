"""The page in headless Chromium: quiet, offline, narrow, dark, by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report.conftest import NASTY
from tests.report.pages import axe_violations

pytestmark = pytest.mark.browser


@pytest.fixture
def open_page(browser, reported: Path):
    """Opens the report from disk; fails on any console message, error or request beside it."""
    pages = []
    trouble: list[str] = []

    def opened(**options):
        page = browser.new_page(**options)
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: trouble.append(request.url))
        page.goto(reported.as_uri())
        page.wait_for_selector("#trend-chart svg")
        assert trouble == [reported.as_uri()]
        trouble.clear()
        pages.append(page)
        return page

    yield opened
    assert trouble == []
    for page in pages:
        page.close()


def test_names_that_are_markup_stay_text(open_page):
    page = open_page()
    assert page.title().startswith("Customer dissatisfaction")
    assert page.locator("#priority-calls h3").first.inner_text() == NASTY
    assert page.locator("#facets option", has_text=NASTY).count() == 1
    assert page.locator("script").count() == 2


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_width_scrolls_sideways(open_page, width):
    page = open_page(viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_charts_show_what_the_table_says(open_page):
    page = open_page()
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    table = {
        (cells[0], cells[1]): cells[5]
        for row in page.locator("#queues table.plain tbody tr").all()
        if len(cells := row.locator("td").all_inner_texts()) == 8
    }
    days = sorted({day for day, _ in table})
    shown = {
        (day, queue): text
        for queue, texts in heat_rows(page, "queue-by-day").items()
        if queue != "all"
        for day, text in zip(days, texts[:-1], strict=True)
        if text not in ("", "·")
    }
    expected = {
        key: share.split("\N{NO-BREAK SPACE}")[0] for key, share in table.items() if "%" in share
    }
    assert len(shown) > 50
    assert shown == expected


def test_the_total_of_the_shown_days_is_that_of_the_counts(open_page):
    page = open_page()
    total = heat_rows(page, "queue-by-day")["all"][-1]
    assert heat_rows(page, "weekday-by-hour")["all"][-1] == total
    assert f"{total} % dissatisfied" in page.locator("#filtered").inner_text()


def test_filters_filter_charts_and_calls(open_page):
    page = open_page()
    before = page.locator("#filtered").inner_text()
    page.get_by_label("Queue", exact=True).select_option("billing")
    assert set(heat_rows(page, "queue-by-day")) == {"billing"}
    assert page.locator("#filtered").inner_text() != before
    visible = page.locator(".calls li:visible")
    assert 0 < visible.count() <= 20
    assert all("billing" in text for text in visible.all_inner_texts())
    page.get_by_label("Product", exact=True).select_option("fibre")
    assert all("fibre" in item.get_attribute("data-facets") for item in visible.all())
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function(
        "before => document.getElementById('filtered').innerText === before", arg=before
    )


def test_days_can_be_chosen(open_page):
    page = open_page()
    page.get_by_label("From").fill("2026-11-01")
    page.get_by_label("to", exact=True).fill("2026-11-02")
    headers = page.locator("#queue-by-day thead th").all_inner_texts()
    assert headers == ["Sun\n1 Nov", "Mon\n2 Nov", "all"]
    assert {day.get_attribute("data-day") for day in page.locator(".calls li:visible").all()} <= {
        "2026-11-01",
        "2026-11-02",
    }


def test_a_point_of_the_trend_says_its_figures(open_page):
    page = open_page()
    label = page.locator("#trend-chart circle").last.get_attribute("aria-label")
    assert label.startswith("Tue 3 Nov 2026: ")
    assert "95 % interval" in label


def test_a_change_of_model_is_marked_in_the_trend_and_explained_below_it(open_page):
    page = open_page()
    assert page.locator("#trend-chart text.mark").text_content() == "different model since 25 Oct"
    mark = page.locator("#trend-chart line.mark").bounding_box()["x"]
    points = page.locator("#trend-chart circle").all()
    labels = [point.get_attribute("aria-label") for point in points]
    at = next(number for number, label in enumerate(labels) if label.startswith("Sun 25 Oct"))
    before, after = (points[number].bounding_box()["x"] for number in (at - 1, at))
    assert before < mark < after
    assert "25 October 2026, test-model replaces old-model" in (
        page.locator("#model-changes").inner_text()
    )
    page.get_by_label("From").fill("2026-10-26")
    assert page.locator("#trend-chart .mark").count() == 0


def test_a_phone_shows_the_change_of_each_queue_without_scrolling(open_page):
    page = open_page(viewport={"width": 390, "height": 800})
    cells = [cell.bounding_box() for cell in page.locator("#changes td").all()]
    assert len(cells) == 25
    assert max(box["x"] + box["width"] for box in cells) <= 390


def test_a_heat_map_shows_its_newest_days_and_that_there_are_earlier_ones(open_page):
    page = open_page(viewport={"width": 390, "height": 800})
    last = page.locator("#queue-by-day thead th").last.bounding_box()
    assert last["x"] + last["width"] <= 390
    page.wait_for_selector("#queues .scrolled #queue-by-day")


def test_links_lead_to_sections(open_page):
    page = open_page()
    for link in page.locator("nav a").all():
        assert page.locator(link.get_attribute("href")).count() == 1


def test_sql_can_be_copied(open_page):
    page = open_page()
    page.locator("#headline summary").click()
    button = page.locator("#headline button.copy")
    button.click()
    assert button.inner_text() == "Copied"
    assert page.locator("textarea").count() == 0


def test_copy_buttons_are_named_as_they_read(open_page):
    from playwright.sync_api import expect

    page = open_page()
    for details in page.locator("details").all():
        details.evaluate("(details) => { details.open = true; }")
    buttons = page.locator("button.copy:visible")
    texts = [button.inner_text() for button in buttons.all()]
    assert {"Copy", "Copy path"} <= set(texts)
    for button, text in zip(buttons.all(), texts, strict=True):
        expect(button).to_have_accessible_name(text)
    path = buttons.nth(texts.index("Copy path"))
    path.click()
    expect(path).to_have_accessible_name("Copied")
    path.click()
    expect(path).to_have_accessible_name("Copy path", timeout=4000)


def heat_rows(page, table: str) -> dict[str, list[str]]:
    """Cells of a heat map by the name of their row."""
    return dict(
        page.evaluate(
            """(table) => [...document.querySelectorAll(`#${table} tbody tr`)].map((row) => [
                row.querySelector("th").title,
                [...row.querySelectorAll("td")].map((cell) => cell.innerText),
            ])""",
            table,
        )
    )


def test_the_keyboard_reaches_everything(open_page):
    page = open_page()
    wanted = page.evaluate(
        "() => [...document.querySelectorAll('a, button, input, select, summary, [tabindex]')]"
        ".filter((part) => part.checkVisibility()).length"
    )
    reached = 0
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement !== document.body") and reached < 9 * wanted:
        reached += page.evaluate(
            "() => !document.activeElement.seen && (document.activeElement.seen = true)"
        )
        page.keyboard.press("Tab")
    assert reached == wanted


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (color) => color.slice(0, 3).map((c) => c / 255)
    .map((c) => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const behind = (part) => {
    for (let at = part; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
  };
  const ratios = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const part = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || part.closest("script, svg")) continue;
    if (!part.checkVisibility()) continue;
    const [a, b] = [light(rgb(getComputedStyle(part).color)), light(behind(part))];
    ratios.push([(Math.max(a, b) + .05) / (Math.min(a, b) + .05), texts.currentNode.data]);
  }
  return ratios.sort((a, b) => a[0] - b[0])[0];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(open_page, scheme):
    """WCAG 2.2 AA: a contrast of 4.5 to 1."""
    page = open_page(color_scheme=scheme)
    ratio, text = page.evaluate(CONTRAST)
    assert ratio >= 4.5, f"{text!r} has {ratio:.2f}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_axe_finds_nothing_serious(open_page, scheme, width):
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    assert axe_violations(page) == []
