"""Whatever happens in whatever order, kept memberships are what a full evaluation finds."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars import segments
from regulars.warehouse.facts import CustomerDeleted, CustomersMerged, OrderDeleted
from tests.jobs.at_work import AtWork, open_shop, reopen

PEOPLE = ("ana", "bo", "cleo", "dee")
QUERIES = {
    "VIP": "amount_spent >= 200",
    "Once": "number_of_orders = 1",
    "Recent": "last_order_date >= -3d",
    "Tagged": "customer_tags CONTAINS 'vip'",
    "Quiet": "orders_placed MATCHES (date >= -5d, count = 0)",
    "Not VIP": "segment != 'VIP'",
    "Mix": "(segment = 'Recent' OR segment = 'Tagged') AND NOT segment = 'Not VIP'",
}
EDITS = ("amount_spent >= 100", "amount_spent < 300", "first_order_date < -2d")

person = st.sampled_from(PEOPLE)
EVENTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("order"),
            st.integers(1, 6),
            person,
            st.sampled_from([50, 100, 150]),
            st.integers(-1, 6),
        ),
        st.tuples(st.just("cancel"), st.integers(1, 6), person),
        st.tuples(st.just("remove order"), st.integers(1, 6)),
        st.tuples(st.just("tags"), person, st.sampled_from([(), ("vip",), ("other",)])),
        st.tuples(st.just("delete"), person),
        st.tuples(st.just("merge"), person, person),
        st.tuples(st.just("hours"), st.sampled_from([1, 13, 24, 60])),
        st.tuples(st.just("edit"), st.sampled_from(EDITS)),
        st.tuples(st.just("restart")),
    ),
    min_size=3,
    max_size=12,
)


def happen(at_work: AtWork, event: tuple[object, ...]) -> AtWork:
    """Let one event happen; a second passes each time, so that newer is newer."""
    at_work.clock.instant += timedelta(seconds=1)
    now = at_work.clock()
    match event:
        case ("order", int(number), str(customer), int(amount), int(days_ago)):
            at_work.told(at_work.order(number, customer, amount, days_ago))
        case ("cancel", int(number), str(customer)):
            at_work.told(replace(at_work.order(number, customer), cancelled_at=now))
        case ("remove order", int(number)):
            at_work.told(OrderDeleted(str(number), now))
        case ("tags", str(customer), tuple(tags)):
            at_work.told(at_work.customer(customer, tags=tags))
        case ("delete", str(customer)):
            at_work.told(CustomerDeleted(customer, now))
        case ("merge", str(kept), str(removed)) if kept != removed:
            at_work.told(CustomersMerged(kept_id=kept, removed_id=removed, at=now))
        case ("hours", int(hours)):
            at_work.later(hours=hours)
        case ("edit", str(query)):
            at_work.edit(1, query)
        case ("restart",):
            return reopen(at_work)
    return at_work


def check(at_work: AtWork) -> None:
    """Compare kept members, log and row with an evaluation from nothing."""
    runtime, shop = at_work.runtime, at_work.shop
    memberships, warehouse = runtime.memberships(shop), runtime.warehouse(shop)
    context = memberships.live_context(shop, at_work.clock())
    with runtime.office.reading() as session:
        current = segments.definitions(session, shop)
        counted = {row.id: row.member_count for row in segments.list_segments(session, shop)}
    found = {}
    for one in current:
        fresh = runtime.evaluator(shop).members(one.tree, context)
        assert memberships.members(one.segment_id) == fresh, one.name
        assert warehouse.current_members(one.segment_id) == fresh, one.name
        found[one.segment_id] = len(fresh)
    assert counted == found


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EVENTS)
def test_kept_memberships_are_what_a_full_evaluation_finds(events):
    with tempfile.TemporaryDirectory() as folder:
        at_work = open_shop(Path(folder) / "home")
        at_work.all_segments(QUERIES)
        for event in events:
            at_work = happen(at_work, event)
        check(at_work)
        at_work.runtime.close()
