"""Whatever happens in whatever order, kept memberships are what a full evaluation finds.

One shop serves all examples: each has customers and orders of its own, and leaves them behind.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars import segments
from regulars.warehouse.facts import (
    CustomerDeleted,
    CustomerRedacted,
    CustomersMerged,
    Fact,
    LineFact,
    OrderDeleted,
    ProductFact,
    RefundChange,
    RefundFact,
)
from tests.exploring import looking
from tests.jobs.at_work import AtWork, open_shop

PEOPLE = ("ana", "bo", "cleo", "dee")
QUERIES = {
    "VIP": "amount_spent >= 200",
    "Once": "number_of_orders = 1",
    "Recent": "last_order_date >= -3d",
    "Tagged": "customer_tags CONTAINS 'vip'",
    "Quiet": "orders_placed MATCHES (date >= -5d, count = 0)",
    "Ranked": "rfm_recency_score >= 3",
    "Ranked before": "segment = 'Ranked' AND NOT orders_placed MATCHES (date >= -2d, count >= 2)",
    "Tea": "products_purchased MATCHES (tag = 'tea')",
    "Not VIP": "segment != 'VIP'",
    "Mix": "(segment = 'Recent' OR segment = 'Tagged') AND NOT segment = 'Not VIP'",
    "Two of": "AT LEAST 2 OF (segment = 'Tea', segment = 'Mix', amount_spent < 150)",
}
EDITS = ("amount_spent >= 100", "amount_spent < 300", "first_order_date < -2d")

person, number = st.sampled_from(PEOPLE), st.integers(1, 6)
amount, day = st.sampled_from([50, 100, 150]), st.integers(-1, 6)
EVENT = st.one_of(
    st.tuples(st.just("order"), number, person, amount, day),
    st.tuples(st.just("cancel"), number, person),
    st.tuples(st.just("refund"), number, amount),
    st.tuples(st.just("remove order"), number),
    st.tuples(st.just("tags"), person, st.sampled_from([(), ("vip",), ("other",)])),
    st.tuples(st.just("delete"), person),
    st.tuples(st.just("redact"), person),
    st.tuples(st.just("merge"), person, person),
    st.tuples(st.just("product"), st.sampled_from([(), ("tea",)])),
)
STEP = st.one_of(
    st.lists(EVENT, min_size=1, max_size=4).map(lambda events: ("facts", events)),
    st.tuples(st.just("hours"), st.sampled_from([1, 13, 24, 60])),
    st.tuples(st.just("edit"), st.sampled_from(EDITS)),
    st.tuples(st.just("restart")),
)
RUN = itertools.count()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtWork]:
    at_work = open_shop(tmp_path_factory.mktemp("live") / "home")
    at_work.all_segments(QUERIES)
    yield at_work
    at_work.runtime.close()


def fact_of(  # noqa: PLR0911 - one for each kind of event
    at_work: AtWork, run: int, event: tuple[object, ...]
) -> Fact | None:
    """Return what Shopify would tell of one event; each run has people and orders of its own."""
    now = at_work.clock()

    def who(name: str) -> str:
        return f"{run}-{name}"

    def order(one: int, customer: str, *rest: int) -> Fact:
        line = LineFact(product_id="7", quantity=1, amount=10)
        told = at_work.order(one, who(customer), *rest, lines=(line,) if one % 2 else ())
        return replace(told, order_id=f"{run}-{one}")

    match event:
        case ("order", int(one), str(customer), int(money), int(days_ago)):
            return order(one, customer, money, days_ago)
        case ("cancel", int(one), str(customer)):
            return replace(order(one, customer), cancelled_at=now)
        case ("refund", int(one), int(money)):
            refund = RefundFact(refund_id=f"{run}-r{one}", refunded_at=now, amount=money)
            return RefundChange(order_id=f"{run}-{one}", refund=refund)
        case ("remove order", int(one)):
            return OrderDeleted(f"{run}-{one}", now)
        case ("tags", str(customer), tuple(tags)):
            return at_work.customer(who(customer), tags=tags)
        case ("delete", str(customer)):
            return CustomerDeleted(who(customer), now)
        case ("redact", str(customer)):
            return CustomerRedacted(who(customer), now)
        case ("merge", str(kept), str(removed)) if kept != removed:
            return CustomersMerged(kept_id=who(kept), removed_id=who(removed), at=now)
        case ("product", tuple(tags)):
            return ProductFact(product_id="7", updated_at=now, tags=tags)
    return None


def happen(at_work: AtWork, run: int, step: tuple[object, ...]) -> None:
    """Let one step happen; a second passes each time, so that newer is newer."""
    at_work.clock.instant += timedelta(seconds=1)
    match step:
        case ("facts", list(events)):
            told = [fact_of(at_work, run, event) for event in events]
            at_work.told(*(fact for fact in told if fact is not None))
        case ("hours", int(hours)):
            at_work.later(hours=hours)
        case ("edit", str(query)):
            at_work.edit(1, query)
        case ("restart",):
            at_work.runtime.forget(at_work.shop.id)


def check(at_work: AtWork) -> None:
    """Compare kept members, log and row with an evaluation from nothing."""
    runtime, shop = at_work.runtime, at_work.shop
    at_work.jobs.run_until_idle()
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
@looking(12)
@given(st.lists(STEP, min_size=2, max_size=7))
def test_kept_memberships_are_what_a_full_evaluation_finds(shop, steps):
    run = next(RUN)
    for step in steps:
        happen(shop, run, step)

    check(shop)
