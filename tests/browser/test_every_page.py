"""Every page there is, both languages, wide and narrow: no fault of access, no word untranslated.

The list is read from the routes of the app: a page that is added is looked at, and a place in its
address that nothing is known for fails here by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from regulars.web import pages
from regulars.web.routes import routers
from tests.browser.furnish import furnished

TEMPLATES = Path(pages.__file__).parents[1] / "templates"
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

#: Routes that are looked at elsewhere, and where.
ELSEWHERE = {
    "/help/stream": "never ends; test_talking",
    "/sign-in/{token}": "sends itself and leads on; each page below begins with it",
    "/embedded": "opens inside the Shopify admin; test_in_the_admin",
    "/embedded/bounce": "leads on inside the Shopify admin; test_in_the_admin",
    "/auth": "leads to Shopify; tests/web/test_embedded.py",
    "/auth/callback": "leads on from Shopify; tests/web/test_embedded.py",
}
#: Routes whose page needs another address than the values of its places give.
INSTEAD = {
    "/segments/{segment_id:int}/uploads": "/segments/{csv_segment_id}/uploads",
    "/segments/{segment_id:int}/uploads/undo": "/segments/{csv_segment_id}/uploads/undo",
    "/segments/{segment_id:int}/list.csv": "/segments/{csv_segment_id}/list.csv",
    "/tracking/compare": "/tracking/compare?ids=1&ids=2",
    "/segments/{segment_id:int}/restore": "/segments/{segment_id}/restore?version=1",
    "/segments/templates/{key}": "/segments/templates/active",
    "/segments/templates/recipes/{key}": "/segments/templates/recipes/stages",
}
#: The same pages in other states.
ALSO = (
    "/segments?q=nothing",
    "/segments/{segment_id}?tab=metrics",
    "/segments/{segment_id}?tab=log",
    "/segments/{segment_id}?tab=overlap",
    "/segments/{segment_id}?tab=features&kind=spend",
    "/segments/{segment_id}?tab=cohorts&by=order",
    "/segments/{segment_id}?tab=definition",
    "/segments/{segment_id}?tab=tags",
    "/segments/{segment_id}?tab=revenue",
    "/segments/{segment_id}?q=nobody",
    "/segments/new?query=amount_spnt+%3E+3",
    "/segments/new?query=(number_of_orders+>+1+OR+customer_tags+CONTAINS+'vip')+AND+amount_spent+>+1",
    "/insights/features?kind=hours&orders=first",
    "/insights/cohorts?by=order",
    "/help?q=csv",
    "/help?q=zzzzz",
    "/operator/inbox?state=closed",
    "/settings/audit?verify=1",
    "/tracking?status=finished",
    "/tracking/compare",
    "/segments/{segment_id}/uploads",
    "/nowhere",
)


@pytest.fixture(scope="module")
def shown(live) -> dict[str, str]:
    """Return what every page says, by its address; what answers with less than a page is left
    out."""
    found = {}
    with furnished(live.world, live.url) as shop:
        for path in ("/", *page_routes()):
            address = filled(path, shop.places)
            answer = shop.get(address)
            assert answer.status_code < 400, f"{address}: {answer.status_code}"
            if "<!doctype html>" in answer.text:
                found[address] = answer.text
        for path in ALSO:
            address = filled(path, shop.places)
            found[address] = shop.get(address).text
    return found


@pytest.fixture
def addresses(shown) -> list[str]:
    return list(shown)


@pytest.fixture
def openers(shown) -> dict[str, list[str]]:
    """Return what opens a dialog, by its page: each kind of dialog from the first page that has
    it."""
    found: dict[str, list[str]] = {}
    kinds: set[str] = set()
    for address, text in shown.items():
        for asked in re.findall(r'hx-get="([^"]+)" hx-target="#dialogs"', text):
            kind = re.sub(r"\?.*|/\d+|/\{\}|(?<=/why)/.*", "", asked)
            if kind not in kinds:
                kinds.add(kind)
                found.setdefault(address, []).append(asked)
    return found


def page_routes() -> Iterator[str]:
    for router in routers(pages):
        for route in router.routes:
            path = getattr(route, "path", "")
            if "GET" in getattr(route, "methods", ()) and path not in ELSEWHERE:
                yield INSTEAD.get(path, path)


def filled(path: str, places: dict[str, str]) -> str:
    """Fill the places of a route's address."""
    named = re.findall(r"\{(\w+)", path)
    unknown = [name for name in named if name not in places]
    assert unknown == [], f"{path}: say in tests/browser/furnish.py what {unknown} may be"
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: places[found[1]], path)


def faults(page: Page) -> list[str]:
    """Name what axe finds."""
    found = page.evaluate(
        """rules => axe.run({runOnly: rules, resultTypes: ['violations']})
          .then(found => found.violations)""",
        RULES,
    )
    return [
        f"{one['id']}: {node['html'][:120]} ({node['failureSummary']})"
        for one in found
        for node in one["nodes"]
    ]


def small_targets(page: Page) -> list[str]:
    """Name what is smaller than 24 pixels and too near to another, where there is little room."""
    return page.evaluate(
        """() => axe.run({runOnly: {type: 'rule', values: ['target-size']},
          resultTypes: ['violations']}).then(found => found.violations.flatMap(
          one => one.nodes.map(node => `target-size: ${node.html.slice(0, 120)}`)))"""
    )


def widths_beyond(page: Page) -> list[str]:
    """Name what makes the page scroll sideways."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
        ['wider than the window', ...[...document.querySelectorAll('main *')]
          .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
          .slice(0, 5).map(one => one.outerHTML.slice(0, 90))]"""
    )


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_page_is_whole(open_page, addresses, picture, language: str):
    """Nothing in the console either: a word of the policy or of a script fails `open_page`."""
    page = open_page(language)
    page.add_init_script(AXE)
    wrong: dict[str, list[str]] = {}
    for address in addresses:
        page.set_viewport_size({"width": 1280, "height": 860})
        page.goto(address)
        picture(page, f"{language}-1280{_name(address)}")
        told = [*about_itself(page, language), *faults(page)]
        page.set_viewport_size({"width": 320, "height": 640})
        picture(page, f"{language}-320{_name(address)}")
        told += [*widths_beyond(page), *small_targets(page)]
        if told:
            wrong[address] = told

    assert not wrong, "\n".join(f"{where}: {what}" for where, what in wrong.items())


def test_every_dialog_is_opened_and_closed_by_keyboard(open_page, openers):
    """The focus goes in, and comes back to what opened it."""
    page = open_page(width=320)
    page.set_viewport_size({"width": 320, "height": 640})
    met = set()
    for address, asked in openers.items():
        for one in asked:
            page.goto(address)
            # Before htmx is at work a dialog is a page of its own.
            expect(page.locator("#shortcuts[data-htmx-powered]")).to_be_attached()
            opener = page.locator(f'[hx-get="{one}"], [data-href="{one}"]').first
            menu = opener.locator("xpath=ancestor::*[@popover]")
            back = opener
            if menu.count():
                name = menu.get_attribute("id")
                back = page.locator(f'[popovertarget="{name}"], [data-menu="{name}"]').first
                back.focus()
                page.keyboard.press("Enter")
                # The menu takes the focus a moment after it opens.
                expect(back).to_have_attribute("aria-expanded", "true")
            if opener.get_attribute("id") == "shortcuts":
                back = page.locator("body")
                page.keyboard.press("?")
            else:
                opener.focus()
                page.keyboard.press("Enter")
            dialog = page.get_by_role("dialog")
            expect(dialog).to_be_visible()
            assert about_dialog(page) == [], one
            met.add(dialog.get_attribute("id"))
            page.keyboard.press("Escape")
            expect(dialog).to_be_hidden()
            expect(back).to_be_focused()

    assert met == dialogs_there_are()


def about_dialog(page: Page) -> list[str]:
    """Say what is wrong with the open dialog: it is read from its beginning, walked to its end,
    and its buttons stay in sight."""
    return page.evaluate(
        """() => {
          const dialog = document.querySelector('dialog[open]');
          const end = dialog.querySelector('.dialog-actions').getBoundingClientRect();
          return [dialog.contains(document.activeElement) || 'the focus is outside',
            dialog.scrollTop === 0 || 'its beginning is out of sight',
            dialog.scrollWidth <= dialog.clientWidth || 'it scrolls sideways',
            end.bottom <= innerHeight || 'its buttons are out of sight',
          ].filter(one => one !== true); }"""
    )


def dialogs_there_are() -> set[str]:
    """Return the names of the dialogs that the templates make."""
    texts = [one.read_text(encoding="utf-8") for one in TEMPLATES.rglob("*.html")]
    return {name for text in texts for name in re.findall(r'ui\.dialog\("([\w-]+)"', text)}


def about_itself(page: Page, language: str) -> list[str]:
    """Say what is missing in head and words of a page."""
    told = []
    if page.locator("h1").count() != 1:
        told.append("not one h1")
    if not page.title().endswith(" · Regulars"):
        told.append(f"title {page.title()}")
    if page.locator("html").get_attribute("lang") != language:
        told.append("another language")
    return told + (english_sentences(page) if language == "ja" else [])


def english_sentences(page: Page) -> list[str]:
    """Find four English words in a row: names and commands are, a text of ours must not be."""
    text = page.evaluate(
        """() => { const copy = document.querySelector('main').cloneNode(true);
        const others = 'code, pre, textarea, option, .brand, .message-text, [lang=en]';
        for (const one of copy.querySelectorAll(others)) one.remove();
        return copy.textContent; }"""
    )
    return re.findall(r"(?:[A-Za-z]+ ){3}[A-Za-z]+", text)


def _name(address: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", address).rstrip("-") or "-home"
