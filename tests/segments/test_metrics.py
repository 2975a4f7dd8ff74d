"""Metrics: the worked example, days by the log and by the rule, marks, and changes."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from regulars import segments
from regulars.segments import metrics
from regulars.warehouse.facts import RefundChange, RefundFact
from regulars.warehouse.metrics import CustomerSums, read_days


def stored(at_work, segment_id):
    with at_work.runtime.warehouse(at_work.shop).reader() as cursor:
        return read_days(cursor, segment_id, date.min)


def present(at_work, segment_id):
    members = at_work.runtime.memberships(at_work.shop).members(segment_id)
    return metrics.present_figures(
        at_work.runtime.warehouse(at_work.shop), at_work.shop, members, at_work.clock()
    )


def test_the_average_order_value_is_the_mean_of_each_customers_own_mean(at_work):
    """A: three orders of $30, B: one of $10. The mean of means is $20, that of orders $25."""
    everybody = at_work.segment("All", "number_of_orders >= 0")
    for number, days_ago in enumerate((1, 11, 21)):
        at_work.told(at_work.order(number, "A", 3000, days_ago))
    at_work.told(at_work.order(9, "B", 1000), at_work.customer("C"))

    figures = present(at_work, everybody)

    assert figures == metrics.Figures(
        customers=3,
        repeat_rate=pytest.approx(1 / 3),
        lifetime_value=pytest.approx(10_000 / 3),
        average_order_value=2000,
        orders_per_customer=pytest.approx(4 / 3),
        purchase_interval_days=pytest.approx(10),
        order_mean=2500,
    )


def test_a_segment_of_nobody_has_no_means(at_work):
    nobody = at_work.segment("None", "number_of_orders > 99")

    figures = present(at_work, nobody)

    assert figures.customers == 0
    assert {getattr(figures, name) for name in metrics.Figures.__slots__[1:]} == {None}


def test_days_before_the_segment_are_worked_out_by_its_rule(at_work):
    at_work.told(
        at_work.order(1, "ana", 100, 5),
        at_work.order(2, "ana", 100, 3),
        at_work.order(3, "bo", 50, 3),
    )

    twice = at_work.segment("Twice", "number_of_orders >= 2")

    days = stored(at_work, twice)
    # The shop's today is 1 March; the first order was on 24 February.
    assert [one.shop_day for one in days] == [date(2026, 2, n) for n in range(24, 29)]
    assert [one.sums.customer_count for one in days] == [0, 0, 1, 1, 1]
    assert not any(one.is_recorded for one in days)
    assert all(one.is_past_known for one in days)


@pytest.mark.parametrize(
    ("query", "known"),
    [
        ("number_of_orders >= 1", True),
        ("customer_tags CONTAINS 'vip'", False),
        ("number_of_orders >= 1 AND NOT segment = 'Tagged'", False),
    ],
)
def test_days_are_marked_where_a_past_is_unknown(at_work, query, known):
    at_work.told(at_work.order(1, "ana", 100, 2))
    at_work.segment("Tagged", "customer_tags CONTAINS 'vip'")

    asked = at_work.segment("Asked", query)

    assert {one.is_past_known for one in stored(at_work, asked)} == {known}


def test_a_day_that_ends_is_recorded_by_the_log_with_its_orders(at_work):
    at_work.told(at_work.order(1, "ana", 300, 2), at_work.order(2, "bo", 100, 2))
    vip = at_work.segment("VIP", "amount_spent >= 300")
    at_work.clock.instant = datetime(2026, 3, 1, 4, tzinfo=UTC)
    # By this order bo becomes a member; it is no order of a member yet.
    at_work.told(at_work.order(3, "ana", 40), at_work.order(4, "bo", 500))

    at_work.later(days=1)

    last = stored(at_work, vip)[-1]
    assert (last.shop_day, last.is_recorded, last.is_past_known) == (date(2026, 3, 1), True, True)
    assert last.sums.customer_count == 2
    assert (last.day_order_count, last.day_amount) == (1, 40)


def test_a_sleep_of_days_leaves_no_hole(at_work):
    at_work.told(at_work.order(1, "ana", 300, 2))
    vip = at_work.segment("VIP", "amount_spent >= 300")

    at_work.later(days=4)

    days = [one.shop_day for one in stored(at_work, vip)]
    assert days == [date.fromordinal(days[0].toordinal() + n) for n in range(6)]
    assert [one.is_recorded for one in stored(at_work, vip)] == [False] * 2 + [True] * 4


def test_refunds_and_cancelled_orders_do_not_count(at_work):
    everybody = at_work.segment("All", "number_of_orders >= 0")
    at_work.told(
        at_work.order(1, "ana", 300, 1),
        at_work.order(2, "ana", 500, 1, cancelled_at=at_work.clock()),
        at_work.order(3, "ana", 900, 1, is_test=True),
        RefundChange(
            order_id="1",
            refund=RefundFact(refund_id="r", refunded_at=at_work.clock(), amount=100),
        ),
    )

    figures = present(at_work, everybody)

    assert (figures.lifetime_value, figures.orders_per_customer) == (200, 1)


def test_sums_carried_from_day_to_day_are_those_counted_at_once(at_work):
    everybody = at_work.segment("All", "number_of_orders >= 0")
    for number in range(30):
        at_work.told(at_work.order(number, "abcde"[number % 5], 10 * number, number % 7))
    members = at_work.runtime.memberships(at_work.shop).members(everybody)
    with at_work.runtime.warehouse(at_work.shop).reader() as cursor:
        at_once = CustomerSums(cursor, at_work.clock())
        carried = CustomerSums(cursor, datetime(2026, 2, 1, tzinfo=UTC))
        for day in range(20, 29):
            carried.move_on(datetime(2026, 2, day, 7, tzinfo=UTC), members)
        carried.move_on(at_work.clock(), members)

        assert carried.of(members) == at_once.of(members)
        assert at_once.of(members).order_count > 20


def test_the_change_is_against_the_mean_of_seven_days(at_work):
    at_work.told(at_work.order(1, "ana", 100, 20))
    buyers = at_work.segment("Buyers", "number_of_orders >= 1")
    at_work.told(at_work.order(2, "bo", 100), at_work.order(3, "cleo", 100))

    change = metrics.change_of(present(at_work, buyers), stored(at_work, buyers))

    assert (change["customers"], change["lifetime_value"]) == (2, 0)
    assert change["purchase_interval_days"] is None
    with at_work.runtime.office.reading() as session:
        assert segments.find_segment(session, at_work.shop, buyers).member_count == 3


def test_a_long_past_is_worked_out_some_days_at_a_time(at_work):
    at_work.runtime.settings.metrics_days_back = 365
    at_work.told(at_work.order(1, "ana", 100, 70))

    buyers = at_work.segment("Buyers", "number_of_orders >= 1")

    days = [one.shop_day for one in stored(at_work, buyers)]
    assert len(days) == 70 > 2 * metrics.DAYS_AT_ONCE
    assert days == [date.fromordinal(days[0].toordinal() + number) for number in range(70)]


def test_days_in_the_trash_are_worked_out_by_the_rule_once_it_is_back(at_work):
    """Nobody looked at who belonged there; what stood at the deletion is not told as recorded."""
    at_work.told(at_work.order(1, "ana", days_ago=3))
    buyers = at_work.segment("Buyers", "number_of_orders >= 1")
    at_work.later(days=2)
    with at_work.runtime.office.session() as session:
        row = segments.find_segment(session, at_work.shop, buyers)
        segments.delete_segment(session, at_work.shop, row, now=at_work.clock())
    at_work.jobs.follow_definitions(at_work.shop)
    at_work.later(days=1)
    at_work.told(at_work.order(2, "bo"))
    at_work.later(days=2)

    with at_work.runtime.office.session() as session:
        segments.restore_segment(session, at_work.shop, buyers, now=at_work.clock())
        at_work.jobs.refresh_segment_later(session, at_work.shop, buyers, "restored")
    at_work.jobs.run_until_idle()
    at_work.later(days=1)

    days = [(one.sums.customer_count, one.is_recorded) for one in stored(at_work, buyers)]
    worked_out, recorded = [(1, False)] * 3, [(1, True)] * 2
    assert days == [*worked_out, *recorded, (1, False), (2, False), (2, False), (2, True)]
