"""What a tracking counts, case by case; test_proof.py compares with a model over many histories."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regulars.tracking import POPULATIONS, Counter, Sums
from regulars.warehouse import Warehouses
from tests.tracking.model import MINUTE, PERIODS, SECOND, Entry, History, Order, fill


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
