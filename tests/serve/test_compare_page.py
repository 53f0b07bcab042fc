"""The pages that compare and document, in headless Chromium: on a phone, dark, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ser_batch.config import Settings
from ser_batch.serve.server import Server
from ser_batch.stages.publish import publish
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.lakes import MODEL_ID, put_weeks
from tests.report.pages import axe_violations
from tests.serve.site import serving

pytestmark = pytest.mark.browser


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    root = Root(tmp_path)
    put_weeks(Lake(root.lake), n_days=14, n_calls=140)
    publish(root, Settings(), MODEL_ID)
    with serving(root, "/compare") as server:
        yield server


def test_a_question_is_asked_by_keyboard_and_the_tables_are_explained(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme="dark")
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(server.url)
    page.get_by_label("Your name").fill("ann")
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict")
    page.locator("select[name=queue]").select_option("billing")
    page.locator("select[name=with]").select_option("the other queues")
    page.get_by_role("button", name="Compare").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=other queues, ")
    assert "queue=billing&with=others" in page.url
    assert page.locator(".verdict").inner_text().startswith("Worse, beyond chance: ")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe_violations(page) == []
    page.get_by_role("link", name="Tables").focus()
    page.keyboard.press("Enter")
    page.locator('svg a[href="#trend"]').click()
    page.wait_for_selector("#trend[open]")
    page.locator("#cookbook-worst_moments summary").click()
    page.locator("#cookbook-worst_moments .copy").click()
    page.wait_for_selector("text=Copied")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe_violations(page) == []
    assert trouble == []
    context.close()
