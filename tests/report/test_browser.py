"""The page in headless Chromium: quiet, offline, narrow, dark, by keyboard."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.report.conftest import NASTY
from tests.report.pages import axe_violations

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("report")]


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
    assert {line.split("#")[0] for line in trouble} <= {reported.as_uri()}  # loaded again
    for page in pages:
        page.close()


def test_names_that_are_markup_stay_text(open_page):
    page = open_page()
    assert page.title().startswith("Customer dissatisfaction")
    assert page.locator("#priority-calls h3").first.inner_text() == NASTY
    assert page.locator("#facets option", has_text=NASTY).count() == 1
    assert (
        page.locator(".reviewed").all_inner_texts()[0].startswith(f"reviewed by {NASTY} and Bob, ")
    )
    assert page.locator("script").count() == 3
    page.goto(f"{page.url}#{urlencode({'queue': NASTY, 'search': NASTY})}")
    page.reload()
    assert page.locator("#chips button").count() == 2
    assert page.locator("#calls li").count() == 1
    assert page.title().startswith("Customer dissatisfaction")


def test_an_address_with_unknown_filters_chooses_nothing(open_page):
    page = open_page()
    counts = page.locator("#filtered").inner_text()
    page.goto(f"{page.url}#queue=gone&day=2026-02-30&hour=25&sort=%3Cb%3E&a.product=x&__proto__=x")
    page.reload()
    assert page.locator("#filtered").inner_text() == counts
    assert page.locator("#chips button").count() == 0


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


def test_counts_are_those_of_the_headline_until_days_are_chosen(open_page):
    page = open_page()
    share = page.locator("#headline .cards div").nth(2).locator("dd").first.inner_text()
    assert f"{share.split()[0]} % dissatisfied" in counts_of(page)
    page.get_by_label("From").fill("2026-10-01")
    total = heat_rows(page, "queue-by-day")["all"][-1]
    assert heat_rows(page, "weekday-by-hour")["all"][-1] == total
    assert f"{total} % dissatisfied" in counts_of(page)


def test_filters_filter_charts_counts_and_calls_and_can_be_taken_back(open_page):
    page = open_page()
    before = counts_of(page)
    page.get_by_label("Queue", exact=True).select_option("billing")
    assert counts_of(page) != before
    assert "billing" in heat_rows(page, "queue-by-day")
    items = page.locator("#calls li")
    assert 0 < items.count() <= 20
    assert all("billing" in text for text in items.all_inner_texts())
    page.get_by_label("Product", exact=True).select_option("fibre")
    named = page.evaluate(
        "CALLS.filter((call) => call.isOfPeriod && call.facets[1] === 'fibre').length"
    )
    page.get_by_role("button", name="queue: billing").click()
    assert f"of {named} flagged calls listed" in counts_of(page)
    page.get_by_role("button", name="Show all").click()
    assert counts_of(page) == before


def test_a_click_on_a_cell_lists_its_calls_and_the_address_keeps_it(open_page):
    page = open_page()
    cell = page.get_by_role("button", name="billing, Fri 30 Oct 2026: ")
    n_flagged = page.evaluate(
        """() => {
          choice = {...NOTHING, queue: "billing", day: "2026-10-30"};
          const sum = sumsBy(cellsWithout(), () => ALL).get(ALL);
          choice = {...NOTHING};
          return sum.dissatisfied;
        }"""
    )
    cell.click()
    assert cell.get_attribute("aria-pressed") == "true"
    assert page.url.endswith("#queue=billing&day=2026-10-30")
    days = [item.get_attribute("data-day") for item in page.locator("#calls li").all()]
    assert days == ["2026-10-30"] * n_flagged
    assert f"{n_flagged} of {n_flagged} flagged calls listed" in counts_of(page)
    page.get_by_label("Sort by").select_option("newest")
    chosen = counts_of(page)
    page.reload()
    assert counts_of(page) == chosen
    assert page.get_by_label("Sort by").input_value() == "newest"
    page.get_by_role("link", name="Drivers").click()
    assert "day=2026-10-30" in page.url
    page.get_by_role("button", name="billing, Fri 30 Oct 2026: ").click()
    assert page.url.endswith("#sort=newest")
    page.go_back()
    assert counts_of(page) == chosen


def test_hours_courses_and_queues_lead_to_their_calls(open_page):
    page = open_page()
    page.locator("#weekday-by-hour").get_by_role("button", name="Tue, 10:00 to 11:00: ").click()
    listed = page.evaluate("fittingCalls().map((call) => [weekdayOf(call.day), call.hour])")
    assert {tuple(each) for each in listed} == {(1, 10)}
    page.get_by_role("button", name="Show all").click()
    page.locator("#arc-bars").get_by_role("button", name="billing, worsening: ").click()
    listed = page.evaluate("fittingCalls().map((call) => [call.facets[0], call.arc])")
    assert {tuple(each) for each in listed} == {("billing", "worsening")}
    page.get_by_role("button", name="Show all").click()
    page.locator("#changes").get_by_role("button", name="technical").click()
    assert page.url.endswith("#queue=technical")
    calm = page.locator("#queue-by-day td button[aria-label*=': 0 % of']").first
    calm.click()
    assert page.locator("#calls li").count() == 0
    assert page.locator("#no-calls").inner_text().startswith("None of these calls is flagged")


def test_search_finds_calls_by_id_queue_and_attribute(open_page):
    page = open_page()
    call = page.locator("#calls h3").nth(3).inner_text()
    page.get_by_label("Search").fill(call.upper())
    assert page.locator("#calls h3").all_inner_texts() == [call]
    assert "1 of 1 flagged call (" in counts_of(page)
    page.get_by_label("Search").fill("fibre billing")
    found = page.evaluate("fittingCalls().map((call) => call.facets)")
    assert {tuple(each) for each in found} == {("billing", "fibre")}
    page.get_by_label("Search").fill("nothing like it")
    assert (
        page.locator("#no-calls").inner_text() == "No listed call fits the search and the filters."
    )


def test_days_can_be_chosen(open_page):
    page = open_page()
    page.get_by_label("From").fill("2026-11-01")
    page.get_by_label("to", exact=True).fill("2026-11-02")
    headers = page.locator("#queue-by-day thead th").all_inner_texts()
    assert headers == ["Sun\n1 Nov", "Mon\n2 Nov", "all"]
    days = {item.get_attribute("data-day") for item in page.locator("#calls li").all()}
    assert days == {"2026-11-01", "2026-11-02"}


def test_a_point_of_the_trend_says_its_figures(open_page):
    page = open_page()
    label = page.locator("#trend-chart .day").last.get_attribute("aria-label")
    assert label.startswith("Tue 3 Nov 2026: ")
    assert "95 % interval" in label


def test_a_change_of_model_is_marked_in_the_trend_and_explained_below_it(open_page):
    page = open_page()
    assert page.locator("#trend-chart text.mark").text_content() == "different model since 25 Oct"
    mark = page.locator("#trend-chart line.mark").bounding_box()["x"]
    points = page.locator("#trend-chart circle").all()
    labels = [day.get_attribute("aria-label") for day in page.locator("#trend-chart .day").all()]
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


def counts_of(page) -> str:
    return page.locator("#filtered").inner_text()


def heat_rows(page, table: str) -> dict[str, list[str]]:
    """Cells of a heat map by the name of their row."""
    return dict(
        page.evaluate(
            """(table) => [...document.querySelectorAll(`#${table} tbody tr`)].map((row) => [
                row.querySelector("th").innerText,
                [...row.querySelectorAll("td")].map((cell) => cell.innerText),
            ])""",
            table,
        )
    )


def test_the_tab_key_reaches_everything_with_one_stop_a_chart(open_page):
    page = open_page()
    wanted = page.evaluate(
        "() => [...document.querySelectorAll('a, button, input, select, summary, [tabindex]')]"
        ".filter((part) => part.checkVisibility() && part.tabIndex >= 0).length"
    )
    assert page.locator("#queue-by-day button").count() > 100
    assert page.locator("#queue-by-day [tabindex='0']").count() == 1
    reached = 0
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement !== document.body") and reached < 9 * wanted:
        reached += page.evaluate(
            "() => !document.activeElement.seen && (document.activeElement.seen = true)"
        )
        page.keyboard.press("Tab")
    assert reached == wanted


def test_charts_are_worked_by_keys_alone(open_page):
    page = open_page()
    focused = "document.activeElement.getAttribute('aria-label')"
    page.locator("#trend-chart [tabindex='0']").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused).startswith("Mon 2 Nov 2026: ")
    page.keyboard.press("Enter")
    assert page.url.endswith("#day=2026-11-02")
    assert page.evaluate(focused).startswith("Mon 2 Nov 2026: ")
    page.locator("#queue-by-day [tabindex='0']").focus()
    for key in ("Home", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    cell = page.evaluate(focused)
    page.keyboard.press("Space")
    queue = page.evaluate("choice.queue")
    assert cell.startswith(f"{queue}, ")
    assert page.evaluate(focused) == cell
    assert page.locator("#queue-by-day [tabindex='0']").count() == 1


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


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1200, "light")])
def test_axe_finds_nothing_serious(open_page, scheme, width):
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    assert axe_violations(page) == []
