"""The inbox: durable before acknowledged, applied once, one bad event stops nobody else."""

from __future__ import annotations

import threading
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import select

from regulars.errors import LimitError
from regulars.jobs import Event, live
from regulars.jobs.inbox import ATTEMPTS_MAX, Inbox
from regulars.office.models.inbox import InboxEvent
from regulars.office.models.jobs import Job
from tests.jobs.at_work import reopen


def order_body(number, customer, amount, at_work):
    at = at_work.clock().isoformat()
    return orjson.dumps(
        {
            "id": number,
            "created_at": at,
            "processed_at": at,
            "updated_at": at,
            "total_price": str(amount),
            "customer": {"id": customer},
            "line_items": [],
        }
    )


def event(at_work, event_id, body, topic="orders/create"):
    return Event(at_work.shop.id, topic, event_id, at_work.clock(), body)


def rows(at_work):
    with at_work.runtime.office.reading() as session:
        return session.query(InboxEvent).order_by(InboxEvent.id).all()


def test_a_kept_event_is_on_disk_and_applied(at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")

    at_work.jobs.inbox.put(event(at_work, "e1", order_body(1, 11, 300, at_work)))
    assert [row.state for row in rows(at_work)] == ["waiting"]
    at_work.jobs.run_until_idle()

    assert at_work.members(vip) == {"11"}
    assert [(row.state, row.body) for row in rows(at_work)] == [("applied", None)]


def test_the_same_event_delivered_again_adds_nothing(at_work):
    for _delivery in range(3):
        at_work.jobs.inbox.put(event(at_work, "e1", order_body(1, 11, 300, at_work)))
        at_work.jobs.run_until_idle()

    assert len(rows(at_work)) == 1


def test_one_event_under_two_topics_is_two(at_work):
    body = order_body(1, 11, 300, at_work)
    for topic in ("orders/create", "orders/updated"):
        at_work.jobs.inbox.put(event(at_work, "e1", body, topic))

    assert len(rows(at_work)) == 2


def test_a_death_between_applying_and_marking_applies_nothing_twice(at_work):
    """The facts are committed with the event's key; the row still waits, as after a kill."""
    vip = at_work.segment("VIP", "amount_spent >= 200")
    at_work.jobs.inbox.put(event(at_work, "e1", order_body(1, 11, 300, at_work)))
    (row,) = rows(at_work)
    facts = live.read_events(at_work.runtime, at_work.shop, [row], lambda *_: None)
    live.apply_facts(
        at_work.runtime,
        at_work.shop,
        facts,
        now=at_work.clock(),
        event_keys=["orders/create e1"],
    )
    version = at_work.runtime.warehouse(at_work.shop).data_version

    again = reopen(at_work)
    again.jobs.run_until_idle()

    assert [row.state for row in rows(again)] == ["applied"]
    assert again.members(vip) == {"11"}
    assert again.logged(vip) == [("+11", "order")]
    applied = again.runtime.warehouse(again.shop).apply(
        facts, at=again.clock(), event_keys=["orders/create e1"]
    )
    assert applied.skipped
    assert again.runtime.warehouse(again.shop).data_version >= version
    again.runtime.close()


def test_what_waits_at_a_stop_is_applied_after_the_start(at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")
    at_work.jobs.inbox.put(event(at_work, "e1", order_body(1, 11, 300, at_work)))

    again = reopen(at_work)
    again.jobs.run_until_idle()

    assert again.members(vip) == {"11"}
    again.runtime.close()


def test_a_bad_event_is_set_aside_after_eight_tries_and_others_go_on(at_work, caplog):
    vip = at_work.segment("VIP", "amount_spent >= 200")
    at_work.jobs.inbox.put(event(at_work, "bad", b'{"id": "not a number"}'))
    at_work.jobs.inbox.put(event(at_work, "good", order_body(1, 11, 300, at_work)))

    at_work.jobs.run_until_idle()
    assert at_work.members(vip) == {"11"}
    for _attempt in range(ATTEMPTS_MAX):
        at_work.later(hours=1)

    bad, good = rows(at_work)
    assert (bad.state, bad.attempt_count) == ("quarantined", ATTEMPTS_MAX)
    assert good.state == "applied"
    assert "not a number" not in (bad.problem or "")


def test_a_full_inbox_refuses_until_something_is_applied(at_work):
    at_work.runtime.settings.inbox_max = 2
    inbox = Inbox(at_work.runtime, lambda: None)
    for number in (1, 2):
        inbox.put(event(at_work, f"e{number}", order_body(number, 11, 10, at_work)))
    third = event(at_work, "e3", order_body(3, 11, 10, at_work))
    with pytest.raises(LimitError):
        inbox.put(third)

    inbox.apply_all()
    inbox.put(third)

    assert [row.state for row in rows(at_work)] == ["applied", "applied", "waiting"]


def test_many_threads_keep_all_their_events(at_work):
    bodies = [order_body(number, 11, 10, at_work) for number in range(1, 41)]
    threads = [
        threading.Thread(target=at_work.jobs.inbox.put, args=(event(at_work, f"e{n}", body),))
        for n, body in enumerate(bodies)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(rows(at_work)) == 40


def test_an_uninstalled_app_rests(at_work):
    at_work.jobs.inbox.put(event(at_work, "e1", b'{"id": 1}', "app/uninstalled"))

    at_work.jobs.run_until_idle()

    with at_work.runtime.office.reading() as session:
        shop = session.merge(at_work.shop, load=True)
        session.refresh(shop)
        assert shop.disconnected_at == at_work.clock()


def test_the_problem_of_one_shop_does_not_stop_another(at_work):
    from regulars.office import create_shop

    with at_work.runtime.office.session() as session:
        other = create_shop(session, name="other", now=at_work.clock(), currency="USD")
    bad = Event(other.id, "orders/create", "x", at_work.clock(), b"not json")
    at_work.jobs.inbox.put(bad)
    vip = at_work.segment("VIP", "amount_spent >= 200")
    at_work.jobs.inbox.put(event(at_work, "e1", order_body(1, 11, 300, at_work)))

    at_work.later(minutes=1)

    assert at_work.members(vip) == {"11"}
    assert timedelta(0) < rows(at_work)[0].next_attempt_at - at_work.clock()


def test_a_clock_set_back_does_not_keep_what_failed_waiting(at_work):
    at_work.jobs.inbox.put(event(at_work, "e1", order_body(1, 11, 300, at_work)))
    with at_work.runtime.office.session() as session:
        failed = session.scalars(select(InboxEvent)).one()
        failed.attempt_count, failed.next_attempt_at = 1, at_work.clock() + timedelta(seconds=5)
    at_work.set_back(timedelta(days=1))

    at_work.jobs.inbox.apply_all()

    assert [one.state for one in rows(at_work)] == ["applied"]


def test_a_burst_that_leaves_things_open_asks_for_them_in_one_job(at_work):
    for number in range(1, 6):
        body = orjson.dumps({"id": number, "updated_at": at_work.clock().isoformat()})
        at_work.jobs.inbox.put(event(at_work, f"e{number}", body, "customers/update"))
    at_work.jobs.inbox.apply_all()

    with at_work.runtime.office.reading() as session:
        (job,) = session.query(Job).filter(Job.kind == "read_again")
    assert len(job.arguments) == 5
    assert set(job.arguments.values()) == {"Customer"}


def test_what_comes_while_a_batch_is_applied_wakes_nobody_and_is_applied_with_it(at_work):
    waked = []
    inbox = Inbox(at_work.runtime, lambda: waked.append(1))

    def bring_another(item):
        if item.topic == "facts" and not brought:
            brought.append(item)
            inbox.put(event(at_work, "second", order_body(2, 12, 100, at_work)))

    brought = []
    at_work.runtime.news.listen(bring_another)
    inbox.put(event(at_work, "first", order_body(1, 11, 100, at_work)))
    inbox.apply_all()

    assert (len(waked), len(brought)) == (1, 1)
    with at_work.runtime.office.reading() as session:
        states = session.scalars(select(InboxEvent.state)).all()
    assert states == ["applied", "applied"]

    inbox.put(event(at_work, "third", order_body(3, 13, 100, at_work)))

    assert len(waked) == 2
