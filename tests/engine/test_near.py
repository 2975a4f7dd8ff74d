"""Near misses: the closest customers are found without measuring everybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from regulars.engine import Context, SetEvaluator, compile_query, near_misses
from regulars.engine.explain import own_and_change
from regulars.language import parse
from regulars.language.tree import Filter, Node, Not
from regulars.warehouse.record import CustomerRecord
from regulars.warehouse.warehouse import Warehouse

CONTEXT = Context(datetime(2024, 3, 20, tzinfo=UTC), ZoneInfo("Asia/Tokyo"), "USD")
QUERIES = [
    "amount_spent >= 50",
    "number_of_orders BETWEEN 2 AND 3",
    "orders_placed MATCHES (date >= -1y, count >= 2)",
    "orders_placed NOT MATCHES (sum_amount > 20)",
    "products_purchased MATCHES (quantity >= 1, sum_quantity >= 4)",
    "last_order_date >= -60d AND customer_tags CONTAINS 'vip'",
    "average_order_value > 10 OR NOT number_of_orders < 3",
    "days_since_last_order BETWEEN 20 AND 60",
    "AT LEAST 2 OF (amount_spent >= 10, number_of_orders >= 3, refunded_amount = 0)",
]


def hanging(tree: Node, leaf: Filter, records: Sequence[CustomerRecord]) -> list[CustomerRecord]:
    """The customers whose membership turns with this filter: ask the query with it negated."""

    def turned(node: Node) -> Node:
        if node == leaf:
            return Not(leaf)
        if isinstance(node, Filter):
            return node
        if isinstance(node, Not):
            return Not(turned(node.part))
        return type(node)(
            *([node.count] if hasattr(node, "count") else []),  # type: ignore[arg-type]
            tuple(turned(part) for part in node.parts),
        )

    one, other = compile_query(tree, CONTEXT), compile_query(turned(tree), CONTEXT)
    return [record for record in records if one(record) is not other(record)]


@pytest.fixture(scope="module")
def evaluator(pool_shop: Warehouse) -> SetEvaluator:
    return SetEvaluator(pool_shop)


@pytest.fixture(scope="module")
def records(pool_shop: Warehouse, evaluator: SetEvaluator) -> list[CustomerRecord]:
    return pool_shop.records(evaluator.universe(CONTEXT))


@pytest.mark.parametrize("text", QUERIES)
def test_nobody_is_closer_than_those_who_are_told(
    pool_shop: Warehouse, evaluator: SetEvaluator, records: list[CustomerRecord], text: str
) -> None:
    tree = parse(text)
    matches = compile_query(tree, CONTEXT)
    limit = 5

    found = near_misses(evaluator, pool_shop.records, tree, CONTEXT, limit=limit)

    assert found
    for group in found:
        who = [
            record
            for record in hanging(tree, group.filter, records)
            if matches(record) is not group.joining
        ]
        changes = [own_and_change(group.filter, record, CONTEXT)[1] for record in who]
        away = sorted(Fraction(c.amount) for c in changes if c and c.amount is not None)
        told = [Fraction(one.change.amount or 0) for one in group.customers]

        assert len(who) == group.count
        assert away[:limit] == told


def test_texts_have_no_near_misses(pool_shop: Warehouse) -> None:
    tree = parse("customer_tags CONTAINS 'vip' AND customer_language = 'ja'")

    assert near_misses(SetEvaluator(pool_shop), pool_shop.records, tree, CONTEXT) == []
