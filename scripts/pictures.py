"""Take the pictures of the guide from a running demo: `python scripts/pictures.py SIGN-IN-LINK`.

Makes a few segments, a tag and a tracking there, and writes docs/images/*.png in both languages.
Start the demo anew for each run: `make demo N=3000 BROWSER=no`.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SEGMENTS = {
    "VIP": "amount_spent >= 100000 AND number_of_orders >= 5",
    "Win back": "number_of_orders >= 2 AND last_order_date < -180d",
    "First order this month": "number_of_orders = 1 AND first_order_date >= -30d",
    "Newsletter in Tokyo": "email_subscription_status = 'SUBSCRIBED'"
    " AND customer_regions CONTAINS 'JP-13'",
}


def make_segments(page: Page, base: str) -> None:
    for name, query in SEGMENTS.items():
        page.goto(f"{base}/segments/new")
        page.locator("#name").fill(name)
        page.locator("#query").fill(query)
        page.wait_for_timeout(1200)
        page.get_by_role("button", name="Save segment").click()
        page.wait_for_url(re.compile(r"/segments/\d+$"))


def give_a_tag(page: Page, base: str) -> None:
    page.goto(f"{base}/segments/1/assign-tag")
    page.get_by_label("Tag name").fill("vip-2026")
    page.get_by_role("button", name="Assign", exact=True).click()
    page.wait_for_timeout(4000)


def start_a_tracking(page: Page, base: str) -> None:
    page.goto(f"{base}/tracking/new?segment=1")
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_timeout(1500)


def take(context: BrowserContext, base: str, suffix: str) -> None:
    page = context.new_page()
    places = {
        "home": "/",
        "segments": "/segments",
        "editor": "/segments/1/edit",
        "segment": "/segments/1",
        "tags": "/tags",
        "tracking": "/tracking/1",
    }
    for name, path in places.items():
        page.goto(base + path)
        page.wait_for_timeout(1500)
        page.screenshot(path=IMAGES / f"{name}{suffix}.png")
    page.close()


def main(link: str) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    base = link.split("/sign-in", maxsplit=1)[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.goto(link)
        page.wait_for_url(f"{base}/")
        page.get_by_role("button", name="I have read this").click()
        make_segments(page, base)
        give_a_tag(page, base)
        start_a_tracking(page, base)
        take(context, base, "")
        page.goto(base)
        page.get_by_role("button", name="日本語").click()
        page.wait_for_timeout(800)
        take(context, base, "-ja")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
