"""The labelling page in headless Chromium: by keyboard, by several people, with nothing lost."""

from __future__ import annotations

import pytest

from ser_batch.labels.history import newest
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import LABELS
from tests.report.pages import axe_violations
from tests.serve.conftest import N_QUEUED

pytestmark = pytest.mark.browser


@pytest.fixture
def open_page(browser):
    """Opens the page as a person of its own; fails on any error or request beside the server."""
    trouble: list[str] = []
    contexts = []

    def opened(server, name: str, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        own = server.url.split("/labels")[0]
        page.on(
            "request",
            lambda request: trouble.extend(
                [] if request.url.startswith((own, "data:")) else [request.url]
            ),
        )
        page.goto(server.url)
        if name:
            page.get_by_label("Your name").fill(name)
            page.keyboard.press("Enter")
            page.wait_for_selector("#choices button, #status:not(:empty)")
        return page

    yield opened
    assert trouble == []
    for context in contexts:
        context.close()


def done(page, count: int, total: int = N_QUEUED) -> None:
    from playwright.sync_api import expect

    expect(page.locator("#progress")).to_have_text(f"{count} of {total} done")
    expect(page.locator("#undo")).to_have_attribute("aria-disabled", "false")


def said(root: Root) -> list[tuple[str, str]]:
    rows = newest(Lake(root.lake).read(LABELS))
    return sorted((row["annotator"], row["emotion"]) for row in rows)


def test_a_queue_is_labelled_by_keyboard(open_page, serve, queued: Root):
    page = open_page(serve(), "ann")
    done(page, 0)
    for number, key in enumerate("1709", start=1):
        page.keyboard.press(key)
        done(page, number)
    page.keyboard.press("u")
    done(page, 3)
    page.keyboard.press("8")
    done(page, 4)
    page.keyboard.press("2")
    done(page, 5)
    assert "last one" in page.locator("#status").inner_text()
    assert said(queued) == [
        ("ann", "anger"),
        ("ann", "calm"),
        ("ann", "cannot_tell"),
        ("ann", "frustration"),
        ("ann", "neutral"),
    ]


PLAYED = """() => new Promise((played) => {
  const sound = document.getElementById("sound");
  sound.addEventListener("timeupdate", () => sound.currentTime > 0 && played(sound.duration));
})"""


def test_the_sound_is_heard_at_once(open_page, serve):
    page = open_page(serve(), "ann")
    assert page.evaluate(PLAYED) > 2


def test_two_people_label_at_once_and_one_comes_back(open_page, serve, queued: Root):
    server = serve()
    ann, bob = open_page(server, "ann"), open_page(server, "bob")
    ann.get_by_role("button", name="anger").click()
    done(ann, 1)
    bob.get_by_role("button", name="tell").click()
    done(bob, 1, N_QUEUED - 1)
    assert said(queued) == [("ann", "anger"), ("bob", "cannot_tell")]
    again = open_page(serve(), "ann")
    done(again, 1, N_QUEUED - 1)


def test_a_name_is_remembered(open_page, serve):
    server = serve()
    page = open_page(server, "ann")
    page.goto("about:blank")
    page.goto(server.url)
    assert page.get_by_label("Your name").input_value() == "ann"


def test_a_used_link_is_explained(browser, serve):
    server = serve()
    used = server.url
    for expected in ("How does the caller sound?", "Not shown"):
        context = browser.new_context()
        page = context.new_page()
        page.goto(used)
        assert page.locator("h1").inner_text() == expected
        context.close()


def test_a_sound_that_is_gone_is_said(browser, serve, queued: Root):
    server = serve()
    for sound in queued.labels.glob("*/snippets/*.wav"):
        sound.unlink()
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.url)
    page.get_by_label("Your name").fill("ann")
    page.keyboard.press("Enter")
    page.wait_for_selector("#status:not(:empty)")
    assert (
        "say that you can\N{RIGHT SINGLE QUOTATION MARK}t tell"
        in page.locator("#status").inner_text()
    )
    page.keyboard.press("0")
    done(page, 1)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(open_page, serve, scheme, width):
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    page = open_page(serve(), "ann", bypass_csp=True, **options)
    done(page, 0)
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
