"""What a tracking counts, case by case; test_proof.py compares with a model over many histories."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from regulars.tracking import POPULATIONS, Before, Counter, Sums, frozen
from regulars.warehouse import Warehouses
from regulars.warehouse.facts import OrderFact
from tests.tracking.model import HOUR, MINUTE, PERIODS, SECOND, Entry, History, Order, fill


@pytest.fixture
def warehouse(tmp_path):
    warehouses = Warehouses(tmp_path)
    yield warehouses.of(1)
    warehouses.close()


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def figures_of(warehouse, orders, log, **changes):
    (asked,) = fill(warehouse, [History(PERIODS[4], orders, log, **changes)])
    return Counter(warehouse).figures([asked])[0]


def test_the_order_that_makes_a_member_is_a_line_of_its_own(warehouse):
    joined_at = instant("2026-12-01 03:00")
    figures = figures_of(
        warehouse,
        [Order(1, joined_at, 500), Order(1, joined_at + MINUTE, 700, 50)],
        [Entry(1, joined_at, joined=True)],
    )

    assert figures.joining == Sums(1, 500, 0)
    assert figures.populations["order_time"].sums == Sums(1, 700, 50)
    assert figures.populations["order_time"].sums.revenue_amount == 650
    assert figures.populations["ever"].sums == Sums(2, 1200, 50)


def test_a_membership_is_not_older_than_the_order_that_it_came_from(warehouse):
    placed_at = instant("2026-12-01 03:00")
    figures = figures_of(
        warehouse, [Order(1, placed_at, 500)], [Entry(1, placed_at - 20 * SECOND, joined=True)]
    )

    assert figures.joining == Sums(1, 500, 0)
    assert figures.populations["order_time"].sums == Sums()


def test_a_day_change_that_ran_late_counts_from_midnight(warehouse):
    # Tokyo's midnight is 15:00 UTC; the program was off until 18:00.
    figures = figures_of(
        warehouse,
        [Order(1, instant("2026-11-30 16:00"), 500)],
        [
            Entry(1, instant("2026-11-01 00:00"), joined=True),
            Entry(1, instant("2026-11-30 18:00"), joined=False, cause="day_change"),
        ],
    )

    assert figures.customers_at_start == 0
    assert figures.populations["order_time"].sums == Sums()


def test_orders_of_a_merged_customer_stay(warehouse):
    figures = figures_of(
        warehouse,
        [Order(1, instant("2026-12-01 02:00"), 500)],
        [
            Entry(0, instant("2026-11-01 00:00"), joined=True),
            Entry(0, instant("2026-12-01 03:00"), joined=False, cause="merged"),
        ],
        merged={0: 1},
    )

    assert figures.populations["order_time"].sums == Sums(1, 500, 0)


def test_without_members_everything_is_zero_and_no_ratio_is_invented(warehouse):
    figures = figures_of(warehouse, [Order(1, instant("2026-12-01 03:00"), 500)], [])

    for population in POPULATIONS:
        counted = figures.populations[population]
        assert (counted.customers, counted.buyers, counted.sums) == (0, 0, Sums())
        assert counted.average_order_amount is None
        assert counted.orders_per_customer is None


def test_what_was_counted_is_kept_until_facts_or_log_move(warehouse):
    member = Entry(1, instant("2026-11-01 00:00"), joined=True)
    (asked,) = fill(warehouse, [History(PERIODS[4], [], [member])])
    counter = Counter(warehouse)
    (first,) = counter.figures([asked])
    (again,) = counter.figures([asked])
    fill(warehouse, [History(PERIODS[4], [Order(1, instant("2026-12-01 03:00"), 9)], [])])
    (after,) = counter.figures([asked])

    assert again is first
    assert (first.populations["ever"].sums, after.populations["ever"].sums) == (Sums(), Sums(1, 9))


def test_a_static_tracking_counts_its_frozen_members_to_its_end(warehouse):
    """Row R5: whoever joins or leaves the list's segment later changes nothing."""
    period = PERIODS[4]
    noon = instant("2026-12-01 03:00")
    orders = [Order(1, noon, 500), Order(2, noon, 70), Order(1, noon + MINUTE, 30, 10)]
    log = [Entry(2, noon - MINUTE, joined=True), Entry(1, noon, joined=False)]
    (asked,) = fill(warehouse, [History(period, orders, log)])
    kept = Before.of_bytes(frozen([1, 3], period.starts_at).to_bytes())
    asked = replace(asked, before=kept, is_frozen=True)
    (figures,) = Counter(warehouse).figures([asked])

    assert {figures.customers_at_start, figures.customers_now, figures.customers_ever} == {2}
    for population in POPULATIONS:
        assert figures.populations[population].sums == Sums(2, 530, 10)
    assert figures.joining == Sums()


def test_an_order_that_arrives_is_counted_without_reading_the_others(warehouse):
    """What is kept is mended by the difference; to see that, the others are changed unseen."""
    member = Entry(1, instant("2026-11-01 00:00"), joined=True)
    early = Order(1, instant("2026-12-01 01:00"), 9)
    other = Entry(2, instant("2026-11-01 00:00"), joined=True)
    (asked,) = fill(warehouse, [History(PERIODS[4], [early], [member, other])])
    counter = Counter(warehouse)
    (first,) = counter.figures([asked])
    with warehouse.transaction(changes_facts=False) as cursor:
        cursor.execute("UPDATE orders SET total_amount = 1000 WHERE customer_no = 1")
    arrived = OrderFact(
        order_id="new", customer_id="2", processed_at=early.at, total_amount=50, updated_at=early.at
    )
    warehouse.apply([arrived], at=early.at)
    (after,) = counter.figures([asked])

    assert first.populations["ever"].sums == Sums(1, 9)
    assert after.populations["ever"].sums == Sums(2, 59)
    assert after.populations["ever"].buyers == 2


@pytest.mark.parametrize("turned", [False, True])
def test_orders_of_one_instant_are_alike_however_they_are_stored(warehouse, turned):
    placed_at = instant("2026-12-01 03:00")
    orders = [Order(1, placed_at, 500), Order(1, placed_at, 70)]
    log = [Entry(1, placed_at + MINUTE, joined=True)]
    figures = figures_of(warehouse, orders[::-1] if turned else orders, log)

    assert figures.joining == Sums(2, 570, 0)


@pytest.mark.parametrize("heir", [1, 2])
def test_of_merged_memberships_that_began_at_once_one_from_an_order_is_enough(warehouse, heir):
    placed_at = instant("2026-12-01 03:00")
    log = [
        Entry(1, placed_at, joined=True),
        Entry(2, placed_at, joined=True, cause="profile"),
        Entry(heir, placed_at + HOUR, joined=False),
    ]
    figures = figures_of(warehouse, [Order(heir, placed_at, 500)], log, merged={3 - heir: heir})

    assert figures.joining == Sums(1, 500, 0)
