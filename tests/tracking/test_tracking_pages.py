"""Trackings through the pages: creation, refusals, growing figures, comparison, no customers."""

from __future__ import annotations

import re

import pytest

from tests.tags.browsing import open_browser
from tests.web.world import open_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with open_world(tmp_path_factory.mktemp("home")) as world:
        world.vip = world.segment("VIP", "amount_spent >= 30000")
        yield world


@pytest.fixture(scope="module")
def browser(world):
    with open_browser(world) as browser:
        yield browser


def send(browser, address, **fields):
    return browser.post(address, **fields)


def create(browser, world, **changes):
    fields = {
        "segment": str(world.vip),
        "starts_on": "2026-11-20",
        "ends_on": "2026-12-19",
        "population": "order_time",
    }
    return send(browser, "/tracking", **{**fields, **changes})


def test_an_order_of_a_member_shows_on_the_page_of_the_tracking(world, browser):
    address = create(browser, world).headers["HX-Redirect"]
    before = browser.get(address).text
    world.order("Ana", 1234, order_id="new-1")
    after = browser.get(address).text

    assert "VIP 2026-11-20 – 2026-12-19" in before
    assert "No orders from these customers in the period so far" in before
    assert "¥1,234" in after
    assert "day 1 of 30" in after


def test_yesterday_is_refused_beside_the_field_with_what_was_typed_kept(world, browser):
    answer = create(browser, world, starts_on="2026-11-19", name="Typed name")

    assert answer.status_code == 422
    assert "The period must start today or later. Today is Nov 20, 2026" in answer.text
    assert "Typed name" in answer.text
    assert "min=2026-11-20" in answer.text


def test_the_home_filters_sorts_and_gives_a_file(world, browser):
    create(browser, world, name="Findable", ends_on="2026-11-21")

    found = browser.get("/tracking", params={"q": "findab", "sort": "revenue"}).text
    none = browser.get("/tracking", params={"first": "2027-06-01"}).text
    lines = browser.get("/tracking", params={"q": "findab", "format": "csv"}).text.splitlines()

    assert "Findable" in found
    assert "Findable" not in none
    assert len(lines) == 2
    assert "Findable" in lines[1]


def test_update_changes_the_name_and_refuses_a_taken_one(world, browser):
    first = create(browser, world, name="One").headers["HX-Redirect"]
    create(browser, world, name="Two")

    refused = send(browser, f"{first}/update", name="two", note="")
    send(browser, f"{first}/update", name="One renamed", note="for Dee")

    assert refused.status_code == 422
    assert "There is a tracking named “two” already." in refused.text
    page = browser.get(first).text
    assert "One renamed" in page
    assert "for Dee" in page


def test_comparison_shows_each_tracking_and_its_address_says_all(world, browser):
    numbers = [
        create(browser, world, name=name).headers["HX-Redirect"].rpartition("/")[2]
        for name in ("Left", "Right")
    ]
    for view in ("absolute", "per_customer", "cumulative", "index"):
        for align in ("day", "date"):
            page = browser.get(
                "/tracking/compare",
                params={"ids": numbers, "view": view, "align": align, "measure": "average"},
            )

            assert page.status_code == 200
            assert "Left" in page.text
            assert "Right" in page.text


def test_one_tracking_cannot_be_compared(world, browser):
    answer = browser.get("/tracking/compare", params={"ids": ["1"]})

    assert answer.status_code == 422
    assert "Choose 2 to 12 trackings" in answer.text


def test_no_page_of_a_tracking_names_a_customer(world, browser):
    address = create(browser, world).headers["HX-Redirect"]
    world.order("Ana", 500, order_id="new-2")
    texts = [browser.get(address).text, browser.get("/tracking").text]

    for text in texts:
        assert not re.search(r"\bAna\b|ana@shop", text)


def test_a_tracking_can_be_cancelled_and_deleted(world, browser):
    address = create(browser, world, name="Short-lived").headers["HX-Redirect"]
    send(browser, f"{address}/cancellation")
    assert "Cancelled" in browser.get(address).text

    send(browser, f"{address}/delete")

    assert browser.get(address).status_code == 404


@pytest.mark.parametrize(
    "path", ["/tracking", "/tracking/new", "/tracking/1", "/tracking/1/update"]
)
def test_pages_speak_japanese(world, browser, path):
    browser.cookies.set("regulars_language", "ja")
    text = browser.get(path).text
    browser.cookies.delete("regulars_language")

    assert "売上トラッキング" in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"starts_on": "2026-11-19"}, "The period must start today or later"),
        ({"ends_on": "2026-11-18"}, "is before the first day"),
        ({"ends_on": "2027-11-21"}, "This one would last 367 days"),
    ],
)
def test_a_period_that_cannot_be_is_refused_by_the_server(world, browser, changes, told):
    answer = create(browser, world, **changes)

    assert answer.status_code == 422
    assert told in answer.text


def test_the_home_tells_overlapping_periods_from_those_within(world, browser):
    create(browser, world, name="Long", ends_on="2026-12-31")
    days = {"q": "Long", "first": "2026-11-01", "last": "2026-11-30"}

    assert "Long" in rows(browser, **days)
    assert "Long" not in rows(browser, **days, meets="within")
    assert "Long" in rows(browser, q="Long", days="next_30")
    assert "Long" not in rows(browser, q="Long", days="next_30", meets="within")


def rows(browser, **params):
    return browser.get("/tracking", params={**params, "format": "csv"}).text


def test_a_comparison_tells_common_customers_as_numbers_and_gives_a_file(world, browser):
    numbers = [
        create(browser, world, name=name).headers["HX-Redirect"].rpartition("/")[2]
        for name in ("Here", "There")
    ]
    page = browser.get("/tracking/compare", params={"ids": numbers, "view": "per_day"}).text
    lines = browser.get("/tracking/compare", params={"ids": numbers, "format": "csv"}).text

    assert "Customers in common" in page
    assert not re.search(r"\bAna\b|ana@shop", page)
    assert lines.splitlines()[0].endswith("day,Here,There")
