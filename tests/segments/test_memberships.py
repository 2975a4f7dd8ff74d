"""Memberships: facts, days and edits move customers, and the log says who, when and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from regulars import segments
from regulars.segments.day_change import few_moved, last_of_day
from regulars.warehouse.facts import CustomerDeleted, CustomersMerged, ProductFact
from tests.jobs.at_work import reopen


def test_an_order_moves_its_customer_at_once(at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")
    at_work.told(at_work.order(1, "ana", 150), at_work.order(2, "bo", 250))

    at_work.told(at_work.order(3, "ana", 50))

    assert at_work.members(vip) == {"ana", "bo"}
    assert at_work.logged(vip) == [("+bo", "order"), ("+ana", "order")]


def test_a_cancelled_order_takes_its_customer_out_again(at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")
    at_work.told(at_work.order(1, "ana", 250))
    at_work.clock.instant = datetime(2026, 3, 1, 4, tzinfo=UTC)

    at_work.told(at_work.order(1, "ana", 250, cancelled_at=at_work.clock()))

    assert at_work.members(vip) == set()
    assert at_work.logged(vip) == [("+ana", "order"), ("-ana", "order")]


def test_a_tag_moves_its_customer_with_the_cause_profile(at_work):
    tagged = at_work.segment("Tagged", "customer_tags CONTAINS 'vip'")

    at_work.told(at_work.customer("ana", tags=("VIP",)))

    assert at_work.logged(tagged) == [("+ana", "profile")]


def test_a_segment_made_of_segments_follows_its_parts_in_the_same_batch(at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")
    others = at_work.segment("Others", "segment != 'VIP'")
    both = at_work.segment("Twice", "segment = 'Others' AND number_of_orders >= 1")
    at_work.told(at_work.order(1, "ana", 100), at_work.order(2, "bo", 300))
    assert (at_work.members(vip), at_work.members(others)) == ({"bo"}, {"ana"})
    assert at_work.members(both) == {"ana"}

    at_work.told(at_work.order(3, "ana", 100))

    assert (at_work.members(vip), at_work.members(others)) == ({"ana", "bo"}, set())
    assert at_work.members(both) == set()


def test_midnight_of_the_shop_moves_customers_by_time_alone(at_work):
    """It is noon in Tokyo; a day has passed there fifteen hours later, at three o'clock."""
    recent = at_work.segment("Recent", "last_order_date >= yesterday")
    at_work.told(at_work.order(1, "ana", days_ago=1))

    at_work.later(hours=11, minutes=59)
    assert at_work.members(recent) == {"ana"}
    at_work.later(minutes=2)

    assert at_work.members(recent) == set()
    assert at_work.logged(recent) == [("+ana", "order"), ("-ana", "day_change")]


def test_midnight_asks_only_whom_the_new_day_may_move(at_work):
    recent = at_work.segment("Recent", "orders_placed MATCHES (date >= -3d) AND amount_spent >= 1")
    people = {"ana": 3, "bo": 2, "cleo": 40}
    at_work.told(
        *(at_work.order(n, who, days_ago=ago) for n, (who, ago) in enumerate(people.items()))
    )
    now = at_work.clock() + timedelta(days=1)
    runtime, shop = at_work.runtime, at_work.shop
    evaluator = runtime.evaluator(shop)
    live = runtime.memberships(shop).live_context(shop, now)
    with runtime.office.reading() as session:
        every = segments.definitions(session, shop)
    before = last_of_day(live.today - timedelta(days=1), live)

    with few_moved(evaluator, every, {recent}, before, live) as few:
        moved = runtime.warehouse(shop).customer_ids(few.customers).values()

    assert set(moved) == {"ana"}
    assert at_work.members(recent) == {"ana", "bo"}


def test_a_sleep_of_weeks_is_caught_up_by_one_day_change(at_work):
    recent = at_work.segment("Recent", "last_order_date >= -7d")
    at_work.told(at_work.order(1, "ana"))

    at_work.later(days=40)

    assert at_work.members(recent) == set()


def test_an_order_on_the_new_day_is_seen_though_its_time_is_ahead_of_our_clock(at_work):
    buyers = at_work.segment("Buyers", "number_of_orders >= 1")

    at_work.told(at_work.order(1, "ana", days_ago=-0.01))

    assert at_work.members(buyers) == {"ana"}


def test_an_order_of_tomorrow_counts_from_tomorrow(at_work):
    buyers = at_work.segment("Buyers", "number_of_orders >= 1")
    at_work.told(at_work.order(1, "ana", days_ago=-1))
    assert at_work.members(buyers) == set()

    at_work.later(days=1)

    assert at_work.members(buyers) == {"ana"}


def test_an_edit_switches_the_members_and_those_of_what_is_made_of_it(at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")
    others = at_work.segment("Others", "segment != 'VIP'")
    at_work.told(at_work.order(1, "ana", 100), at_work.order(2, "bo", 300))

    at_work.edit(vip, "amount_spent < 200")

    assert (at_work.members(vip), at_work.members(others)) == ({"ana"}, {"bo"})
    assert at_work.logged(vip)[1:] == [("+ana", "edited"), ("-bo", "edited")]
    assert at_work.logged(others)[1:] == [("+bo", "part_changed"), ("-ana", "part_changed")]


def test_the_members_of_the_old_query_serve_until_the_new_one_is_built(at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")
    at_work.told(at_work.order(1, "ana", 100), at_work.order(2, "bo", 300))

    with at_work.runtime.office.session() as session:
        row = segments.find_segment(session, at_work.shop, vip)
        segments.edit_segment(
            session,
            at_work.shop,
            row,
            query="amount_spent < 200",
            author="bo",
            now=at_work.clock(),
        )
    at_work.told(at_work.order(3, "cleo", 400))

    assert at_work.row(vip).state == "building"
    assert at_work.members(vip) == {"bo", "cleo"}


def test_everything_is_the_same_after_a_restart(at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")
    others = at_work.segment("Others", "segment != 'VIP'")
    at_work.told(at_work.order(1, "ana", 100), at_work.order(2, "bo", 300))

    again = reopen(at_work)

    assert (again.members(vip), again.members(others)) == ({"bo"}, {"ana"})
    again.told(again.order(3, "ana", 200))
    assert (again.members(vip), again.members(others)) == ({"ana", "bo"}, set())
    again.runtime.close()


def test_a_deleted_customer_leaves_every_segment(at_work):
    others = at_work.segment("Nobody's", "number_of_orders = 0")
    at_work.told(at_work.customer("ana"), at_work.customer("bo"))

    at_work.told(CustomerDeleted("ana", at_work.clock()))

    assert at_work.members(others) == {"bo"}
    assert at_work.logged(others)[-1] == ("-ana", "deleted")


def test_a_merged_customer_leaves_and_the_kept_one_gets_the_orders(at_work):
    twice = at_work.segment("Twice", "number_of_orders >= 2")
    once = at_work.segment("Once", "number_of_orders = 1")
    at_work.told(at_work.order(1, "ana"), at_work.order(2, "bo"))

    at_work.told(CustomersMerged(kept_id="ana", removed_id="bo", at=at_work.clock()))

    assert (at_work.members(twice), at_work.members(once)) == ({"ana"}, set())


def test_a_product_that_gets_a_tag_moves_its_buyers(at_work):
    from regulars.warehouse.facts import LineFact

    tea = at_work.segment("Tea", "products_purchased MATCHES (tag = 'tea')")
    line = LineFact(product_id="7", quantity=1, amount=100)
    at_work.told(at_work.order(1, "ana", lines=(line,)))
    assert at_work.members(tea) == set()

    at_work.told(ProductFact(product_id="7", updated_at=at_work.clock(), tags=("tea",)))
    at_work.jobs.run_until_idle()

    assert at_work.members(tea) == {"ana"}
    assert at_work.logged(tea) == [("+ana", "product")]


def test_an_error_while_applying_takes_memberships_and_facts_back(at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")
    memberships = at_work.runtime.memberships(at_work.shop)
    warehouse = at_work.runtime.warehouse(at_work.shop)

    def apply_and_fail():
        with memberships.changing(at_work.shop, at_work.clock()) as changing:

            def then(cursor, applied):
                changing.follow(cursor, applied.customer_nos, {})
                raise LookupError("not this time")

            warehouse.apply([at_work.order(1, "ana", 300)], at=at_work.clock(), then=then)

    with pytest.raises(LookupError, match="not this time"):
        apply_and_fail()

    assert at_work.members(vip) == set()
    at_work.told(at_work.order(1, "ana", 300))
    assert at_work.members(vip) == {"ana"}
    assert at_work.logged(vip) == [("+ana", "order")]


def test_a_universe_of_buyers_leaves_others_out(tmp_path):
    from tests.jobs.at_work import open_shop

    opened = open_shop(tmp_path / "buyers")
    with opened.runtime.office.session() as session:
        session.merge(opened.shop).universe = "buyers"
        opened.shop.universe = "buyers"
    none = opened.segment("Small", "amount_spent < 200")
    opened.told(opened.customer("ana"), opened.order(1, "bo", 100))

    assert opened.members(none) == {"bo"}
    opened.runtime.close()


def test_the_row_tells_count_and_instant(at_work):
    vip = at_work.segment("VIP", "amount_spent >= 200")
    at_work.told(at_work.order(1, "ana", 300))

    row = at_work.row(vip)

    assert (row.state, row.member_count, row.evaluated_version) == ("ready", 1, 1)


def test_a_past_count_of_a_named_segment_looks_at_its_query_then(at_work):
    from regulars.language import parse

    at_work.segment("VIP", "amount_spent >= 200")
    at_work.told(at_work.order(1, "ana", 300, days_ago=10))

    counts = [
        at_work.runtime.evaluator(at_work.shop)
        .counts(parse("segment = 'VIP'"), at_work.runtime.context(at_work.shop, as_of))
        .total
        for as_of in (datetime(2026, 2, 1, tzinfo=UTC), None)
    ]

    assert counts == [0, 1]
