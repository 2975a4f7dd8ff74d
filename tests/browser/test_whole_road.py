"""The main job from end to end by the keyboard alone: a segment, a tag, its removal, a tracking.

Before a pretend Shopify, loaded by bulk.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Locator, Page, expect
from pydantic import SecretStr

from regulars import bootstrap
from regulars.bootstrap.serving import Serving, free_port, serving, sign_in_link
from regulars.settings import Settings
from regulars.simulator.serve import Pretend, PretendShop, open_app, served
from regulars.simulator.simulator import DEMO_TOKEN
from tests.browser.console import listen


class Road:
    """The app beside its pretend Shopify."""

    def __init__(self, app: Serving, shopify: Pretend) -> None:
        self.app = app
        self.shopify = shopify

    @property
    def link(self) -> str:
        return sign_in_link(self.app.runtime, self.app.url)


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    with ExitStack() as stack:
        bound = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        shopify = stack.enter_context(served(open_app(PretendShop(300)), bound))
        port = free_port("127.0.0.1", 0)
        tokens = shopify.simulator.tokens
        settings = Settings(
            home=tmp_path_factory.mktemp("road") / "home",
            port=port,
            public_url=f"http://127.0.0.1:{port}",
            api_key=tokens.client_id,
            api_secret=SecretStr(tokens.client_secret),
            simulator_url=shopify.url,
        )
        runtime = stack.enter_context(
            bootstrap.open_runtime(settings=settings, clock=shopify.simulator.clock)
        )
        app = stack.enter_context(serving(runtime, host="127.0.0.1", port=port))
        shop = app.connect(shopify.simulator.shop.domain, DEMO_TOKEN)
        stack.enter_context(app.in_background())
        waiting = threading.Event()
        for _ in range(600):
            if app.loading(shop)["state"] == "succeeded":
                break
            waiting.wait(0.1)
        yield Road(app, shopify)


@pytest.fixture
def page(browser, road: Road) -> Iterator[Page]:
    context = browser.new_context(base_url=road.app.url, locale="en", reduced_motion="reduce")
    opened = context.new_page()
    said: list[str] = []
    listen(opened, said)
    opened.goto(road.link)
    opened.wait_for_url("**/")
    yield opened
    context.close()
    assert said == []


def test_from_the_first_segment_to_its_revenue_by_keyboard(page: Page, road: Road, picture):
    count = make_segment(page)
    picture(page, "road-1-segment")
    assign_tag(page, picture)
    assert tagged(road) == count
    remove_tag(page, picture)
    assert tagged(road) == 0
    track(page)
    picture(page, "road-5-tracking")


def go(page: Page, target: Locator) -> None:
    """Walk to an element by the Tab key alone."""
    expect(target).to_be_visible()
    for _ in range(150):
        page.keyboard.press("Tab")
        if target.evaluate("one => one === document.activeElement"):
            return
    pytest.fail(f"the Tab key does not reach {target}")


def make_segment(page: Page) -> int:
    go(page, page.get_by_role("link", name="Create segment").first)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Segment name")).to_be_focused()
    page.keyboard.type("Regular buyers")
    query = page.get_by_role("textbox", name="Query text")
    go(page, query)
    page.keyboard.press("Control+a")
    page.keyboard.type("number_of_or")
    proposal = page.get_by_role("option", name="number_of_orders")
    expect(proposal).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(proposal).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(query).to_have_value("number_of_orders ")
    page.keyboard.type(">= 3")
    page.keyboard.press("Escape")
    expect(page.get_by_text("placed 3 or more orders")).to_be_visible()
    count = int(page.locator("#count .big-count").inner_text().replace(",", ""))
    assert 0 < count < 300
    go(page, page.get_by_role("button", name="Save segment"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Regular buyers")
    expect(page.locator("#segment-head .figure").first).to_have_text(str(count))
    return count


def open_menu(page: Page) -> Locator:
    page.goto("/segments")
    go(page, page.get_by_role("button", name="Actions for Regular buyers"))
    page.keyboard.press("Enter")
    menu = page.get_by_role("menu", name="Actions for Regular buyers")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    return menu


def assign_tag(page: Page, picture) -> None:
    menu = open_menu(page)
    expect(menu.get_by_role("menuitem", name="Assign Customer Tag")).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Tag name")).to_be_focused()
    page.keyboard.type("regular")
    expect(dialog.locator("#tag-preview")).to_contain_text("will get it")
    picture(page, "road-2-dialog")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tags/*")
    page.goto("/tags")
    status = page.locator("#tag-rows .badge")
    expect(status).to_have_text("Assigned")
    picture(page, "road-3-history")


def remove_tag(page: Page, picture) -> None:
    go(page, page.locator("#tag-rows").get_by_label("Remove tag").first)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    picture(page, "road-4-remove")
    go(page, dialog.get_by_role("button", name="Remove tag"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/tags/*")
    page.goto("/tags")
    expect(page.locator("#tag-rows .badge")).to_have_text("Removed")


def track(page: Page) -> None:
    menu = open_menu(page)
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("menuitem", name="Create revenue tracking")).to_be_focused()
    page.keyboard.press("Enter")
    go(page, page.get_by_role("button", name="Create", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Regular buyers")


def tagged(road: Road) -> int:
    customers = road.shopify.simulator.shop.customers.values()
    return sum("regular" in one.tags for one in customers)
