"""Comparison: due once a night, stopped where it would delete too much, parked events replayed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from regulars.errors import ConflictError
from regulars.jobs import comparing
from regulars.jobs.inbox import ATTEMPTS_MAX
from regulars.office import Shop
from regulars.office.models.inbox import InboxEvent
from regulars.office.models.jobs import Job
from tests.jobs.test_inbox import event, order_body

NIGHTS = [
    # Tokyo is nine hours ahead: 18:00 UTC is three in the morning there.
    (datetime(2026, 3, 1, 17, 59, tzinfo=UTC), 0),
    (datetime(2026, 3, 1, 18, 0, tzinfo=UTC), 1),
    (datetime(2026, 3, 2, 14, 59, tzinfo=UTC), 1),
    (datetime(2026, 3, 2, 18, 1, tzinfo=UTC), 2),
    # Asleep for days: one comparison, not one a day.
    (datetime(2026, 3, 7, 18, 1, tzinfo=UTC), 3),
]


def test_each_night_has_one_comparison(at_work):
    with at_work.runtime.office.session() as session:
        session.get_one(Shop, at_work.shop.id).loaded_at = datetime(2026, 3, 1, 3, tzinfo=UTC)
    counts = []
    for now, _ in NIGHTS:
        with at_work.runtime.office.session() as session:
            shop = session.get_one(Shop, at_work.shop.id)
            comparing.enqueue_due(session, shop, now)
            comparing.enqueue_due(session, shop, now)
            listed = session.scalars(select(Job).where(Job.kind == "compare")).all()
            for job in listed:
                job.state = "succeeded"
        counts.append(len(listed))

    assert counts == [count for _, count in NIGHTS]


@pytest.mark.parametrize(
    ("gone", "stored", "stops"),
    [(0, 0, False), (20, 20, False), (21, 210, False), (22, 210, True), (1000, 1000, True)],
)
def test_a_large_loss_stops_the_comparison(gone, stored, stops):
    if not stops:
        comparing.brake("customers", gone, stored)
        return
    with pytest.raises(ConflictError, match=f"no longer lists {gone} of {stored} customers"):
        comparing.brake("customers", gone, stored)


def test_parked_events_are_listed_and_replayed(at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")
    at_work.jobs.inbox.put(event(at_work, "bad", b"{"))
    for _ in range(ATTEMPTS_MAX):
        at_work.later(hours=1)
    (parked,) = at_work.jobs.inbox.parked(at_work.shop)
    assert (parked.topic, parked.attempt_count) == ("orders/create", ATTEMPTS_MAX)
    with at_work.runtime.office.session() as session:
        row = session.get_one(InboxEvent, parked.id)
        row.body = order_body(1, 11, 300, at_work)

    assert at_work.jobs.inbox.replay(at_work.shop) == 1
    at_work.jobs.run_until_idle()

    assert at_work.jobs.inbox.parked(at_work.shop) == []
    assert at_work.members(vip) == {"11"}
