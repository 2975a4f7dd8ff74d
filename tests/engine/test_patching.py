"""Kept answers and columns, patched by whoever changed, say what statements over all rows say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from regulars.engine import Context, SetEvaluator
from regulars.engine import columns as column_room
from regulars.language import parse
from regulars.language.tree import Node
from regulars.warehouse.facts import (
    CustomerDeleted,
    CustomerFact,
    CustomersMerged,
    Fact,
    OrderDeleted,
    OrderFact,
    ProductFact,
)
from regulars.warehouse.warehouse import Warehouse, WarehouseSettings
from tests.engine.pool import ROWS, SETS, TOLD_AT, ZONES, filters, random_facts, trees
from tests.exploring import looking

#: After everything that the random shop tells of, and in the midst of it.
LATE = datetime(2024, 6, 1, 3, tzinfo=UTC)
MIDST = datetime(2023, 12, 31, 15, tzinfo=UTC)


def in_no_set(of: str, name: str) -> BitMap:
    assert name in SETS, of
    return BitMap()


def context_of(as_of: datetime, zone: ZoneInfo, evaluator: SetEvaluator) -> Context:
    return Context(as_of, zone, "USD", "all", in_no_set, evaluator.rfm_thresholds)


def by_statements(warehouse: Warehouse, queries: Sequence[Node], context: Context) -> list[BitMap]:
    """Evaluate with nothing kept: inside a transaction there is no cache and no column."""
    with warehouse.reader() as cursor:
        return SetEvaluator(warehouse).members_of_many(queries, context, cursor)


def changes(chance: random.Random, step: int) -> list[Fact]:
    """Tell a few customers, orders and products anew, and take some away."""
    at = TOLD_AT + timedelta(days=step)
    anew = random_facts(chance.randrange(10**6), 40)
    told: list[Fact] = []
    for kind, most in ((CustomerFact, 6), (OrderFact, 4), (ProductFact, chance.choice([0, 1]))):
        found = [fact for fact in anew if isinstance(fact, kind)]
        told += [replace(fact, updated_at=at) for fact in chance.sample(found, most)]
    names = [f"c{number:03}" for number in range(40)]
    taken: list[Fact] = [
        CustomerDeleted(chance.choice(names), at),
        OrderDeleted(f"{chance.randrange(40):03}00", at),
    ]
    first, second = chance.sample(names, 2)
    taken.append(CustomersMerged(first, second, at))
    return told + [one for one in taken if chance.random() < 0.3]


@pytest.mark.slow
@looking(2)
@given(
    asked=st.lists(trees(2), min_size=15, max_size=15),
    seed=st.integers(0, 10**6),
    zone=st.sampled_from(ZONES),
)
def test_what_is_kept_is_what_would_be_found_now_in_random_histories(
    asked: Sequence[Node], seed: int, zone: ZoneInfo
) -> None:
    chance = random.Random(seed)
    with TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "shop.duckdb", WarehouseSettings(threads=1))
        warehouse.apply(random_facts(seed, 30), at=TOLD_AT)
        evaluator = SetEvaluator(warehouse)
        for step in range(1, 4):
            for context in (context_of(at, zone, evaluator) for at in (LATE, MIDST)):
                expected = by_statements(warehouse, asked, context)

                assert expected == evaluator.members_of_many(asked, context)
            warehouse.apply(changes(chance, step), at=TOLD_AT + timedelta(days=step))
        warehouse.close()


ASKED = [
    "customer_tags CONTAINS 'vip'",
    "customer_tags CONTAINS 'new'",
    "customer_countries CONTAINS 'JP'",
    "email_subscription_status = 'SUBSCRIBED'",
    "customer_language != 'ja'",
    "number_of_orders >= 1",
    "amount_spent < 1000",
    "average_order_value >= 1000",
    "average_days_between_orders <= 30",
    "days_since_last_order BETWEEN 1 AND 400",
    "rfm_frequency_score >= 2",
    "last_order_date >= -400d",
]


def customer(name: str, **told: Any) -> CustomerFact:
    return CustomerFact(customer_id=name, updated_at=TOLD_AT + timedelta(days=1), **told)


def order(order_id: str, processed_at: datetime, amount: int) -> OrderFact:
    return OrderFact(
        order_id=order_id,
        customer_id="d001",
        processed_at=processed_at,
        total_amount=amount,
        updated_at=TOLD_AT + timedelta(days=1),
    )


def test_columns_follow_those_who_changed_those_who_came_and_those_who_went(
    tmp_path: Path,
) -> None:
    warehouse = Warehouse(tmp_path / "shop.duckdb", WarehouseSettings(threads=1))
    warehouse.apply(random_facts(5, 30), at=TOLD_AT)
    evaluator = SetEvaluator(warehouse)
    context = context_of(LATE, ZONES[0], evaluator)
    queries = [parse(text) for text in ASKED]
    at = TOLD_AT + timedelta(days=1)
    for facts in (
        [customer("c000", tags=("new",), language="ja", addresses=())],
        [customer("c003", email_subscription_status="SUBSCRIBED", tags=())],
        [customer("d001", tags=("VIP",), added_at=MIDST)],
        [order("900", MIDST, 5000)],
        [order("901", MIDST + timedelta(days=9), 50)],
        [OrderDeleted("900", at), CustomerDeleted("c008", at)],
        [customer("c011", language="a language of its own")],
    ):
        evaluator.members_of_many(queries, context)
        warehouse.apply(facts, at=at)
        expected = by_statements(warehouse, queries, context)

        assert warehouse.touched_since(warehouse.data_version - 1)
        assert expected == evaluator.members_of_many(queries, context)
    warehouse.close()


@looking(60)
@given(
    leaf=st.sampled_from([row for row in ROWS if not row.is_function]).flatmap(filters),
    zone=st.sampled_from(ZONES),
)
def test_columns_say_what_statements_say(
    kept: SetEvaluator, pool_shop: Warehouse, leaf: Node, zone: ZoneInfo
) -> None:
    context = context_of(LATE, zone, kept)

    assert by_statements(pool_shop, [leaf], context) == [kept.members(leaf, context)]


@pytest.fixture(scope="module")
def kept(pool_shop: Warehouse) -> SetEvaluator:
    return SetEvaluator(pool_shop)


def test_a_column_of_too_many_texts_is_left_to_statements(
    pool_shop: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_room, "TEXTS_MAX", 1)
    evaluator = SetEvaluator(pool_shop)
    context = context_of(LATE, ZONES[0], evaluator)
    tree = parse("customer_account_status = 'ENABLED' OR customer_tags CONTAINS 'vip'")

    assert by_statements(pool_shop, [tree], context) == [evaluator.members(tree, context)]
