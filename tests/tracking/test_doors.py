"""Trackings through page and API: the same refusals, the same filters, and never a customer."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import httpx
import pytest

from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment, TagHoldout
from regulars.tracking import counter_of
from regulars.warehouse.facts import CustomersMerged, LineFact, OrderFact, RefundChange, RefundFact
from regulars.web.team import Act, make_key
from tests.tags.browsing import open_browser
from tests.web.world import CAST, open_world, order_fact

PERIOD = {"starts_on": "2026-11-20", "ends_on": "2026-12-19"}
REFUSED = [
    (
        {"starts_on": "2026-11-19"},
        "Today is {today} in your shop's time zone (Asia/Tokyo).",
    ),
    ({"ends_on": "2026-11-18"}, "is before the first day"),
    ({"ends_on": "2027-11-21"}, "up to one year (366 days). This one would last 367 days."),
    ({"starts_on": "soon"}, '"soon" is not a day.'),
    ({"population": "everybody"}, "Choose order-time, start or ever."),
    ({"segment": "Nobody knows"}, "Nobody knows"),
    ({"name": "x" * 256}, "The name has 256 characters. It can have up to 255."),
]


class Api:
    """The API with a key that may do everything."""

    def __init__(self, world):
        with world.runtime.office.session() as session:
            act = Act("Owner", world.now)
            _, self.key = make_key(session, act, world.shop, name="test", scope="write")
        self.app = world.app

    def __call__(self, method, path, **options):
        async def send():
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app=self.app),
                base_url="http://127.0.0.1",
                headers={"authorization": f"Bearer {self.key}"},
            ) as client:
                return await client.request(
                    method, f"/api/v1/shops/demo/trackings{path}", **options
                )

        return asyncio.run(send())


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with open_world(tmp_path_factory.mktemp("home")) as world:
        world.vip = world.segment("VIP", "amount_spent >= 30000")
        world.all = world.segment("Everybody", "number_of_orders >= 0")
        yield world


@pytest.fixture(scope="module")
def api(world):
    return Api(world)


@pytest.fixture(scope="module")
def browser(world):
    with open_browser(world) as browser:
        yield browser


@pytest.fixture
def make(api):
    def create(**changes):
        made = api("POST", "", json={"segment": "VIP", **PERIOD, **changes})
        assert made.status_code == 201, made.text
        return made.json()

    return create


def plain(answer):
    """The text of a page as the API writes it: with straight marks."""
    return re.sub("&#34;|“|”", '"', answer.text).replace("&#39;", "'")


@pytest.mark.parametrize(("changes", "told"), REFUSED)
def test_page_and_api_refuse_the_same(world, api, browser, changes, told):
    asked = {"segment": "VIP", "population": "order-time", **PERIOD, **changes}
    page = browser.post("/tracking", **asked)
    answer = api("POST", "", json=asked)

    assert (page.status_code, answer.status_code // 100) == (422, 4)
    assert told.format(today="Nov 20, 2026") in plain(page)
    assert told.format(today="20 November 2026") in answer.json()["detail"]


def test_the_list_is_narrowed_alike_by_page_and_api(make, api, browser):
    make(name="F short", ends_on="2026-11-22")
    make(name="F long", segment="Everybody", ends_on="2027-03-01")
    make(name="F later", starts_on="2027-01-01", ends_on="2027-01-31")
    choices = [
        ({"first": "2026-12-01", "last": "2026-12-31"}, ["F long"]),
        ({"first": "2026-11-20", "last": "2027-02-01", "meets": "within"}, ["F later", "F short"]),
        ({"days": "next_30"}, ["F long", "F short"]),
        ({"days": "next_30", "meets": "within"}, ["F short"]),
        ({"segment": ["VIP"]}, ["F later", "F short"]),
        ({"segment": ["VIP", "Everybody"], "status": "scheduled"}, ["F later"]),
        ({}, ["F later", "F long", "F short"]),
    ]
    ids = {one["segment"]: one["segment_id"] for one in api("GET", "").json()["trackings"]}
    for choice, names in choices:
        listed = api("GET", "", params={"q": "f ", **choice}).json()["trackings"]
        numbers = [ids[name] for name in choice.get("segment", [])]
        lines = browser.get(
            "/tracking", params={"q": "f ", **choice, "segment": numbers, "format": "csv"}
        ).text.splitlines()[1:]

        assert sorted(one["name"] for one in listed) == names, choice
        assert sorted(line.split(",")[1] for line in lines) == names, choice


def test_what_the_api_does_not_understand_is_refused_with_its_place(api):
    for choice in ({"first": "soon"}, {"days": "ever"}, {"colour": "red"}, {"segment": "Nobody"}):
        assert api("GET", "", params=choice).status_code in {404, 422}, choice
    assert api("GET", "/comparison", params={"ids": ["1"]}).json()["code"] == "compare_count"


def test_a_comparison_over_the_api_adds_up(world, make, api):
    left, right = make(name="C one"), make(name="C two", segment="Everybody", ends_on="2026-11-30")
    world.order("Ana", 700, order_id="compare-1")
    asked = {"ids": [left["id"], right["id"]], "measure": "orders", "view": "cumulative"}
    told = api("GET", "/comparison", params=asked).json()

    assert told["labels"] == ["1"]
    assert [one["name"] for one in told["series"]] == ["C one", "C two"]
    assert [one["values"][-1] for one in told["series"]] == [
        one["orders"] for one in told["trackings"]
    ]
    assert told["differences"] == ["lengths", "days"]
    # All of the first belong to everybody.
    vip, everybody = (one["customers_ever"] for one in told["trackings"])
    assert told["overlap"] == [[vip, vip], [vip, everybody]]


def test_the_parts_of_the_total_add_up_to_it(world, make, api):
    made = make(name="Parts", segment="Everybody")
    at = world.now + timedelta(seconds=1)
    lines = [("100", "Tea", 2, 600), ("200", "Cup", 1, 300), (None, "Wrapping", 1, 100)]
    order = OrderFact(
        order_id="parts-1",
        customer_id="dee",
        processed_at=at,
        total_amount=1_000,
        source_name="pos",
        lines=tuple(
            LineFact(product_id=number, title=title, quantity=count, amount=amount)
            for number, title, count, amount in lines
        ),
    )
    tell(world, order)
    tell(world, RefundChange(order_id="parts-1", refund=refund("r1", at, 50)))
    late = world.now + timedelta(days=40)
    tell(world, RefundChange(order_id="parts-1", refund=refund("r2", late, 25)))
    found = api("GET", f"/{made['id']}").json()
    parts = found["breakdown"]
    sources = {one["source"]: one["orders"] for one in parts["sources"]}

    assert int(parts["first_orders"]["orders"]) + parts["later_orders"]["orders"] == found["orders"]
    # Dee had never ordered before.
    assert parts["first_orders"]["orders"] == 1
    assert parts["first_orders"]["revenue"] == "925"
    cup = next(one for one in parts["products"] if one["title"] == "Cup")
    assert (cup["quantity"], cup["orders"], cup["amount"]) == (1, 1, "300")
    assert sources["pos"] == 1
    assert (parts["late_refunds"], parts["late_refunded"]) == (1, "25")


def test_a_refund_after_the_end_changes_a_finished_tracking_and_says_so(world, api, make):
    made = make(name="Finished", segment="Everybody", ends_on="2026-11-20")
    world.order("Dee", 800, order_id="finished-1")
    then = world.now
    try:
        world.runtime.clock.instant = then + timedelta(days=3)
        with open_browser(world) as browser:
            before = api("GET", f"/{made['id']}").json()
            fact = refund("late", world.now, 300)
            tell(world, RefundChange(order_id="finished-1", refund=fact))
            after = api("GET", f"/{made['id']}").json()
            page = browser.get(f"/tracking/{made['id']}").text
    finally:
        world.runtime.clock.instant = then

    assert (before["status"], after["status"]) == ("finished", "finished")
    assert int(before["revenue"]) - int(after["revenue"]) == 300
    told = after["breakdown"]["late_refunded"]
    assert int(told) - int(before["breakdown"]["late_refunded"]) == 300
    assert f"¥{told} was paid back after Nov 20, 2026" in page


def test_the_first_day_of_a_segment_that_is_still_building_is_not_missed(world, api, make):
    """Its log begins only after the tracking was made."""
    with world.runtime.office.session() as session:
        from regulars.segments import create_segment

        row = create_segment(
            session,
            world.shop,
            name="Still building",
            query="amount_spent >= 30000",
            author="Owner",
            now=world.now,
        )
        segment_id = row.id
    made = make(name="Early", segment="Still building", ends_on="2026-11-21")
    known = make(name="Known")
    assert made["customers_at_start"] == made["customers_now"] == known["customers_at_start"] > 0
    world.order("Ana", 900, order_id="early-1")
    with world.runtime.office.session() as session:
        world.jobs.refresh_segment_later(session, world.shop, segment_id, "created")
    world.work()
    world.order("Ana", 50, order_id="early-2")
    found, known = (api("GET", f"/{one['id']}").json() for one in (made, known))

    assert found["populations"] == known["populations"]
    assert found["orders"] > 0


def test_a_deleted_segments_tracking_follows_its_rule(world, browser, make, api):
    segment_id = world.segment("Soon gone", "amount_spent >= 90000")
    made = make(name="Goes on", segment="Soon gone")
    dialog = browser.get(f"/segments/{segment_id}/delete").text
    browser.post(f"/segments/{segment_id}/delete")
    tell(world, order_fact("gone-1", "c020", world.now + timedelta(minutes=1), 95_000))
    tell(world, order_fact("gone-2", "c020", world.now + timedelta(minutes=10), 1_000))
    found = api("GET", f"/{made['id']}").json()
    page = browser.get(f"/tracking/{made['id']}").text

    assert "Goes on" in dialog
    assert (found["joining"]["orders"], found["orders"], found["revenue"]) == (1, 1, "1000")
    assert "The segment was deleted" in page
    with world.runtime.office.reading() as session:
        assert session.get(Segment, segment_id).deleted_at is not None


def test_the_lift_and_what_could_be_seen_are_told(world, browser, make, api):
    made = make(name="With holdout", segment="Everybody")
    period = {"segment": "Everybody", **PERIOD}
    before = api("GET", "/outlook", params=period).json()
    with world.runtime.office.session() as session:
        act = TagAssignment(
            shop_id=world.shop.id,
            segment_id=world.all,
            segment_name="Everybody",
            tag="vip",
            tag_key="vip",
            status="assigned",
            targeted_count=40,
            author="Owner",
            created_at=world.now,
        )
        session.add(act)
        session.flush()
        for name in ("dee", "c001", "c002", "c003"):
            session.add(
                TagHoldout(
                    assignment_id=act.id, customer_id=name, shop_id=world.shop.id, since=world.now
                )
            )
    after = api("GET", "/outlook", params=period).json()
    found = api("GET", f"/{made['id']}").json()
    page = browser.get(f"/tracking/{made['id']}").text
    form = browser.get("/tracking/outlook", params=period).text

    assert [round(one["share"], 2) for one in before["effects"]] == [0.05, 0.09, 0.2]
    assert before["is_held_out"] is False
    assert [one["held_out_customers"] for one in after["effects"]] == [4]
    assert after["effects"][0]["treated_customers"] == 40
    assert found["lift"]["held_out_customers"] == 4
    assert found["smallest_effect"] is not None
    assert "Welch (1947)" in page
    assert "Held out now" in form


def test_no_door_names_a_customer(world, browser, make, api):
    """Row R4: sums only, on every page and in every answer."""
    numbers = [str(make(name=f"R4 {n}", segment="Everybody")["id"]) for n in range(2)]
    world.order("Ana", 500, order_id="r4-1")
    pages = [f"/tracking/{numbers[0]}", "/tracking", "/tracking/new", "/tracking/outlook"]
    texts = [browser.get(one).text for one in pages]
    for options in ({}, {"format": "csv"}):
        texts.append(browser.get("/tracking", params=options).text)
        asked = {"ids": numbers, **options}
        texts.append(browser.get("/tracking/compare", params=asked).text)
    for path in ("", f"/{numbers[0]}", "/comparison", "/outlook"):
        asked = {"ids": numbers} if path == "/comparison" else {}
        asked |= {"segment": "Everybody", **PERIOD} if path == "/outlook" else {}
        answer = api("GET", path, params=asked)
        assert answer.status_code == 200
        texts.append(answer.text)

    people = "|".join([*CAST, "Customer 0"])
    for text in texts:
        assert not re.search(rf"\b({people})\b|@shop\.example|\br4-1\b", text)
    for part in ("customers", "members", "orders", "buyers"):
        assert api("GET", f"/{numbers[0]}/{part}").status_code == 404


def test_a_zone_change_in_the_middle_leaves_the_days_of_the_period(world, api, make):
    made = make(name="Moved", segment="Everybody", ends_on="2026-11-22")
    world.order("Dee", 100, order_id="moved-1")
    before = api("GET", f"/{made['id']}").json()
    with world.runtime.office.session() as session:
        shop = session.merge(world.shop)
        shop.time_zone = "America/New_York"
    try:
        after = api("GET", f"/{made['id']}").json()
    finally:
        with world.runtime.office.session() as session:
            session.merge(world.shop).time_zone = "Asia/Tokyo"

    assert (after["time_zone"], after["days"]) == ("Asia/Tokyo", before["days"])


def test_orders_of_a_merged_and_of_a_redacted_customer_stay_in_the_sums(world, api, make):
    made = make(name="Sums stay", segment="Everybody")
    world.order("c010", 400, order_id="merged-1")
    before = api("GET", f"/{made['id']}").json()
    tell(world, CustomersMerged("c011", "c010", world.now + timedelta(minutes=1)))
    after = api("GET", f"/{made['id']}").json()

    assert (after["orders"], after["revenue"]) == (before["orders"], before["revenue"])
    assert counter_of(world.runtime.warehouse(world.shop)) is not None


def refund(number, at, amount):
    return RefundFact(refund_id=number, refunded_at=at, amount=amount)


def tell(world, fact):
    from regulars.jobs import live

    live.apply_facts(world.runtime, world.shop, [fact], now=world.now)
