"""The player in headless Chromium: it really plays, by keyboard alone, on any screen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from ser_batch.config import Settings
from ser_batch.serve.server import Server
from ser_batch.stages.publish import publish
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.lakes import MODEL_ID, put_call
from ser_batch.testing.rows import prediction
from tests.report.pages import axe_violations
from tests.serve.site import put_recording, serving, tone

pytestmark = pytest.mark.browser
NASTY = "<script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = Root(tmp_path_factory.mktemp("player"))
    both = np.stack([tone(300, 60), tone(500, 60)], axis=1)
    recorded = put_recording(root, "call.wav", both, subtype="ULAW")
    calm, angry = {"neutral": 0.9, "anger": 0.1}, {"neutral": 0.1, "anger": 0.9}
    put_call(
        Lake(root.lake),
        *(prediction(segment_no=n, **(angry if n == 3 else calm)) for n in range(5)),
        call_id=NASTY,
        queue=NASTY,
        of_recording={"duration_s": 60.0},
        **recorded,
    )
    publish(root, Settings(), MODEL_ID)
    with serving(root, "/calls") as server:
        yield server


def until(page, condition: str) -> None:
    """Wait for a condition; the policy of the pages admits no `wait_for_function`."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never: {condition}")


@pytest.fixture
def open_call(browser, server: Server) -> Iterator[object]:
    """Opens the call as a new person; fails on any message, error or request beside the server."""
    trouble: list[str] = []
    contexts = []

    def opened(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        own = f"http://127.0.0.1:{server.port}/"
        page.on(
            "request",
            lambda request: trouble.extend(
                [] if request.url.startswith((own, "data:")) else [request.url]
            ),
        )
        page.goto(server.url)
        page.get_by_label("Your name").fill("ann")
        page.keyboard.press("Enter")
        page.wait_for_url("**/calls")
        page.goto(f"{own}calls?show=all")
        page.locator(".calls h3 a").click()
        page.wait_for_selector("path.wave[d]", state="attached")
        until(page, "audio.readyState >= 2 && audio.currentTime > 0")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert trouble == []


def now(page) -> float:
    return page.evaluate("audio.currentTime")


def test_it_plays_from_before_the_worst_moment_and_obeys_the_keyboard(open_call):
    page = open_call()
    assert page.title() == f"Call {NASTY}"
    assert now(page) == 25
    page.keyboard.press(" ")
    until(page, "audio.currentTime > 25.3 && gains.context.state === 'running'")
    assert page.locator("tr.now").count() == 1
    page.keyboard.press("ArrowRight")
    until(page, "audio.currentTime > 30.3")
    assert page.locator("#play").inner_text() == "Pause"
    page.keyboard.press(" ")
    until(page, "audio.paused")
    before = now(page)
    page.keyboard.press("ArrowLeft")
    assert before - 5.1 < now(page) < before - 4.9
    page.locator("#position").focus()
    page.keyboard.press("End")
    assert page.locator("#position").get_attribute("aria-valuetext") == "1:00"
    page.keyboard.press("Home")
    assert now(page) == 0


def test_a_click_seeks_and_sides_and_speed_are_chosen(open_call):
    page = open_call()
    box = page.locator("#position").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert abs(now(page) - 30) < 0.5
    page.locator(".play-at", has_text="0:40").click()
    until(page, "audio.currentTime > 40.2")
    page.get_by_role("button", name="Agent").click()
    assert page.evaluate("gains.map((each) => each.gain.value)") == [0, 1]
    page.locator("#speed").select_option("2")
    assert page.evaluate("audio.playbackRate") == 2


def test_what_is_heard_is_said_by_keyboard_and_texts_stay_text(open_call):
    page = open_call()
    page.get_by_label("Note", exact=True).fill(NASTY)
    page.locator("#of-call [data-verdict=wrong]").press("Enter")
    page.locator("#said li").wait_for()
    assert "wrong (shown: " in page.locator("#said li").inner_text()
    assert page.locator("#said q").inner_text() == NASTY
    page.locator("#emotion").select_option("happiness")
    page.locator("tr .said .tag").wait_for()
    assert page.locator("tr .said .tag").inner_text() == "ann: wrong: happiness"
    assert page.title() == f"Call {NASTY}"
    page.reload()
    page.locator("#said li").nth(1).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(open_call, scheme):
    page = open_call(bypass_csp=True, color_scheme=scheme, viewport={"width": 390, "height": 800})
    own = page.url.rpartition("/calls/")[0]
    for path in ("", "/", "/calls?show=all", "/queue?queue=" + NASTY, "/day?day=2026-11-03"):
        if path:
            page.goto(own + path)
        assert axe_violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
