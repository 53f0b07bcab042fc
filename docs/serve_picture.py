"""Makes docs/serve-call.png: the page of the worst call of the demo.

Run: ser-batch demo --root data/demo && python docs/serve_picture.py data/demo
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

from ser_batch.config import Settings
from ser_batch.serve.server import Server
from ser_batch.serve.site import Site
from ser_batch.store.paths import Root

PICTURE = Path(__file__).with_name("serve-call.png")
CHROMIUM = "/usr/bin/chromium"


def main(root: Root) -> None:
    """Open the first of the calls to listen to and take its picture."""
    site = Site(root, Settings())
    server = Server(site.routes, host="127.0.0.1", port=0, start="/calls", asks_name=True)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 1010})
        page.goto(server.url)
        page.get_by_label("Your name").fill("Ann")
        page.keyboard.press("Enter")
        page.locator(".calls h3 a").first.click()
        page.wait_for_selector("path.wave[d]", state="attached")
        page.wait_for_selector(".playhead", state="visible")
        page.screenshot(path=PICTURE)
        browser.close()
    server.stop()
    thread.join()
    site.close()


main(Root(Path(sys.argv[1]).absolute()))
