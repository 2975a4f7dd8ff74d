"""Every page, both languages, wide and narrow: no fault of access, no word left untranslated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module", autouse=True)
def a_few_segments(live) -> int:
    live.world.segment("VIP", "amount_spent >= 30000")
    live.world.segment("Quiet", "NOT last_order_date >= -90d")
    return live.world.segment("VIP but quiet", "segment = 'VIP' AND segment = 'Quiet'")


PAGES = [
    "/",
    "/segments",
    "/segments?q=nothing",
    "/segments/new",
    "/segments/1",
    "/segments/1?tab=log",
    "/segments/1?tab=definition",
    "/segments/1?tab=tags",
    "/segments/1?tab=revenue",
    "/segments/1/edit",
    "/segments/1/rename",
    "/segments/1/delete",
    "/segments/1/export",
    "/segments/1/why/ana",
    "/segments/1/assign-tag",
    "/segments/combine",
    "/tags",
    "/tracking",
    "/tracking/new?segment=1",
    "/settings",
    "/sync",
    "/nowhere",
]


def faults(page: Page) -> list[str]:
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


def widths_beyond(page: Page) -> list[str]:
    """Name what makes the page scroll sideways."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.querySelectorAll('main *')]
          .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
          .slice(0, 5).map(one => one.outerHTML.slice(0, 90))"""
    )


@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_page_has_an_accessibility_fault(open_page, language: str):
    page = open_page(language, bypass_csp=True)
    page.add_init_script(AXE)
    found = {}
    for address in PAGES:
        page.goto(address)
        found[address] = faults(page)

    assert {address: told for address, told in found.items() if told} == {}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_page_says_what_it_is_and_fits_a_telephone(open_page, picture, language: str):
    page = open_page(language)
    for address in PAGES:
        page.set_viewport_size({"width": 1280, "height": 860})
        page.goto(address)
        picture(page, f"{language}-1280{_name(address)}")

        assert page.locator("h1").count() == 1, address
        assert page.title().endswith(" · Regulars"), address
        assert page.locator("html").get_attribute("lang") == language
        if language == "ja":
            assert english_sentences(page) == [], address
        page.set_viewport_size({"width": 320, "height": 640})
        picture(page, f"{language}-320{_name(address)}")
        assert widths_beyond(page) == [], address


def english_sentences(page: Page) -> list[str]:
    """Find four English words in a row: names and commands are, a text of ours must not be."""
    text = page.evaluate(
        """() => { const copy = document.querySelector('main').cloneNode(true);
        for (const one of copy.querySelectorAll('code, pre, textarea, option, .brand, [lang=en]'))
          one.remove();
        return copy.textContent; }"""
    )
    return re.findall(r"(?:[A-Za-z]+ ){3}[A-Za-z]+", text)


def _name(address: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", address).rstrip("-") or "-home"
