"""Notes on queries that probably do not say what was meant, and silence on those that do."""

from __future__ import annotations

import pytest
from hypothesis import given

from regulars.language import lint, parse, parse_with_notes, print_query
from regulars.language.lint import findings
from regulars.language.tree import Node
from tests.exploring import looking
from tests.language.trees import trees


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("amount_spent > 5", []),
        ("customer_tags CONTAINS 'a' AND NOT customer_tags CONTAINS 'A'", ["always_false"]),
        ("customer_tags CONTAINS 'a' OR customer_tags NOT CONTAINS 'a'", ["always_true"]),
        ("amount_spent > 5 OR amount_spent > 5.0", ["duplicate_branch"]),
        ("amount_spent > 5 AND number_of_orders > 1 AND amount_spent > 5", ["duplicate_branch"]),
        ("amount_spent > 500 AND amount_spent < 100", ["always_false"]),
        ("amount_spent >= 100 AND amount_spent <= 100", []),
        ("amount_spent > 100 AND amount_spent <= 100", ["always_false"]),
        ("rfm_group = 'NEW' AND rfm_group = 'LOYAL'", ["always_false"]),
        ("rfm_group = 'NEW' OR rfm_group = 'LOYAL'", []),
        ("customer_tags CONTAINS 'a' AND customer_tags CONTAINS 'b'", []),
        ("amount_spent != 3 OR amount_spent != 4", ["not_a_or_not_b"]),
        ("customer_tags NOT CONTAINS 'a' OR NOT customer_tags CONTAINS 'b'", ["not_a_or_not_b"]),
        ("customer_tags NOT CONTAINS 'a' AND customer_tags NOT CONTAINS 'b'", []),
        ("customer_tags NOT CONTAINS 'a' OR amount_spent != 3", []),
        ("NOT customer_tags NOT CONTAINS 'a' OR customer_tags NOT CONTAINS 'b'", []),
        ("number_of_orders BETWEEN 5 AND 2", ["range_reversed", "always_false"]),
        ("orders_placed MATCHES (date BETWEEN today AND -30d)", ["range_reversed"]),
        ("number_of_orders >= 0", ["always_true"]),
        ("number_of_orders < 0", ["always_false"]),
        ("customer_language != 'fr'", ["missing_included"]),
        ("metafields.a.b != 'x' AND metafields.a.b IS NOT NULL", []),
        ("last_order_date < -90d", ["missing_excluded"]),
        ("last_order_date < -90d OR last_order_date IS NULL", []),
        ("last_order_date < -90d AND number_of_orders >= 1", []),
        ("NOT (amount_spent > 5 AND NOT amount_spent > 5)", ["always_false"]),
        # One window inside the other: the wider adds nothing to AND, the narrower nothing to OR.
        ("first_order_date >= -30d AND first_order_date >= -90d", ["redundant"]),
        ("first_order_date >= -30d OR first_order_date >= -90d", ["redundant"]),
        ("first_order_date BETWEEN -60d AND -30d AND first_order_date >= -2m", []),
        ("first_order_date BETWEEN -50d AND -30d AND first_order_date >= -2m", ["redundant"]),
        ("first_order_date >= -1y AND first_order_date >= -6m", ["redundant"]),
        ("first_order_date = 2026-05-30 AND first_order_date >= 2026-05-01", ["redundant"]),
        ("first_order_date >= -30d AND first_order_date >= 2026-05-01", []),
        ("amount_spent > 5 AND amount_spent > 10", ["redundant"]),
        ("amount_spent >= 10 AND amount_spent > 9.99", ["redundant"]),
        ("first_order_date >= -30d AND first_order_date IS NOT NULL", ["redundant"]),
        # Windows that never hold together.
        ("first_order_date > -30d AND first_order_date <= -30d", ["always_false"]),
        ("first_order_date >= -30d AND first_order_date <= -30d", []),
        ("first_order_date >= -30d AND first_order_date <= -2m", ["always_false"]),
        ("first_order_date = 2026-05-30 AND first_order_date = 2026-05-31", ["always_false"]),
        ("first_order_date >= -30d AND first_order_date IS NULL", ["always_false"]),
        # Events: more days can only bring more of them.
        ("orders_placed MATCHES (date > -30d) AND orders_placed MATCHES ()", ["redundant"]),
        (
            (
                "orders_placed MATCHES (date >= -30d, count >= 2)"
                " AND orders_placed MATCHES (count >= 2, date >= -90d)"
            ),
            ["redundant"],
        ),
        (
            (
                "orders_placed MATCHES (date >= -30d, count = 2)"
                " AND orders_placed MATCHES (count = 2, date >= -90d)"
            ),
            [],
        ),
        (
            "orders_placed MATCHES (date >= -30d) AND orders_placed NOT MATCHES (date >= -90d)",
            ["always_false"],
        ),
        (
            "orders_placed MATCHES (date >= -90d) AND orders_placed NOT MATCHES (date >= -30d)",
            [],
        ),
        (
            "NOT orders_placed MATCHES (date >= -90d) AND orders_placed NOT MATCHES (date >= -30d)",
            ["redundant"],
        ),
        (
            (
                "products_purchased MATCHES (id = 1, date > -30d)"
                " AND products_purchased MATCHES (id = 2, date > -90d)"
            ),
            [],
        ),
    ],
)
def test_what_is_noted(query: str, codes: list[str]):
    assert [note.code for note in lint(parse(query))] == codes


def test_a_note_names_its_place_and_its_remedy():
    note = lint(parse("metafields.a.b != 'x'"))[0]

    assert (note.start, note.length) == (0, 21)
    assert note.message.endswith("add `AND metafields.a.b IS NOT NULL`.")


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("amount_spent > 500 AND amount_spent < 100", "amount_spent > 500"),
        (
            "first_order_date >= -30d AND (amount_spent > 5 OR amount_spent > 10)",
            "first_order_date >= -30d AND amount_spent > 5",
        ),
        ("number_of_orders BETWEEN 5 AND 2", "number_of_orders BETWEEN 2 AND 5"),
        (
            "NOT last_order_date < -90d",
            "NOT (last_order_date < -90d OR last_order_date IS NULL)",
        ),
        (
            "metafields.a.b != 'x' OR amount_spent > 5",
            "metafields.a.b != 'x' AND metafields.a.b IS NOT NULL OR amount_spent > 5",
        ),
        ("amount_spent > 5 AND amount_spent > 5", "amount_spent > 5"),
        ("number_of_orders >= 0", None),
        # The language has no test for a missing language.
        ("customer_language != 'fr'", None),
    ],
)
def test_a_note_comes_with_the_query_that_may_be_meant(query: str, meant: str | None):
    found = findings(parse(query))[0]

    assert (found.meant and print_query(found.meant)) == meant


def test_line_and_column_are_told_where_the_text_is_known():
    text = "number_of_orders >= 1\n  AND amount_spent > 5 AND amount_spent > 5"
    (note,) = lint(parse(text), text)

    assert (note.line, note.column, note.length) == (2, 27, 16)


@looking(15)
@given(trees)
def test_every_tree_can_be_looked_at(tree: Node):
    for note in lint(tree):
        assert note.message


def test_a_relative_day_of_the_previous_form_is_read_as_since_and_said_so():
    found = parse_with_notes("products_purchased(tag: 'Tea', date: -60d) = false")

    assert found.node == parse("products_purchased NOT MATCHES (tag = 'Tea', date >= -60d)")
    assert [(note.code, note.suggestion) for note in found.notes] == [
        ("relative_day_reading", "date = -60d")
    ]


def test_since_and_until_are_the_ends_of_a_range():
    assert parse("orders_placed(since: 2026-01-01) = true") == parse(
        "orders_placed MATCHES (date >= 2026-01-01)"
    )
    assert parse("orders_placed(since: -90d, until: -30d) = true") == parse(
        "orders_placed MATCHES (date BETWEEN -90d AND -30d)"
    )
