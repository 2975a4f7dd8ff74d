"""Other programs are told of what happened: once, signed, in time, and never inside our network."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from regulars import outgoing, tracking
from regulars.errors import InputError, ShopifyError
from regulars.office.models.outgoing import Delivery, Endpoint
from regulars.office.models.segments import Segment
from regulars.outgoing.sending import ATTEMPTS_MAX, pause_after
from regulars.segments import edit_segment
from regulars.shopify.http import PublicOnly
from regulars.web import telling
from regulars.web.deps import ApiCall
from tests.house.source import ROOT
from tests.outgoing.receiver import Receiver, is_signed

ADDRESS = "https://hooks.shop.example/regulars"
ALL = tuple(outgoing.EVENTS)


def caller(world) -> ApiCall:
    return ApiCall(None, world.runtime, world.jobs, world.now, "ana", None, may_write=True)


def listen(world, *events: str, kind: str = "webhook", address: str = ADDRESS) -> tuple[int, str]:
    row, secret = telling.create(
        caller(world), world.shop, kind=kind, address=address, events=events or ALL
    )
    return row.id, secret or ""


def deliveries(world) -> list[Delivery]:
    with world.runtime.office.reading() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


def endpoint(world, number: int) -> Endpoint:
    with world.runtime.office.reading() as session:
        return session.get_one(Endpoint, number)


def pass_time(world, pause: timedelta) -> None:
    world.runtime.clock.instant += pause
    world.work()


def test_who_joins_and_leaves_is_told_signed_and_once(world, receiver):
    segment = world.segment("Big", "amount_spent >= 40000")
    _number, secret = listen(world)
    world.order("ana", 30_000, order_id="new")
    world.work()
    assert receiver.events() == [("customers.joined", ["ana"])]
    assert receiver.bodies[0]["data"]["segment"] == {"id": segment, "name": "Big"}
    assert is_signed(receiver.requests[0], secret)
    assert "ana@shop.example" not in receiver.requests[0].content.decode()

    world.work()
    assert len(receiver.requests) == 1


def test_a_new_segment_is_no_join_and_an_edited_one_is(world, receiver):
    listen(world, "customers.joined", "customers.left")
    segment = world.segment("Some", "amount_spent >= 900000")
    world.work()
    assert receiver.requests == []

    with world.runtime.office.session() as session:
        row = session.get_one(Segment, segment)
        edit_segment(
            session, world.shop, row, query="amount_spent >= 50000", author="ana", now=world.now
        )
        world.jobs.refresh_segment_later(session, world.shop, segment, "edited")
    world.work()
    told = receiver.events()
    members = world.runtime.memberships(world.shop).members(segment)
    assert sum(len(people) for event, people in told if event == "customers.joined") == len(members)


def test_a_large_change_comes_in_pieces(world, receiver, monkeypatch):
    listen(world, "customers.joined")
    monkeypatch.setattr("regulars.outgoing.collecting.CUSTOMERS_MAX", 10)
    segment = world.segment("Nobody", "amount_spent >= 900000")
    with world.runtime.office.session() as session:
        row = session.get_one(Segment, segment)
        edit_segment(
            session, world.shop, row, query="number_of_orders >= 0", author="ana", now=world.now
        )
        world.jobs.refresh_segment_later(session, world.shop, segment, "edited")
    world.work()
    sizes = [len(people) for _event, people in receiver.events()]
    everybody = [one for _event, people in receiver.events() for one in people]

    assert max(sizes) == 10
    assert len(everybody) == len(set(everybody)) == 44


def test_a_tracking_tells_its_days(world, receiver):
    segment = world.segment("Any", "number_of_orders >= 0")
    listen(world, "tracking.started", "tracking.finished")
    today = world.now.astimezone(world.shop.zone).date()
    with world.runtime.office.session() as session:
        row = session.get_one(Segment, segment)
        tracking.create_tracking(
            session,
            world.shop,
            row,
            starts_on=today + timedelta(days=1),
            ends_on=today + timedelta(days=1),
            author="ana",
            now=world.now,
        )
    for _day in range(3):
        pass_time(world, timedelta(days=1))

    told = [(one["event"], one["data"]["tracking"]["status"]) for one in receiver.bodies]
    assert told == [("tracking.started", "in_progress"), ("tracking.finished", "finished")]


def test_what_failed_is_tried_again_with_growing_pauses(world, receiver):
    receiver.statuses = [500, 0, 204]
    world.segment("Big", "amount_spent >= 40000")
    number, _secret = listen(world)
    world.order("ana", 30_000, order_id="new")
    world.work()
    assert [one.state for one in deliveries(world)] == ["waiting"]
    assert endpoint(world, number).failing_since == world.now

    pass_time(world, pause_after(1))
    pass_time(world, pause_after(2))
    (one,) = deliveries(world)
    assert (one.state, one.attempt_count, one.status) == ("delivered", 3, 204)
    assert endpoint(world, number).failing_since is None


def test_a_clock_set_back_does_not_keep_a_failed_delivery_waiting(world, receiver):
    receiver.statuses = [500, 204]
    world.segment("Big", "amount_spent >= 40000")
    listen(world)
    world.order("ana", 30_000, order_id="new")
    world.work()
    assert [one.state for one in deliveries(world)] == ["waiting"]
    world.runtime.clock.instant -= timedelta(days=1)

    world.work()

    assert [one.state for one in deliveries(world)] == ["delivered"]


def test_in_the_end_it_is_given_up_and_can_be_sent_again(world, receiver):
    receiver.statuses = [503]
    number, _secret = listen(world)
    telling.test(caller(world), world.shop, number)
    for attempt in range(1, ATTEMPTS_MAX + 1):
        pass_time(world, pause_after(attempt))
    assert [one.state for one in deliveries(world)] == ["failed"]

    receiver.statuses = [200]
    assert telling.replay(caller(world), world.shop, number) == 1
    world.work()
    assert [one.state for one in deliveries(world)] == ["delivered"]


def test_an_endpoint_that_is_gone_for_days_is_switched_off(world, receiver):
    receiver.statuses = [404]
    number, _secret = listen(world)
    telling.test(caller(world), world.shop, number)
    world.work()
    world.runtime.clock.instant += timedelta(days=3)
    telling.test(caller(world), world.shop, number)
    world.work()
    found = endpoint(world, number)
    assert found.disabled_at is not None
    assert found.problem == "The receiver answered with status 404."

    telling.change(caller(world), world.shop, number, is_on=True)
    assert endpoint(world, number).disabled_at is None


def test_flow_is_told_of_each_customer_and_of_nobody_twice(world):
    told = []

    def flow(handle: str, payload: dict) -> None:
        if len(told) == 1 and "broke" not in told:
            told.append("broke")
            raise ShopifyError("The connection broke off.")
        told.append((handle, payload["customer_id"], payload["Change"]))

    number, _secret = listen(world, "customers.joined", kind="flow", address="moved")
    with world.runtime.office.session() as session:
        data = {
            "segment": {"id": 1, "name": "VIP"},
            "cause": "order",
            "customer_ids": ["11", "12", "imported"],
        }
        sent = outgoing.test_endpoint(session, world.shop, endpoint(world, number), world.now)
        sent.event, sent.body = "customers.joined", {**sent.body, "data": data}
    senders = outgoing.Senders(httpx.Client(transport=Receiver()), flow)
    office, sealer, clock = world.runtime.office, world.runtime.sealer, world.runtime.clock
    for _run in range(2):
        outgoing.Sender(office, sealer, senders, clock).run(number)
        clock.instant += timedelta(minutes=1)

    assert told == [("moved", 11, "joined"), "broke", ("moved", 12, "joined")]
    assert [one.state for one in deliveries(world)] == ["delivered"]


HOSTILE = [
    "http://hooks.shop.example/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://10.0.0.8/",
    "https://169.254.169.254/latest/meta-data/",
    "https://localhost/",
    "https://printer.local/",
    "https://db.internal/",
    "https://ana:secret@hooks.shop.example/",
    "https://hooks.shop.example:8443/",
    "https://hooks.shop.example/#part",
    "ftp://hooks.shop.example/",
    "javascript:alert(1)",
    "https://",
    "https://hooks.shop.example/\r\nX: y",
    "https://" + "a" * 2001 + ".example/",
]


def test_an_address_inside_is_refused(world):
    for address in HOSTILE:
        with pytest.raises(InputError, match="https://"):
            listen(world, address=address)


def test_a_name_that_leads_inside_is_not_followed(world):
    inside = ["127.0.0.1", "10.1.2.3", "fd00::1", "::ffff:10.0.0.1"]
    inner, waiting = Receiver(), list(inside)
    transport = PublicOnly(inner, resolve=lambda _host: [waiting[0]])
    world.runtime.outside = httpx.Client(transport=transport)
    number, _secret = listen(world)
    for _address in inside:
        telling.test(caller(world), world.shop, number)
        pass_time(world, timedelta(hours=2))
        waiting.append(waiting.pop(0))

    assert inner.requests == []
    assert {"not public" in str(one.problem) for one in deliveries(world)} == {True}


UNKNOWN = [
    ("webhook", (), "at least one"),
    ("webhook", ("customers.moved",), "There is no event"),
    ("flow", ("tag.assigned",), "There is no event"),
]


def test_events_that_do_not_exist_are_refused(world):
    for kind, events, said in UNKNOWN:
        address = ADDRESS if kind == "webhook" else "handle"
        with pytest.raises(InputError, match=said):
            telling.create(caller(world), world.shop, kind=kind, address=address, events=events)


def test_the_page_for_receivers_proves_what_we_sign():
    page = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
    example = doctest.DocTestParser().get_doctest(page, {}, "webhooks.md", None, 0)
    doctest.DocTestRunner().run(example, clear_globs=False)
    header = outgoing.signature("secret", b"body", datetime(2026, 3, 1, tzinfo=UTC))

    assert example.globs["is_signed"]("secret", header, b"body")
    assert not example.globs["is_signed"]("secret", header, b"other")
    assert all(f"`{event}`" in page for event in outgoing.EVENTS)
