"""Every limit is named, holds at its bound and refuses one past it; odd input is refused too."""

from __future__ import annotations

from decimal import Decimal

import pytest

from regulars.errors import QueryError
from regulars.language import check, parse, print_for_shopify, print_query
from regulars.language.limits import (
    DEPTH_MAX,
    LIST_MAX,
    NODES_MAX,
    SHOPIFY_CLAUSES_MAX,
    TEXT_MAX,
    depth,
    node_count,
)
from regulars.language.tree import And, Filter, Node, Not, Number, Operator, Or

LEAF = Filter("number_of_orders", Operator.GE, (Number(Decimal(1)),))


def _codes(text: str, dialect: str = "any") -> set[str]:
    with pytest.raises(QueryError) as refusal:
        parse(text, dialect)
    return {found.code for found in refusal.value.problems}


def _bracketed(levels: int) -> str:
    return "(" * levels + "number_of_orders >= 1" + ")" * levels


def _deep(levels: int) -> Node:
    node: Node = LEAF
    for _ in range(levels):
        node = Not(And((node, LEAF)))
    return node


def test_brackets_may_stand_as_deep_as_the_limit():
    assert parse(_bracketed(DEPTH_MAX)) == LEAF
    assert _codes(_bracketed(DEPTH_MAX + 1)) == {"too_deep"}


def test_nested_groups_and_nots_count_their_brackets():
    for step in ("number_of_orders >= 1 AND (", "number_of_orders >= 1 OR (", "NOT ("):
        tail = "number_of_orders >= 1"
        text = step * DEPTH_MAX + tail + ")" * DEPTH_MAX
        assert print_query(parse(text)).count("(") <= DEPTH_MAX
        assert "too_deep" in _codes(step + text + ")")


@pytest.mark.parametrize("text", ["(" * 20_000, "NOT (" * 4_000, "NOT " * 5_000, ")" * 20_000])
def test_brackets_without_end_are_a_problem_of_the_query(text: str):
    assert _codes(text)


def test_a_built_tree_has_the_same_limits():
    check(_deep(DEPTH_MAX))

    assert depth(_deep(DEPTH_MAX)) == DEPTH_MAX
    with pytest.raises(QueryError, match="at most 32 deep"):
        check(_deep(DEPTH_MAX + 1))
    with pytest.raises(QueryError, match="two conditions or more"):
        check(Or((LEAF,)))


def test_conditions_and_groups_are_counted_together():
    text = " OR ".join(["number_of_orders >= 1"] * (NODES_MAX - 1))

    assert node_count(parse(text)) == NODES_MAX
    assert _codes(text + " OR number_of_orders >= 1") == {"too_many_conditions"}


def test_a_text_may_be_as_long_as_the_limit():
    text = "customer_tags CONTAINS ''"
    fitting = text[:-1] + "x" * (TEXT_MAX - len(text)) + "'"

    assert parse(fitting)
    assert _codes(fitting + " ") == {"text_too_long"}
    assert _codes("x" * 65_536) == {"text_too_long"}


def test_a_list_has_at_most_500_ids():
    ids = ", ".join(str(number) for number in range(LIST_MAX))

    assert parse(f"products_purchased MATCHES (id IN ({ids}))")
    assert _codes(f"products_purchased MATCHES (id IN ({ids}, 500))") == {"list_size"}


@pytest.mark.parametrize("odd", ["\0", "\ud800", "\x1b", "\x85"])
def test_characters_that_no_text_holds_are_refused_inside_and_outside_quotes(odd: str):
    assert "character_not_allowed" in _codes(f"customer_tags CONTAINS 'a{odd}b'")
    assert _codes(f"number_of_orders {odd} >= 3")


@pytest.mark.parametrize(
    "value", ["%", "_", "'; DROP TABLE customers; --", '"', "\\", "a\nb", "😀"]
)
def test_any_other_text_comes_back_as_it_is(value: str):
    written = value.replace("\\", "\\\\").replace("'", "\\'")

    tree = parse(f"customer_tags CONTAINS '{written}'")

    assert isinstance(tree, Filter)
    assert tree.operands[0].value == value
    assert parse(print_query(tree)) == tree


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("number_of_orders = 9223372036854775807", None),
        ("number_of_orders = -9223372036854775808", None),
        ("number_of_orders = 9223372036854775808", "number_out_of_range"),
        ("number_of_orders = -9223372036854775809", "number_out_of_range"),
        ("amount_spent = 0.000000001", None),
        ("amount_spent = 0.0000000001", "too_many_decimals"),
        ("amount_spent = " + "9" * 5_000, "number_out_of_range"),
        ("companies CONTAINS 18446744073709551615", None),
        ("companies CONTAINS 18446744073709551616", "id_expected"),
        ("companies CONTAINS -1", "id_expected"),
        ("last_order_date = 0001-01-01", None),
        ("last_order_date = 9999-12-31", None),
        ("last_order_date = 0000-01-01", "no_such_day"),
        ("last_order_date = 10000-01-01", "value_unreadable"),
        ("last_order_date = 2023-02-29", "no_such_day"),
        ("last_order_date = 2024-02-29T23:59:59", None),
        ("last_order_date = 2024-02-29T24:00:00", "no_such_day"),
        ("last_order_date > -365000d", None),
        ("last_order_date > -365001d", "offset_too_far"),
        ("last_order_date > -" + "9" * 400 + "d", "value_unreadable"),
    ],
)
def test_numbers_and_days_end_where_they_say(text: str, code: str | None):
    if code is None:
        assert parse(print_query(parse(text))) == parse(text)
    else:
        assert _codes(text) == {code}


def test_shopify_takes_ten_clauses_and_nothing_of_ours():
    ten = " AND ".join(["number_of_orders >= 1"] * SHOPIFY_CLAUSES_MAX)
    assert print_for_shopify(parse(ten)) == ten

    beyond = f"{ten} AND segment = 'VIP' AND orders_placed MATCHES (number = 1)"
    with pytest.raises(QueryError) as refusal:
        print_for_shopify(parse(beyond))

    codes = [found.code for found in refusal.value.problems]
    assert codes.count("not_in_shopify") == 2
    assert "shopify_too_many_clauses" in codes


def test_a_text_over_5000_characters_is_not_for_shopify():
    long = "customer_tags CONTAINS '" + "x" * 5_000 + "'"

    with pytest.raises(QueryError, match="at most 5,000 characters"):
        print_for_shopify(parse(long))


def test_the_id_of_an_imported_file_is_not_for_shopify():
    query = "products_purchased MATCHES (id IN (7, 'Green tea'))"

    with pytest.raises(QueryError) as refusal:
        print_for_shopify(parse(query))

    (found,) = refusal.value.problems
    assert (found.code, found.start, found.length) == ("id_not_shopify", 38, 11)
    assert print_query(parse(query)) == query


@pytest.mark.parametrize("text", ["''", "' '", "'7'", "'gid://shopify/Product/7'"])
def test_an_id_between_quotes_is_a_text_that_is_no_number(text: str):
    assert _codes(f"products_purchased MATCHES (id = {text})") == {"id_expected"}


def test_the_empty_query_is_refused_and_never_everyone():
    for text in ("", "   ", "\n"):
        assert _codes(text) == {"empty_query"}


def test_a_form_that_does_not_exist_is_refused():
    with pytest.raises(QueryError, match='There is no form "sql"'):
        parse("amount_spent > 5", "sql")
    with pytest.raises(QueryError, match="Use any, matches or previous"):
        print_query(LEAF, "sql")
