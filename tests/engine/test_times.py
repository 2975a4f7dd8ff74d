"""What time alone does, told ahead, is what happens when each midnight is evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from regulars.engine import Context, SetEvaluator, calendar_ahead, compile_query, explain
from regulars.engine.days import MICROSECOND, next_midnights
from regulars.engine.rfm import RfmSource
from regulars.engine.times import flips
from regulars.engine.view import View
from regulars.language import mentions_time, parse
from regulars.language.tree import Node
from regulars.warehouse.warehouse import Warehouse
from tests.engine.pool import ZONES, trees
from tests.exploring import looking
from tests.shops import shop as told_shop

AFTER_ALL = datetime(2024, 6, 1, 12, tzinfo=UTC)
#: The pool's last order, refund or cancellation is not later.
LAST_FACT = datetime(2024, 4, 1, 2, 31, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2024, 3, 15, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def basic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = told_shop("basic").warehouse(tmp_path_factory.mktemp("basic"))
    yield warehouse
    warehouse.close()


def context(as_of: datetime = NOW) -> Context:
    return Context(as_of, TOKYO, "JPY")


def _thresholds_of_the_end(evaluator: SetEvaluator) -> RfmSource:
    """Nothing happens after the end, so later thresholds are its own, found once."""
    return lambda at, zone: evaluator.rfm_thresholds(min(at, AFTER_ALL + MICROSECOND), zone)


@pytest.mark.slow
@looking(8)
@given(tree=trees(2), zone=st.sampled_from(ZONES), number=st.integers(0, 40))
def test_the_flip_told_ahead_is_the_first_midnight_that_changes_the_answer(
    pool_shop: Warehouse, tree: Node, zone: ZoneInfo, number: int
) -> None:
    assume(mentions_time(tree) and "NAME" not in str(tree))
    sets = {"even": pool_shop.universe("all")}
    now = Context(
        AFTER_ALL,
        zone,
        "USD",
        "all",
        lambda of, name: sets.get(name, sets["even"]),
        _thresholds_of_the_end(SetEvaluator(pool_shop)),
    )
    (record,) = pool_shop.records([number])
    view = View(record, AFTER_ALL)
    told = flips(tree, view, now).days[0]

    truth = compile_query(tree, now)(record)
    found = None
    for day, midnight in next_midnights(AFTER_ALL, zone, 120):
        if compile_query(tree, now.at(midnight))(record) is not truth:
            found = day
            break

    assert found == (told if told is not None and told <= day else None)


@pytest.mark.slow
@looking(10)
@given(tree=trees(3), zone=st.sampled_from(ZONES), days_later=st.sampled_from([0, 0, -30]))
def test_the_calendar_ahead_is_what_each_midnight_finds(
    pool_shop: Warehouse, tree: Node, zone: ZoneInfo, days_later: int
) -> None:
    evaluator = SetEvaluator(pool_shop)
    even = pool_shop.universe("all")
    now = Context(
        AFTER_ALL + timedelta(days=days_later),
        zone,
        "USD",
        "all",
        lambda _of, _name: even,
        evaluator.rfm_thresholds,
    )
    found, before = [], evaluator.members(tree, now)
    for day, midnight in next_midnights(now.as_of, zone, 40):
        members = evaluator.members(tree, now.at(midnight))
        if members != before:
            found.append((day, members - before, before - members))
        before = members

    told = calendar_ahead(evaluator, tree, now, days=40, context_at=now.at)

    assert found == [(one.day, one.joins, one.leaves) for one in told]


MOVING = [
    "last_order_date BETWEEN -40d AND -7d",
    "first_order_date != -30d",
    "NOT customer_added_date > -1m",
    "orders_placed NOT MATCHES (date >= -60d, count >= 2)",
    "orders_placed MATCHES (date BETWEEN -40d AND -3d, sum_amount <= 10)",
    "orders_placed MATCHES (date < -20d, count != 1, source = 'web')",
    "products_purchased MATCHES (date >= -35d, sum_quantity >= 3)",
    "products_purchased MATCHES (date > -2m, count = 1)",
    "products_purchased MATCHES (date = -21d, quantity >= 1, number >= 2)",
    "orders_placed MATCHES (date != -20d)",
    "days_since_last_order BETWEEN 20 AND 45",
]


@pytest.mark.parametrize("text", MOVING)
def test_sliding_bounds_turn_whom_each_midnight_turns(pool_shop: Warehouse, text: str) -> None:
    """From a day on which much has happened lately, and nothing is known of what follows."""
    evaluator = SetEvaluator(pool_shop)
    tree = parse(text)
    now = Context(LAST_FACT, TOKYO, "USD")
    before, days = evaluator.members(tree, now), {}
    for day, midnight in next_midnights(now.as_of, TOKYO, 45):
        members = evaluator.members(tree, now.at(midnight))
        if members != before:
            days[day] = (members - before, before - members)
        before = members

    told = calendar_ahead(evaluator, tree, now, days=45)

    assert not evaluator.knows_later(now)
    assert days == {one.day: (one.joins, one.leaves) for one in told}
    assert days


def test_the_last_order_drops_out_of_a_week_eight_days_later(basic: Warehouse) -> None:
    (ana,) = basic.records(basic.customer_nos(["ana"]).values())

    said = explain(parse("last_order_date >= -7d"), ana, context())

    assert said.is_member
    assert date(2024, 3, 23) == said.flips_on


def test_nothing_that_stands_still_flips(basic: Warehouse) -> None:
    (ana,) = basic.records(basic.customer_nos(["ana"]).values())

    assert explain(parse("last_order_date >= 2024-01-01"), ana, context()).flips_on is None


def test_a_birthday_on_29_february_comes_on_the_28th(basic: Warehouse) -> None:
    (bo,) = basic.records(basic.customer_nos(["bo"]).values())
    birthday = parse("anniversary('metafields.facts.birth_date') = today")

    assert date(2025, 2, 28) == explain(birthday, bo, context()).flips_on


def test_the_calendar_ahead_names_who_joins_and_leaves_on_each_day(basic: Warehouse) -> None:
    evaluator = SetEvaluator(basic)
    names = basic.customer_ids(range(5))
    tree = parse("last_order_date < -7d")

    told = [
        (change.day, {names[no] for no in change.joins}, {names[no] for no in change.leaves})
        for change in calendar_ahead(evaluator, tree, context(), days=30)
    ]

    assert [(date(2024, 3, 22), {"eve"}, set()), (date(2024, 3, 23), {"ana"}, set())] == told


def test_without_a_word_of_time_the_calendar_is_empty(basic: Warehouse) -> None:
    assert calendar_ahead(SetEvaluator(basic), parse("amount_spent > 0"), context()) == []
