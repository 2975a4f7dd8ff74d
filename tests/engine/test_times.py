"""What time alone does, told ahead, is what happens when each midnight is evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from regulars.engine import Context, SetEvaluator, calendar_ahead, compile_query, explain
from regulars.engine.days import next_midnights
from regulars.engine.times import flips
from regulars.engine.view import View
from regulars.language import mentions_time, parse
from regulars.language.tree import Node
from regulars.warehouse.warehouse import Warehouse
from tests.engine.pool import ZONES, trees
from tests.exploring import looking
from tests.shops import shop as told_shop

AFTER_ALL = datetime(2024, 6, 1, 12, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2024, 3, 15, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def basic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = told_shop("basic").warehouse(tmp_path_factory.mktemp("basic"))
    yield warehouse
    warehouse.close()


def context(as_of: datetime = NOW) -> Context:
    return Context(as_of, TOKYO, "JPY")


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
        SetEvaluator(pool_shop).rfm_thresholds,
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
