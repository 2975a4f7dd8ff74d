"""A past instant is evaluated as if nothing later had ever been told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from pyroaring import BitMap

from regulars.engine import Context, SetEvaluator
from regulars.language.tree import Node
from regulars.warehouse.facts import CustomerFact, Fact, OrderFact
from regulars.warehouse.warehouse import Warehouse
from tests.engine.conftest import load
from tests.engine.pool import trees
from tests.exploring import looking

INSTANT = datetime(2024, 2, 29, 0, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Tokyo")


def until(facts: Sequence[Fact], instant: datetime) -> list[Fact]:
    """Keep what had been told by an instant: no later order, cancellation, refund or customer."""
    orders = [
        replace(
            fact,
            cancelled_at=_by(fact.cancelled_at, instant),
            refunds=tuple(one for one in fact.refunds if one.refunded_at <= instant),
        )
        for fact in facts
        if isinstance(fact, OrderFact) and fact.processed_at <= instant
    ]
    owners = {fact.customer_id for fact in orders}
    told_later = {
        fact.customer_id for fact in facts if isinstance(fact, OrderFact) and not fact.is_test
    }

    def was_there(fact: Fact) -> bool:
        if not isinstance(fact, CustomerFact):
            return not isinstance(fact, OrderFact)
        real = any(one.customer_id == fact.customer_id and not one.is_test for one in orders)
        if isinstance(fact.added_at, datetime) and fact.added_at <= instant:
            return True
        return real or (fact.added_at is None and fact.customer_id not in told_later)

    kept = [fact for fact in facts if was_there(fact)]
    there = {fact.customer_id for fact in kept if isinstance(fact, CustomerFact)}
    # A test order may stand alone; its customer was not there yet and is not told of.
    assert owners - there <= {one.customer_id for one in orders if one.is_test}
    return [*kept, *(one for one in orders if one.customer_id in there)]


def _by(instant: datetime | None, latest: datetime) -> datetime | None:
    return instant if instant is not None and instant <= latest else None


@pytest.fixture(scope="module")
def then_shop(tmp_path_factory: pytest.TempPathFactory, pool_facts: list[Fact]) -> Warehouse:
    return load(tmp_path_factory.mktemp("then"), until(pool_facts, INSTANT))


@pytest.mark.slow
@looking(12)
@given(tree=trees())
def test_a_past_instant_sees_only_what_was_told_by_then(
    pool_shop: Warehouse, then_shop: Warehouse, tree: Node
) -> None:
    now_ids = _ids(pool_shop, tree)
    then_ids = _ids(then_shop, tree)

    assert then_ids == now_ids


def _ids(warehouse: Warehouse, tree: Node) -> set[str]:
    everybody = warehouse.universe("all")
    names = warehouse.customer_ids(everybody)
    even = BitMap(no for no, name in names.items() if int(name[1:]) % 2 == 0)

    def named_set(of: str, name: str) -> BitMap:
        return even if name == "even" else BitMap()

    evaluator = SetEvaluator(warehouse)
    context = Context(INSTANT, ZONE, "USD", "all", named_set, evaluator.rfm_thresholds)
    return {names[no] for no in evaluator.members(tree, context)}
