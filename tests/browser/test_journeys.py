"""What people do, with mouse, keyboard and Japanese input, before the app with its real policy."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect


def query_text(page: Page) -> str:
    return page.get_by_role("textbox", name="Query text").input_value()


def big_count(page: Page):
    return page.locator("#count .big-count")


def test_a_segment_is_made_with_the_builder_and_counts_while_typing(open_page):
    page = open_page()
    page.get_by_role("link", name="Create segment").first.click()
    expect(big_count(page)).to_have_text("33")
    field = page.get_by_label("Value of Number of orders")
    field.fill("2")

    expect(big_count(page)).to_have_text("22")
    expect(field).to_be_focused()
    assert query_text(page) == "number_of_orders >= 2"

    page.get_by_role("button", name="+ Add condition").first.click()
    second = page.locator("#n-r-1-row")
    second.get_by_label("What to look at").select_option("last_order_date")
    expect(second.get_by_text("customers")).to_be_visible()
    assert query_text(page) == "number_of_orders >= 2 AND last_order_date >= -30d"

    page.get_by_label("Segment name").fill("Made by hand")
    page.get_by_role("button", name="Save segment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Made by hand")
    expect(page.get_by_text("“Made by hand” is saved.")).to_be_visible()


def test_what_is_typed_before_the_scripts_came_is_counted(open_page):
    page = open_page()
    held: list[Route] = []

    def hold(script: Route) -> None:
        held.append(script)

    page.route(re.compile(r"/vendor/htmx"), hold)
    page.goto("/segments/new", wait_until="commit")
    page.get_by_label("Value of Number of orders").fill("2")
    page.get_by_label("Segment name").fill("Typed early")
    expect(big_count(page)).to_have_text("33")
    held.pop().continue_()

    expect(big_count(page)).to_have_text("22")
    expect(page.get_by_label("Segment name")).to_have_value("Typed early")
    assert query_text(page) == "number_of_orders >= 2"


def test_the_builder_follows_the_text_and_a_suggestion_is_one_click(open_page):
    page = open_page()
    page.goto("/segments/new")
    page.get_by_role("textbox", name="Query text").fill("amount_spnt > 3 OR number_of_orders = 1")
    expect(page.locator("#mistakes mark")).to_have_text("amount_spnt")
    page.get_by_role("button", name="Change it to amount_spent").click()

    expect(page.locator("#n-r-join")).to_have_value("OR")
    expect(page.locator("#n-r-0-attr")).to_have_value("amount_spent")
    expect(page.locator("#n-r-1-v1")).to_have_value("1")
    assert query_text(page) == "amount_spent > 3 OR number_of_orders = 1"


def test_the_values_of_the_shop_are_offered_with_their_counts(open_page):
    page = open_page()
    page.goto("/segments/new?query=customer_tags+CONTAINS+%27v%27")
    page.locator("#n-r-0-v1").focus()
    offered = page.locator("#n-r-0-v1-values option")
    expect(offered).to_have_count(1)
    expect(offered).to_have_attribute("value", "vip")
    expect(offered).to_have_text("1 customer")

    text = page.get_by_role("textbox", name="Query text")
    text.fill("customer_countries CONTAINS ")
    text.press("End")
    option = page.get_by_role("option", name="'JP'")
    expect(option).to_contain_text("44 customers")
    option.click()
    expect(text).to_have_value("customer_countries CONTAINS 'JP' ")
    expect(big_count(page)).to_have_text("44")


def test_a_rule_that_cannot_be_read_leaves_the_last_count_in_grey(open_page):
    page = open_page()
    page.goto("/segments/new?query=number_of_orders+%3E%3D+2")
    expect(big_count(page)).to_have_text("22")
    page.get_by_role("textbox", name="Query text").fill("number_of_orders >=")

    expect(page.locator("#count .big-count.stale")).to_have_text("22")
    expect(page.locator("#count")).to_contain_text("before the last change")


def test_an_unfinished_condition_is_marked_at_its_row_and_nothing_is_lost(open_page):
    page = open_page()
    page.goto("/segments/new?query=amount_spent+%3E%3D+1000+AND+number_of_orders+%3E%3D+2")
    field = page.get_by_label("Value of Number of orders")
    field.fill("two")

    expect(page.locator("#n-r-1-row .field-problem")).to_be_visible()
    expect(field).to_have_value("two")
    expect(page.locator("#n-r-0-v1")).to_have_value("1000")


def test_japanese_is_sent_once_it_is_composed(open_page):
    page = open_page("ja")
    page.goto("/segments/new?query=customer_tags+CONTAINS+%27x%27")
    field = page.locator("#n-r-0-v1")
    with page.expect_response("**/segments/preview"):
        field.fill("")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if "preview" in one.url else None)
    field.focus()
    client = page.context.new_cdp_session(page)
    for part in ("t", "と", "とう", "とうk", "とうきょう", "東京"):
        client.send(
            "Input.imeSetComposition",
            {"text": part, "selectionStart": len(part), "selectionEnd": len(part)},
        )
        page.wait_for_timeout(300)
    during = len(sent)
    client.send("Input.insertText", {"text": "東京"})
    expect(page.locator("#query")).to_have_value("customer_tags CONTAINS '東京'")

    assert during == 0
    assert len(sent) == 1


@pytest.fixture
def vip(live) -> int:
    from sqlalchemy import select

    from regulars.office.models.segments import Segment

    with live.world.runtime.office.reading() as session:
        found = session.scalar(select(Segment.id).where(Segment.name == "Journey VIP"))
    return found or live.world.segment("Journey VIP", "amount_spent >= 30000")


def test_the_row_menu_is_walked_with_the_keyboard_alone(open_page, vip: int):
    page = open_page()
    page.goto("/segments")
    button = page.get_by_role("button", name="Actions for Journey VIP")
    button.focus()
    page.keyboard.press("ArrowDown")
    menu = page.get_by_role("menu", name="Actions for Journey VIP")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.type("exp")
    expect(menu.get_by_role("menuitem", name="Export CSV")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Escape")

    expect(menu).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")


def test_one_menu_serves_all_rows_and_a_second_press_closes_it(open_page, live, vip: int):
    live.world.segment("Journey others", "amount_spent < 30000")
    page = open_page()
    page.goto("/segments")
    for name in ("Journey others", "Journey VIP"):
        button = page.get_by_role("button", name=f"Actions for {name}")
        menu = page.get_by_role("menu", name=f"Actions for {name}")
        button.click()
        expect(menu.get_by_role("menuitem").first).to_be_focused()
        button.click()
        expect(menu).to_be_hidden()
        button.focus()
        page.keyboard.press("Space")
        expect(menu.get_by_role("menuitem").first).to_be_focused()
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
    page.keyboard.press("ArrowUp")
    page.get_by_role("menuitem", name="Duplicate").click()
    expect(page).to_have_url(re.compile(rf"/segments/new\?from={vip}$"))


def test_what_is_rarely_looked_at_comes_when_somebody_asks_for_it(open_page, picture):
    page = open_page()
    page.goto("/tracking?status=finished")
    # Before htmx is at work a dialog is a page of its own.
    expect(page.locator("#shortcuts[data-htmx-powered]")).to_be_attached()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys.get_by_text("Search in this list")).to_be_visible()
    picture(page, "shortcuts")
    keys.get_by_role("link", name="Close").click()
    expect(keys).to_be_hidden()
    page.get_by_text("Segment and period").click()
    page.get_by_label("The tracking is").select_option(index=1)
    picture(page, "tracking-choices")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile("status=finished.*meets="))


def test_a_dialog_opens_says_what_is_wrong_and_gives_the_focus_back(open_page, vip: int):
    page = open_page()
    page.goto("/segments")
    page.get_by_role("button", name="Actions for Journey VIP").click()
    page.get_by_role("menuitem", name="Rename").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Name")).to_be_focused()
    dialog.get_by_label("Name").fill(" ")
    dialog.get_by_role("button", name="Rename").click()

    expect(dialog.get_by_text("A segment needs a name.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_why_opens_beside_a_member(open_page, vip: int):
    page = open_page()
    page.goto(f"/segments/{vip}?q=ana")
    page.get_by_role("link", name="Why? Ana").click()

    dialog = page.get_by_role("dialog", name="Why? Ana")
    expect(dialog.get_by_text("Belongs.")).to_be_visible()
    expect(dialog.get_by_text("This customer: ¥35,000")).to_be_visible()


def test_an_order_changes_the_numbers_on_an_open_page(open_page, live):
    segment_id = live.world.segment("Rises by itself", "amount_spent >= 700000")
    page = open_page()
    page.goto("/segments")
    cell = page.locator(f"#segment-{segment_id} [data-count]")
    expect(cell).to_have_text("0")

    live.world.order("Bo", 800_000, order_id="rise-1")

    expect(cell).to_have_text("1", timeout=5000)


def test_polling_rests_while_the_page_is_hidden(open_page):
    page = open_page()
    page.goto("/segments")
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})"
    )
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "seen=" in one.url else None)
    page.wait_for_timeout(2600)

    assert asked == []


def test_markup_from_outside_never_becomes_a_request(open_page, live):
    name = '"><div id=evil hx-get="/settings" hx-trigger=load></div><img src=x onerror=alert(1)>'
    live.world.segment(name, "number_of_orders >= 1")
    page = open_page()
    page.on("dialog", lambda _one: pytest.fail("a script ran"))
    page.goto("/segments")

    expect(page.get_by_role("link", name=name)).to_be_visible()
    assert page.locator("#evil").count() == 0


def test_an_element_without_our_nonce_is_dead(open_page):
    """What gets in by another way (a fault of ours) still cannot send anything."""
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    said = page.evaluate(
        """() => {
          const told = []; const before = console.error;
          console.error = (...all) => told.push(all[0]);
          const evil = document.createElement('div');
          evil.setAttribute('hx-get', '/settings'); evil.setAttribute('hx-trigger', 'load');
          document.body.append(evil); htmx.process(evil); console.error = before; return told;
        }"""
    )
    page.wait_for_timeout(200)

    assert any("blocked" in one for one in said)
    assert [one for one in asked if one.endswith("/settings")] == []


def test_the_main_forms_work_without_script(browser, live, vip: int):
    context = browser.new_context(java_script_enabled=False, base_url=live.url, locale="en")
    page = context.new_page()
    page.goto(f"/sign-in/{live.world.sign_in_token()}")
    page.get_by_role("button", name="Continue").click()
    page.goto("/segments/new")
    page.get_by_label("Segment name").fill("Without script")
    page.get_by_role("textbox", name="Query text").fill("number_of_orders >= 3")
    page.get_by_role("button", name="Save segment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Without script")
    page.goto(f"/segments/{vip}/rename")
    page.get_by_label("Name", exact=True).fill("Journey VIP")
    page.get_by_role("button", name="Rename").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Customer segments")
    context.close()


@pytest.fixture
def at_shopify(live):
    """The shop for once at the pretend Shopify, with one segment of its own there."""
    from regulars.office import Shop
    from tests.contract.shop import open_place

    place, world = open_place(), live.world
    place.shop.create_segment("Subscribed there", "email_subscription_status = 'SUBSCRIBED'")

    def become(kind, domain):
        with world.runtime.office.session() as session:
            shop = session.get_one(Shop, world.shop.id)
            shop.kind, shop.domain = kind, domain

    before = world.shop.kind, world.shop.domain
    become("shopify", place.shop.domain)
    world.runtime._clients[world.shop.id] = place.client
    yield place
    become(*before)
    del world.runtime._clients[world.shop.id]
    place.simulator.close()


def test_segments_go_to_shopify_and_come_from_there(open_page, live, at_shopify):
    live.world.segment("To be written", "number_of_orders >= 2")
    page = open_page(width=320)
    page.goto("/segments/shopify")
    page.get_by_role("button", name="Bring in").click()
    expect(page.get_by_role("link", name="Subscribed there")).to_be_visible()

    page.goto("/segments/shopify")
    for said in ("is at Shopify now", "was brought up to date at Shopify"):
        chosen = page.get_by_label("Segment", exact=True)
        chosen.select_option(
            chosen.locator("option").filter(has_text="To be written").get_attribute("value")
        )
        page.get_by_role("button", name="Write to Shopify").click()
        expect(page.get_by_text(said)).to_be_visible()
    written = {one.name: one.query for one in at_shopify.shop.segments.values()}
    assert written["To be written"] == "number_of_orders >= 2"


def test_a_segment_is_looked_at_on_another_day(open_page, live):
    segment_id = live.world.segment("Looked at", "last_order_date >= -30d")
    page = open_page()
    page.goto(f"/segments/{segment_id}")
    day = page.get_by_label("On the day")
    day.fill("2020-01-05")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nobody belonged on that day")).to_be_visible()
    page.get_by_role("link", name="Back to today").click()
    expect(page.get_by_role("table", name="Members")).to_be_visible()

    page.get_by_role("link", name="What may come").click()
    expect(page.get_by_role("heading", name="Closest to leaving")).to_be_visible()
    page.locator("#leaving").get_by_role("link", name="Why?").first.click()
    expect(page.get_by_role("dialog").get_by_text("Belongs.")).to_be_visible()
