"""Notes on queries that probably do not say what was meant, and silence on those that do."""

from __future__ import annotations

import pytest
from hypothesis import given

from regulars.language import lint, parse, parse_with_notes
from regulars.language.tree import Node
from tests.language.trees import explored, trees


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
    ],
)
def test_what_is_noted(query: str, codes: list[str]):
    assert [note.code for note in lint(parse(query))] == codes


def test_a_note_names_its_place_and_its_remedy():
    note = lint(parse("metafields.a.b != 'x'"))[0]

    assert (note.start, note.length) == (0, 21)
    assert note.message.endswith("add `AND metafields.a.b IS NOT NULL`.")


@explored
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
