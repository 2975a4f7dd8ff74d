"""Take the pictures of the guide from a running demo: `python scripts/pictures.py SIGN-IN-LINK`.

Makes segments, a tag, trackings, an upload and a conversation there, and writes docs/images/*.png
in both languages. Start the demo anew for each run: `make demo N=2000 BROWSER=no`.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SEGMENTS = {
    "VIP": "amount_spent >= 100000 AND number_of_orders >= 5",
    "Win back": "number_of_orders >= 2 AND last_order_date < -180d",
    "First order this month": "number_of_orders = 1 AND first_order_date >= -30d",
    "Newsletter in Tokyo": "email_subscription_status = 'SUBSCRIBED'"
    " AND customer_regions CONTAINS 'JP-13'",
    "Repeat buyers": "number_of_orders >= 2",
}
#: Name of a picture → its page; the number of the upload is filled in.
PLACES = {
    "home": "/",
    "segments": "/segments",
    "templates": "/segments/templates",
    "editor": "/segments/1/edit",
    "segment": "/segments/1",
    "combine": "/segments/combine?with=1",
    "upload": "/segments/upload/{upload}/check",
    "static": "/segments/static",
    "tags": "/tags",
    "tracking": "/tracking/2",
    "compare": "/tracking/compare?ids=1&ids=2",
    "overlap": "/insights",
    "features": "/insights/features?segment=1&kind=types",
    "cohorts": "/insights/cohorts",
    "journey": "/insights/journey",
    "news": "/news",
    "settings": "/settings",
    "sync": "/sync",
    "keys": "/settings/keys",
    "webhooks": "/settings/endpoints",
    "team": "/settings/team",
    "installation": "/settings/installation",
    "health": "/settings/health",
    "privacy": "/settings/privacy",
    "audit": "/settings/audit",
    "inbox": "/operator/inbox",
}
GUESTS = "email\n{email}\n{email}\nnobody@shop.example\nnot an address\n"
#: How high a picture may be; what is below says nothing new.
HEIGHT_MAX = 1100


def make_segments(page: Page, base: str) -> None:
    for name, query in SEGMENTS.items():
        page.goto(f"{base}/segments/new")
        page.locator("#name").fill(name)
        page.locator("#query").fill(query)
        page.keyboard.press("Escape")
        expect(page.locator("#count .big-count")).not_to_have_text("–")
        page.get_by_role("button", name="Save segment").click()
        page.wait_for_url(re.compile(r"/segments/\d+$"))


def give_a_tag(page: Page, base: str) -> None:
    page.goto(f"{base}/segments/1/assign-tag")
    page.get_by_label("Tag name").fill("vip-2026")
    page.get_by_role("button", name="Assign", exact=True).click()
    page.wait_for_url(re.compile(r"/tags/\d+$"))
    page.goto(f"{base}/tags")
    expect(page.locator("#tag-rows .badge").first).to_have_text("Assigned", timeout=60_000)


def start_trackings(page: Page, base: str) -> None:
    for segment in (1, 5):
        page.goto(f"{base}/tracking/new?segment={segment}")
        page.get_by_role("button", name="Create", exact=True).click()
        page.wait_for_url(re.compile(r"/tracking/\d+$"))


def upload_a_file(page: Page, base: str) -> str:
    """Go as far as the check, and return the number of the upload."""
    page.goto(f"{base}/segments/1")
    email = page.locator("#members .rule").first.inner_text()
    page.goto(f"{base}/segments/upload")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "guests.csv"
        file.write_text(GUESTS.format(email=email), encoding="utf-8")
        page.locator("input[type=file]").set_input_files(file)
        page.locator("main form button.primary").first.click()
        page.wait_for_url(re.compile(r"/upload/\d+/file"))
    (number,) = re.findall(r"/upload/(\d+)", page.url)
    page.goto(f"{base}/segments/upload/{number}/columns")
    page.locator("main form button.primary").first.click()
    page.wait_for_url(re.compile(r"/check"))
    return str(number)


def tell_a_program(page: Page, base: str) -> None:
    page.goto(f"{base}/settings/endpoints")
    page.locator("#address").fill("https://programs.example/regulars")
    page.locator("main form button.primary").click()
    expect(page.locator(".secret")).to_be_visible()


def ask(page: Page, base: str) -> None:
    page.goto(f"{base}/help?page=/tags")
    page.locator(".composer textarea").fill("How long does a tag take?")
    page.locator(".composer button").click()
    expect(page.locator(".message.mine")).to_have_count(1)


def take(context: BrowserContext, base: str, suffix: str, places: Mapping[str, str]) -> None:
    page = context.new_page()
    for name, path in places.items():
        page.goto(base + path)
        page.wait_for_load_state("load")
        keep(page, f"{name}{suffix}")
    page.goto(f"{base}/segments/1")
    page.locator("#members .button.small").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.screenshot(path=IMAGES / f"why{suffix}.png")
    page.goto(f"{base}/segments")
    page.locator("#help-button").click()
    expect(page.locator("#help-panel .chat-log")).to_be_visible()
    page.screenshot(path=IMAGES / f"help{suffix}.png")
    page.close()


def keep(page: Page, name: str) -> None:
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": 1280, "height": min(max(height, 640), HEIGHT_MAX)})
    page.screenshot(path=IMAGES / f"{name}.png")
    page.set_viewport_size({"width": 1280, "height": 800})


def main(link: str) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    base = link.split("/sign-in", maxsplit=1)[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        context = browser.new_context(
            viewport={"width": 1280, "height": 800}, reduced_motion="reduce"
        )
        page = context.new_page()
        page.goto(link)
        page.wait_for_url(f"{base}/")
        make_segments(page, base)
        give_a_tag(page, base)
        start_trackings(page, base)
        places = {
            name: path.format(upload=number)
            for number in [upload_a_file(page, base)]
            for name, path in PLACES.items()
        }
        tell_a_program(page, base)
        ask(page, base)
        take(context, base, "", places)
        page.goto(base)
        page.locator(".language button[lang=ja]").click()
        expect(page.locator("html")).to_have_attribute("lang", "ja")
        take(context, base, "-ja", places)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
