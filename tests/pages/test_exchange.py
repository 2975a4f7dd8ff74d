"""The shop's own segments at the pretend Shopify: brought in, and ours written there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from regulars.errors import InputError
from regulars.jobs import exchanging
from regulars.office import Shop
from regulars.segments import edit_segment, find_segment, list_segments
from regulars.shopify.documents import API_VERSION_OLDEST
from tests.contract.shop import Place, client_of, open_place
from tests.web.visitor import Visitor
from tests.web.world import World, open_world

THEIRS = {
    "Subscribed": "email_subscription_status = 'SUBSCRIBED'",
    "Two orders": "orders_placed(since: -90d) = true",
    "Opened a mail": "shopify_email.opened MATCHES ()",
    "From the app": "created_by_app_id = 580111",
}


@pytest.fixture
def place() -> Iterator[Place]:
    made = open_place()
    for name, query in THEIRS.items():
        made.shop.create_segment(name, query)
    yield made
    made.simulator.close()


@pytest.fixture
def connected(tmp_path: Path, place: Place) -> Iterator[World]:
    """A shop at the pretend Shopify, with one segment of its own here."""
    with open_world(tmp_path) as world:
        with world.runtime.office.session() as session:
            shop = session.get_one(Shop, world.shop.id)
            shop.kind, shop.domain = "shopify", place.shop.domain
        world.shop = shop
        world.runtime._clients[shop.id] = place.client
        world.segment("subscribed", "number_of_orders >= 1")
        yield world


@pytest.fixture
def visitor(connected: World) -> Visitor:
    found = Visitor(connected.app)
    found.sign_in(connected.sign_in_token())
    return found


def ours(world: World) -> dict[str, str]:
    with world.runtime.office.reading() as session:
        return {one.name: one.query for one in list_segments(session, world.shop)}


def at_shopify(place: Place) -> dict[str, str]:
    return {one.name: one.query for one in place.shop.segments.values()}


def post_json(world: World, address: str, content: object) -> dict[str, Any]:
    told = Visitor(world.app).ask(
        "POST",
        address,
        content=json.dumps(content).encode(),
        content_type="application/json",
        authorization=f"Bearer {world.runtime.local_token}",
    )
    assert told.status in {200, 201}, told.body
    answer: dict[str, Any] = json.loads(told.body)
    return answer


def test_each_is_listed_with_why_it_cannot_be_read(visitor: Visitor):
    told = json.loads(visitor.get("/api/v1/shops/demo/shopify-segments").body)["segments"]

    assert [(one["name"], one["state"]) for one in told] == [
        ("Subscribed", "new"),
        ("Two orders", "new"),
        ("Opened a mail", "refused"),
        ("From the app", "refused"),
    ]
    assert [one["problems"][0]["code"] for one in told[2:]] == ["not_available"] * 2


def test_pulled_segments_keep_their_text_and_get_a_free_name(connected: World, visitor: Visitor):
    page = visitor.get("/segments/shopify")
    boxes = [one for one in page.root.all("input") if one.get("name") == "names"]
    ticked = [("names", one.get("value")) for one in boxes if "checked" in one.attributes]
    answer = visitor.ask(
        "POST",
        "/segments/shopify/pull",
        content=urlencode(ticked).encode(),
        content_type="application/x-www-form-urlencoded",
        sec_fetch_site="same-origin",
        hx_request="true",
    )

    assert len(boxes) == len(THEIRS)
    assert answer.headers["hx-redirect"] == "/segments"
    assert ours(connected) == {
        "subscribed": "number_of_orders >= 1",
        "Subscribed (2)": THEIRS["Subscribed"],
        "Two orders": THEIRS["Two orders"],
    }
    connected.work()
    with connected.runtime.office.reading() as session:
        assert {one.state for one in list_segments(session, connected.shop)} == {"ready"}


def test_pulling_again_brings_nothing_twice(connected: World):
    for _ in range(2):
        done = exchanging.pull(connected.jobs, connected.shop, author="ana", now=connected.now)

    assert [one.state for one in done] == ["here", "here", "refused", "refused"]
    assert len(ours(connected)) == 3


def test_two_that_ask_the_same_become_one(connected: World, place: Place):
    place.shop.create_segment("Again", "email_subscription_status='SUBSCRIBED'")
    done = exchanging.pull(connected.jobs, connected.shop, author="ana", now=connected.now)

    assert done[-1].state == "here"
    assert done[-1].segment_id == done[0].segment_id


def test_more_than_a_page_of_them_is_listed(connected: World, place: Place):
    for number in range(120):
        place.shop.create_segment(f"N {number}", f"number_of_orders = {number}")

    assert len(exchanging.offers(connected.runtime, connected.shop)) == 124


def test_a_pushed_segment_is_written_in_the_form_of_the_version(
    connected: World, place: Place, visitor: Visitor
):
    segment_id = connected.segment("Regulars", "orders_placed MATCHES (count >= 2)")
    page = visitor.get("/segments/shopify")
    after = visitor.press(page, "Write to Shopify", Segment=str(segment_id))

    assert after.status == 200
    assert at_shopify(place)["Regulars"] == "orders_placed MATCHES (count >= 2)"

    older = client_of(place.simulator, place.time, api_version=API_VERSION_OLDEST)
    connected.runtime._clients[connected.shop.id] = older
    connected.segment("Older", "orders_placed MATCHES (date = 2026-05-30)")
    exchanging.push(connected.runtime, connected.shop, "Older", author="ana")
    assert at_shopify(place)["Older"] == "orders_placed(date: 2026-05-30) = true"


def test_pushing_again_changes_the_segment_that_was_written_before(
    connected: World, place: Place, visitor: Visitor
):
    segment_id = connected.segment("Twice", "number_of_orders >= 2")
    push = f"/api/v1/shops/demo/segments/{segment_id}/push"
    first = post_json(connected, push, {})
    with connected.runtime.office.session() as session:
        segment = find_segment(session, connected.shop, segment_id)
        edit_segment(
            session, connected.shop, segment, query="number_of_orders >= 3", author="ana",
            now=connected.now,
        )  # fmt: skip
    page = visitor.get("/segments/shopify")
    assert "Twice (written before: will be changed there)" in page.text
    visitor.press(page, "Write to Shopify", Segment=str(segment_id))
    third = post_json(connected, push, {"name": "Thrice"})

    assert (first["is_new"], third["is_new"]) == (True, False)
    assert third["id"] == first["id"]
    assert at_shopify(place) == THEIRS | {"Thrice": "number_of_orders >= 3"}

    # Taken out over there, it is made anew.
    place.shop.delete_segment(next(one for one in place.shop.segments.values()
                                   if one.name == "Thrice"))  # fmt: skip
    assert post_json(connected, push, {})["is_new"]
    assert at_shopify(place)["Twice"] == "number_of_orders >= 3"


def test_the_api_brings_in_those_that_are_named(connected: World):
    told = post_json(
        connected,
        "/api/v1/shops/demo/shopify-segments/pull",
        {"names": ["Two orders", "Opened a mail"]},
    )

    assert [(one["name"], one["state"]) for one in told["segments"]] == [
        ("Two orders", "new"),
        ("Opened a mail", "refused"),
    ]
    assert ours(connected)["Two orders"] == THEIRS["Two orders"]


def test_what_shopify_lacks_is_named_and_nothing_is_written(
    connected: World, place: Place, visitor: Visitor
):
    many = " AND ".join(f"number_of_orders != {number}" for number in range(11))
    segment_id = connected.segment("Ours alone", f"{many} AND segment = 'subscribed'")
    page = visitor.press(
        visitor.get("/segments/shopify"), "Write to Shopify", Segment=str(segment_id)
    )

    assert page.status == 422
    assert "at most 10 conditions" in page.text
    assert "Shopify's segment language has no segment" in page.text
    assert at_shopify(place) == THEIRS


def test_a_name_taken_at_shopify_is_told(connected: World, place: Place):
    with pytest.raises(InputError, match="has already been taken"):
        exchanging.push(
            connected.runtime, connected.shop, "subscribed", name="Subscribed", author="ana"
        )


def test_the_list_of_segments_leads_there(visitor: Visitor):
    page = visitor.get(visitor.get("/segments").link("Segments at Shopify"))

    assert page.heading == "Segments at Shopify"


def test_a_shop_made_of_files_is_told_that_it_has_none(tmp_path: Path):
    with open_world(tmp_path) as world:
        visitor = Visitor(world.app)
        visitor.sign_in(world.sign_in_token())

        assert "was made of files" in visitor.get("/segments/shopify").text
        assert visitor.get("/api/v1/shops/demo/shopify-segments").status == 422
