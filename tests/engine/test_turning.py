"""Whom a new day may move: nobody else moves, and asking them alone tells how they do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from regulars.engine import Context, SetEvaluator, turned
from regulars.engine.days import MICROSECOND, day_start
from regulars.engine.lowered import lower
from regulars.language import parse, print_query
from regulars.language.keys import mentions_time
from regulars.language.tree import Node, filters_of
from regulars.warehouse.warehouse import Warehouse
from tests.engine.pool import DAYS, SETS, ZONES, trees
from tests.exploring import looking


def in_no_set(of: str, name: str) -> BitMap:
    assert name in SETS, of
    return BitMap()


def end_of(day: date, zone: ZoneInfo, evaluator: SetEvaluator) -> Context:
    as_of = day_start(day + timedelta(days=1), zone) - MICROSECOND
    return Context(as_of, zone, "USD", "all", in_no_set, evaluator.rfm_thresholds)


def check(
    warehouse: Warehouse, queries: Sequence[Node], day: date, days: int, zone: ZoneInfo
) -> BitMap | None:
    """Bring the members of one day to a later one by asking those who are told; return them."""
    evaluator = SetEvaluator(warehouse)
    before, now = (end_of(one, zone, evaluator) for one in (day, day + timedelta(days=days)))
    leaves = [leaf for query in queries for leaf in filters_of(query)]
    old, new = (evaluator.members_of_many(queries, at) for at in (before, now))

    told = turned(evaluator, filter(mentions_time, leaves), before, now, most=10**9)

    # Where a date has no bound on one of the days, nobody can be told from the others.
    few = evaluator.universe(now) | evaluator.universe(before) if told is None else told
    questions = [lower(leaf, now)[0] for leaf in leaves]
    with evaluator.among(few, questions, now) as asking:
        for query, was, expected in zip(queries, old, new, strict=True):
            assert expected == (was - few) | asking.members(query), print_query(query)
    return told


@pytest.mark.slow
@looking(6)
@given(
    queries=st.lists(trees(2), min_size=12, max_size=12),
    day=st.sampled_from(DAYS),
    days=st.sampled_from([1, 1, 1, 2, 40]),
    zone=st.sampled_from(ZONES),
)
def test_only_who_is_told_moves_and_asking_them_alone_finds_how(
    pool_shop: Warehouse, queries: Sequence[Node], day: date, days: int, zone: ZoneInfo
) -> None:
    check(pool_shop, queries, day, days, zone)


#: Bounds of every kind over what happens at the edges of days.
DATED = """
orders_placed MATCHES (date >= -1d, count >= 1)
orders_placed MATCHES (date >= -1d, amount >= 1)
orders_placed MATCHES (date < -1d, count >= 2)
orders_placed MATCHES (date = -2d)
orders_placed MATCHES (date != -2d)
orders_placed MATCHES (date BETWEEN -3d AND -1d, count <= 1)
orders_placed MATCHES (date >= -2d, number = 1)
orders_placed MATCHES (date BETWEEN -2d AND yesterday, sum_amount >= 10)
products_purchased MATCHES (date >= -1d)
products_purchased MATCHES (date <= -2d, count >= 2)
products_purchased NOT MATCHES (date = yesterday, quantity >= 1)
products_purchased_in_order MATCHES (first_id IN (1, 2, 3), date >= -2d)
last_order_date >= -2d
days_since_first_order <= 2
first_order_date = yesterday
"""


@pytest.mark.slow
def test_each_bound_that_slides_over_orders_turns_those_it_passes(pool_shop: Warehouse) -> None:
    queries = [parse(line) for line in DATED.split("\n") if line]
    told = BitMap()
    for day, zone in zip(DAYS[::2], ZONES, strict=False):
        told |= check(pool_shop, queries, day + timedelta(days=1), 1, zone) or BitMap()

    assert told
