"""Segments are combined, ordered, nested, saved and opened again; all of it by keyboard.

Where the focus is can be seen all the while: outlined, in the window, under nothing.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from regulars.language import parse
from tests.browser.conftest import Live
from tests.browser.test_whole_road import go

PARTS = {
    "Spenders": "amount_spent >= 10000",
    "Lately": "last_order_date >= -60d",
    "Often": "number_of_orders >= 2",
}
#: A tab of a segment → what it shows.
TABS = {
    "Metrics": "#by-day-customers",
    "Joined & left": "#log",
    "What may come": ".close-ones, .card",
    "Overlap": "#sizes",
    "Features": "#plot-features, .card",
    "Cohorts": ".card",
    "Tags": "#tags .empty",
    "Revenue": "#revenue .empty",
    "Definition": ".query-text",
    "Members": "#members table",
}
#: Says what is wrong with how the focus is seen, or nothing.
UNSEEN = """() => {
  const one = document.activeElement;
  // The parts of a date have the browser's own mark.
  if (one === document.body || one.matches('input[type=date]')) return '';
  const style = getComputedStyle(one), at = one.getBoundingClientRect();
  const told = one.outerHTML.slice(0, 120);
  if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2)
    return 'no outline: ' + told;
  const x = at.left + Math.min(at.width / 2, 12), y = at.top + at.height / 2;
  if (at.width * at.height === 0 || x < 0 || x > innerWidth || y < 0 || y > innerHeight)
    return 'outside the window: ' + told;
  const top = document.elementFromPoint(x, y);
  return top === one || one.contains(top) || top.contains(one) ? '' : 'covered: ' + told;
}"""


@pytest.fixture(scope="module")
def parts(live: Live) -> dict[str, int]:
    return {name: live.world.segment(name, query) for name, query in PARTS.items()}


def members(live: Live, query: str) -> str:
    world = live.world
    found = world.runtime.evaluator(world.shop).members(
        parse(query), world.runtime.context(world.shop)
    )
    return str(len(found))


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    go(page, target)
    page.keyboard.press(key)


def test_segments_are_combined_nested_saved_and_opened_again(open_page, live, parts):
    page = open_page()
    count = page.locator("#count .big-count")
    spenders, lately, often = PARTS.values()
    page.goto(f"/segments/combine?with={parts['Spenders']}")
    expect(count).to_have_text(members(live, spenders))

    go(page, page.get_by_label("Part 2", exact=True))
    page.keyboard.type("Lately")
    expect(count).to_have_text(members(live, f"({spenders}) AND ({lately})"))
    expect(page.locator("#count .overlap li")).to_have_count(2)

    # Two further: in all, in any, in the first alone. The order matters there.
    press(page, page.get_by_label("Who belongs"), "ArrowDown")
    expect(count).to_have_text(members(live, f"({spenders}) OR ({lately})"))
    page.keyboard.press("ArrowDown")
    expect(count).to_have_text(members(live, f"({spenders}) AND NOT ({lately})"))
    press(page, page.get_by_role("button", name="Move down: Part 1"))
    expect(count).to_have_text(members(live, f"({lately}) AND NOT ({spenders})"))

    press(page, page.get_by_role("button", name="Add group"))
    inner = page.locator("#c-r-2")
    expect(inner).to_be_visible()
    go(page, inner.get_by_label("Part 1", exact=True))
    page.keyboard.type("Often")
    expect(count).to_have_text(members(live, f"({lately}) AND NOT ({spenders}) AND NOT ({often})"))

    # A part that nobody chose would be refused.
    press(page, inner.get_by_role("button", name="Remove: Part 2"))

    go(page, page.get_by_label("Name of the new segment"))
    page.keyboard.type("Lately, not much")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("heading", level=1)).to_have_text("Lately, not much")
    walk_the_tabs(page)
    page.goto(f"{page.url.partition('?')[0]}/edit")
    expect(page.get_by_role("textbox", name="Query text")).to_have_value(
        re.compile(r"segment = 'Lately' .*'Spenders'.*'Often'", re.S)
    )


def walk_the_tabs(page: Page) -> None:
    tabs = page.get_by_role("navigation", name="Parts of this segment")
    for name, shown in TABS.items():
        press(page, tabs.get_by_role("link", name=name, exact=True))
        expect(tabs.get_by_role("link", name=name, exact=True)).to_have_attribute(
            "aria-current", "page"
        )
        expect(page.locator(shown).first).to_be_visible()
        if name == "Metrics":
            look_at_figures(page)


def look_at_figures(page: Page) -> None:
    """Another figure by the arrow keys, and its plot as a table."""
    press(page, page.get_by_label("Figure"), "ArrowDown")
    page.wait_for_url(re.compile("of=(?!customers)"))
    press(page, page.get_by_text("Show as table").first)
    expect(page.locator("#metrics table").first).to_be_visible()


@pytest.mark.parametrize("width", [1280, 320])
def test_the_focus_is_always_seen(open_page, parts, width: int):
    page = open_page(width=width)
    wrong = []
    for address in (f"/segments/{parts['Often']}/edit", "/segments", "/settings"):
        page.goto(address)
        page.evaluate("document.body.focus()")
        for _ in range(40):
            page.keyboard.press("Tab")
            told = page.evaluate(UNSEEN)
            if told:
                wrong.append(f"{address}: {told}")

    assert wrong == []
