"""A query that names segments is explained, and missed narrowly, by the rules of these segments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pyroaring import BitMap

from regulars.engine import Context, SetEvaluator, explain, near_misses
from regulars.engine.explain import Change, ExplainedNode
from regulars.engine.opened import CONDITIONS_MAX, conditions, open_up, whole
from regulars.errors import InputError, problem
from regulars.language import parse
from regulars.language.tree import filters_of
from regulars.warehouse.warehouse import Warehouse

SPENT, LATELY = "amount_spent >= 50", "last_order_date >= -60d"
RULES = {
    "Spenders": SPENT,
    "Lately": f"{LATELY} AND NOT customer_tags CONTAINS 'vip'",
    "Lapsed spenders": "segment = 'Spenders' AND segment != 'Lately'",
}
#: Queries that name segments, and the same written out by hand.
WRITTEN_OUT = {
    "segment = 'Spenders'": SPENT,
    "segment != 'Spenders' AND number_of_orders >= 2": f"NOT {SPENT} AND number_of_orders >= 2",
    "NOT segment = 'Lapsed spenders'": (
        f"NOT ({SPENT} AND NOT ({LATELY} AND NOT customer_tags CONTAINS 'vip'))"
    ),
    "AT LEAST 2 OF (segment = 'Spenders', segment = 'Lately', number_of_orders >= 3)": (
        f"AT LEAST 2 OF ({SPENT}, ({LATELY} AND NOT customer_tags CONTAINS 'vip'),"
        " number_of_orders >= 3)"
    ),
}


def knowing(evaluator: SetEvaluator, rules: Mapping[str, str]) -> Context:
    """Surroundings in which these segments are there."""
    trees = {name: parse(rule) for name, rule in rules.items()}

    def members(_of: str, name: str) -> BitMap:
        if name not in trees:
            raise InputError(problem("unknown_segment", "There is none."))
        return evaluator.members(trees[name], context)

    context = Context(
        datetime(2024, 3, 20, tzinfo=UTC),
        ZoneInfo("Asia/Tokyo"),
        "USD",
        named_set=members,
        named_tree=trees.get,
    )
    return context


@pytest.fixture(scope="module")
def evaluator(pool_shop: Warehouse) -> SetEvaluator:
    return SetEvaluator(pool_shop)


@pytest.fixture(scope="module")
def context(evaluator: SetEvaluator) -> Context:
    return knowing(evaluator, RULES)


@pytest.mark.parametrize("text", WRITTEN_OUT)
def test_a_query_that_names_segments_is_explained_as_if_it_were_written_out(
    pool_shop: Warehouse, evaluator: SetEvaluator, context: Context, text: str
) -> None:
    named, plain = parse(text), parse(WRITTEN_OUT[text])
    members = evaluator.members(named, context)

    for record in pool_shop.records(evaluator.universe(context)):
        told, expected = explain(named, record, context), explain(plain, record, context)

        assert told.is_member == (record.customer_no in members)
        assert (told.is_member, told.flips_on) == (expected.is_member, expected.flips_on)
        assert turns(told.turns) == turns(expected.turns)


def turns(told: tuple[ExplainedNode, ...]) -> list[tuple[object, Change | None]]:
    return [(one.node, one.change) for one in told]


@pytest.mark.parametrize("text", WRITTEN_OUT)
def test_who_misses_it_narrowly_is_told_as_if_it_were_written_out(
    pool_shop: Warehouse, evaluator: SetEvaluator, context: Context, text: str
) -> None:
    named = near_misses(evaluator, pool_shop.records, parse(text), context)
    plain = near_misses(evaluator, pool_shop.records, parse(WRITTEN_OUT[text]), context)

    assert named
    assert [(one.filter, one.joining, one.count, one.customers) for one in named] == [
        (one.filter, one.joining, one.count, one.customers) for one in plain
    ]


def test_a_condition_is_told_with_the_segments_that_it_stands_in(
    pool_shop: Warehouse, evaluator: SetEvaluator, context: Context
) -> None:
    tree = parse("number_of_orders >= 1 AND segment = 'Lapsed spenders'")
    found = near_misses(evaluator, pool_shop.records, tree, context)
    record = pool_shop.records(evaluator.universe(context))[0]
    own, named = explain(tree, record, context).root.parts
    (inner,) = named.parts

    within = {one.filter: [str(leaf.operands[0].value) for leaf in one.within] for one in found}
    assert within[parse(SPENT)] == ["Lapsed spenders", "Spenders"]
    assert within.get(parse("number_of_orders >= 1"), []) == []
    assert own.parts == ()
    assert named.is_true is inner.is_true
    assert [bool(part.parts) for part in inner.parts] == [True, True]


def test_rules_within_rules_are_opened_so_far_as_a_page_can_tell_them(
    pool_shop: Warehouse, evaluator: SetEvaluator
) -> None:
    rules = {"0": SPENT} | {
        str(one): f"segment = '{one - 1}' OR segment = '{one - 1}'" for one in range(1, 9)
    }
    context = knowing(evaluator, rules)
    tree = parse("segment = '8'")
    opened = open_up(tree, context)
    flat = whole(opened, context)

    assert len(filters_of(flat)) == len(list(conditions(opened))) <= CONDITIONS_MAX
    assert evaluator.members(flat, context) == evaluator.members(parse(SPENT), context)


def test_a_segment_whose_rule_names_a_lost_one_is_told_by_its_name(
    pool_shop: Warehouse, evaluator: SetEvaluator
) -> None:
    rules = {"Broken": "segment = 'Lost' OR amount_spent >= 1"}
    broken, listed = parse("segment = 'Broken'"), parse("segment = 'Of a list'")
    context = knowing(evaluator, rules | {"Of a list": "csv_list = 'Lost'"})

    assert open_up(broken, context).parts == open_up(listed, context).parts == ()
