"""Both evaluators and a third, naive one give the same customers: random queries, days, zones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from regulars.engine import Context, SetEvaluator, compile_query
from regulars.language.catalogue import CATALOGUE, Rank
from regulars.language.tree import Filter, Node, Not
from regulars.warehouse.facts import CustomerFact, Fact
from regulars.warehouse.record import CustomerRecord
from regulars.warehouse.warehouse import Warehouse
from tests.engine import naive
from tests.engine.pool import DAYS, SETS, ZONES, filters, functions, trees
from tests.exploring import looking

Universe = Literal["all", "buyers"]


@st.composite
def instants(draw: st.DrawFn) -> tuple[datetime, ZoneInfo]:
    """A zone and an instant on, just before or just after one of its midnights, or long after all."""  # noqa: E501
    zone = draw(st.sampled_from(ZONES))
    day = draw(st.sampled_from(DAYS))
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    off = draw(st.sampled_from([0, -1, 1, 3600, 50_000, 86_400 * 40]))
    return midnight + timedelta(seconds=off), zone


class Agreement:
    """The random shop, and each evaluator's way of telling who is in it."""

    def __init__(self, warehouse: Warehouse, facts: Sequence[Fact]) -> None:
        self.warehouse = warehouse
        self.facts = facts
        self.evaluator = SetEvaluator(warehouse)
        self.ids = [fact.customer_id for fact in facts if isinstance(fact, CustomerFact)]
        self.nos = warehouse.customer_nos(self.ids)
        self.names = {no: name for name, no in self.nos.items()}
        self.records: list[CustomerRecord] = warehouse.records(self.nos.values())
        even = {name for name in self.ids if int(name[1:]) % 2 == 0}
        self.sets = {(of, name): set() for of in ("segment", "csv_list") for name in SETS}
        self.sets["segment", "even"] = even
        self.sets["csv_list", "even"] = even

    def named_set(self, of: str, name: str) -> BitMap:
        return BitMap([self.nos[one] for one in self.sets[of, name]])

    def context(self, as_of: datetime, zone: ZoneInfo, universe: Universe) -> Context:
        rfm = self.evaluator.rfm_thresholds
        return Context(as_of, zone, "USD", universe, self.named_set, rfm)

    def by_sets(self, tree: Node, context: Context) -> set[str]:
        return {self.names[no] for no in self.evaluator.members(tree, context)}

    def one_by_one(self, tree: Node, context: Context) -> set[str]:
        matches = compile_query(tree, context)
        return {record.customer_id for record in self.records if matches(record)}

    def naively(self, tree: Node, context: Context) -> set[str]:
        world = naive.world(self.facts, context.as_of, context.zone, 2, self.sets)
        return naive.members(tree, world, context.universe)


@pytest.fixture(scope="module")
def shop(pool_shop: Warehouse, pool_facts: list[Fact]) -> Agreement:
    return Agreement(pool_shop, pool_facts)


@pytest.mark.slow
@looking(30)
@given(tree=trees(), when=instants(), universe=st.sampled_from(["all", "buyers"]))
def test_three_evaluators_find_the_same_customers(
    shop: Agreement, tree: Node, when: tuple[datetime, ZoneInfo], universe: Universe
) -> None:
    context = shop.context(*when, universe)
    expected = shop.naively(tree, context)

    assert expected == shop.one_by_one(tree, context)
    assert expected == shop.by_sets(tree, context)


@looking(15)
@given(leaf=functions(CATALOGUE["products_purchased_in_order"]), when=instants())
def test_three_evaluators_agree_on_what_was_bought_in_order(
    shop: Agreement, leaf: Filter, when: tuple[datetime, ZoneInfo]
) -> None:
    context = shop.context(*when, "all")
    expected = shop.naively(leaf, context)

    assert expected == shop.one_by_one(leaf, context)
    assert expected == shop.by_sets(leaf, context)


RANKS = [row for row in CATALOGUE.values() if isinstance(row.source, Rank)]


@looking(15)
@given(leaf=st.sampled_from(RANKS).flatmap(filters), when=instants())
def test_three_evaluators_agree_on_who_is_in_which_fifth(
    shop: Agreement, leaf: Filter, when: tuple[datetime, ZoneInfo]
) -> None:
    context = shop.context(*when, "all")
    expected = shop.naively(leaf, context)

    assert expected == shop.one_by_one(leaf, context)
    assert expected == shop.by_sets(leaf, context)


@pytest.mark.slow
@looking(10)
@given(tree=trees(), when=instants(), universe=st.sampled_from(["all", "buyers"]))
def test_a_query_and_its_negation_split_everybody(
    shop: Agreement, tree: Node, when: tuple[datetime, ZoneInfo], universe: Universe
) -> None:
    context = shop.context(*when, universe)
    yes = shop.evaluator.members(tree, context)
    no = shop.evaluator.members(Not(tree), context)

    assert not yes & no
    assert shop.evaluator.universe(context) == yes | no
