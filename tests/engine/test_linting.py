"""Notes are true of real customers, and tell how many they concern."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from regulars.engine import Context, SetEvaluator, lint_with_counts
from regulars.language import parse, parse_with_notes
from regulars.language.windows import claim_of, excludes, implies

_TOKYO = ZoneInfo("Asia/Tokyo")
_INSTANTS = [
    datetime(2024, 2, 29, 16, tzinfo=UTC),
    datetime(2024, 6, 15, 3, tzinfo=UTC),
    datetime(2025, 3, 31, 12, tzinfo=UTC),
]
_DAYS = ("-10d", "-4w", "-1m", "-2m", "-60d", "-62d", "-90d", "-1y", "2024-03-01", "2024-01-31")
_PLAIN = [
    f"{name} {operator} {day}"
    for name, operator, day in product(("last_order_date",), ("=", ">", ">=", "<", "<="), _DAYS)
]
_OTHERS = [
    "last_order_date BETWEEN -90d AND -30d",
    "last_order_date BETWEEN -50d AND -35d",
    "last_order_date BETWEEN 2024-02-01 AND 2024-02-29",
    "last_order_date IS NULL",
    "last_order_date IS NOT NULL",
    *(
        f"amount_spent {operator} {n}"
        for operator in ("=", ">", ">=", "<", "<=")
        for n in (0, 5000)
    ),
    *(
        f"{negation}orders_placed MATCHES ({inside})"
        for negation in ("", "NOT ")
        for inside in (
            "",
            "date >= -30d",
            "date > -2m",
            "date < -90d",
            "date >= -30d, count >= 2",
            "date >= -1y, count >= 2",
            "count >= 2",
            "count = 2, date >= -1y",
            "amount > 3000, date >= -1y",
            "amount > 3000",
        )
    ),
]


def test_what_is_said_to_follow_follows_for_every_customer(pool_shop):
    evaluator = SetEvaluator(pool_shop)
    trees = [parse(text) for text in (*_PLAIN, *_OTHERS)]
    claims = [claim_of(tree) for tree in trees]
    pairs = list(product(range(len(trees)), repeat=2))
    following = [(one, other) for one, other in pairs if implies(claims[one], claims[other])]
    excluding = [(one, other) for one, other in pairs if excludes(claims[one], claims[other])]

    for as_of in _INSTANTS:
        context = Context(as_of, _TOKYO, "JPY")
        members = [evaluator.members(tree, context) for tree in trees]
        for one, other in following:
            assert members[one] <= members[other], (trees[one], trees[other])
        for one, other in excluding:
            assert not members[one] & members[other], (trees[one], trees[other])

    # Every comparison follows from itself; the rules find far more than that.
    assert len(following) > 4 * len(trees)
    assert len(excluding) > 4 * len(trees)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        # Taking a part out that says nothing changes nothing.
        ("last_order_date >= -30d AND last_order_date >= -90d", [("redundant", 0)]),
        ("amount_spent > 500 OR amount_spent > 500.0", [("duplicate_branch", 0)]),
        # Everybody is in, or nobody.
        ("number_of_orders >= 0", [("always_true", 120)]),
        ("number_of_orders < 0", [("always_false", 120)]),
    ],
)
def test_a_note_counts_whom_it_concerns(pool_shop, query, told):
    assert [(one.note.code, one.customer_count) for one in _noted(pool_shop, query)] == told


def test_customers_without_a_value_are_counted_by_the_trap_that_takes_them_in(pool_shop):
    (note,) = _noted(pool_shop, "first_order_date != 2024-01-01")
    without = _count(pool_shop, "first_order_date IS NULL")

    assert (note.note.code, note.customer_count) == ("missing_included", without)
    assert without > 0
    assert note.meant == "first_order_date != 2024-01-01 AND first_order_date IS NOT NULL"


def test_a_missing_value_is_counted_where_the_language_has_no_test_for_it(pool_shop):
    (note,) = _noted(pool_shop, "customer_language != 'fr'")
    everybody = SetEvaluator(pool_shop).universe(Context(_INSTANTS[1], _TOKYO, "JPY"))
    languages = [one.values.get("language") for one in pool_shop.records(everybody)]

    assert (note.note.code, note.meant) == ("missing_included", None)
    assert note.customer_count == languages.count(None) > 0


def test_the_other_reading_of_a_day_is_counted_against_this_one(pool_shop):
    read = parse_with_notes("orders_placed(date: -300d) = true")
    (note,) = lint_with_counts(
        read.node, lambda tree: _members(pool_shop, tree), readings=read.notes
    )

    assert note.meant == "orders_placed MATCHES (date = -300d)"
    since = _count(pool_shop, "orders_placed MATCHES (date >= -300d)")
    assert note.customer_count == since - _count(pool_shop, note.meant) > 0


def _noted(shop, query):
    return lint_with_counts(parse(query), lambda tree: _members(shop, tree), text=query)


def _count(shop, query):
    return _members(shop, parse(query))


def _members(shop, tree):
    return len(SetEvaluator(shop).members(tree, Context(_INSTANTS[1], _TOKYO, "JPY")))
