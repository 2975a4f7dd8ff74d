"""What is proposed while a query is being written; | marks the place."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.language import complete, parse, print_query
from regulars.language.tree import Node
from tests.exploring import looking
from tests.language.trees import trees


def _values(name: str, parameter: str | None, begun: str) -> Iterable[tuple[str, int | None]]:
    assert begun is not None
    return {
        ("customer_tags", None): [("vip", 12), ("wholesale", 3)],
        ("orders_placed", "discount_code"): [("SPRING", 40)],
        ("products_purchased", "id"): [("1012132033639", 7)],
    }.get((name, parameter), [])


def _texts(marked: str) -> list[str]:
    position = marked.index("|")
    text = marked.replace("|", "")
    return [one.text for one in complete(text, position, ["VIP", "New buyers"], _values)]


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        ("amount|", ["amount_spent"]),
        ("number_of_orders >= 3 AND last|", ["last_order_date"]),
        ("NOT (prod|", ["product_subscription_status", "products_purchased"]),
        ("amount_spent |", ["=", "!="]),
        ("customer_tags NOT |", ["CONTAINS", "MATCHES ()"]),
        ("last_order_date IS |", ["NULL", "NOT NULL"]),
        ("last_order_date > |", ["today", "yesterday", "-7d"]),
        ("last_order_date > -3|", ["-30d"]),
        ("last_order_date BETWEEN -12m |", ["AND"]),
        ("last_order_date BETWEEN -12m AND |", ["today"]),
        ("rfm_group = 'CH|", ["'CHAMPIONS'"]),
        ("customer_tags CONTAINS '|", ["'vip'", "'wholesale'"]),
        ("customer_tags CONTAINS 'who|", ["'wholesale'"]),
        ("segment = 'new|", ["'New buyers'"]),
        ("amount_spent > 5 |", ["AND", "OR"]),
        ("orders_placed |", ["IS NULL", "IS NOT NULL", "MATCHES ()"]),
        ("orders_placed MATCHES (disc|", ["discount_code"]),
        ("orders_placed MATCHES (discount_code = '|", ["'SPRING'"]),
        ("orders_placed MATCHES (date > -30d, cou|", ["count", "discount_code"]),
        ("orders_placed MATCHES (count >= 3 |", [",", ")"]),
        ("orders_placed MATCHES (count >= 3) |", ["AND", "OR"]),
        ("products_purchased(id: |", ["1012132033639"]),
        ("products_purchased MATCHES (id IN (5, |", ["1012132033639"]),
        ("customer_countries CONTAINS 'japa|", ["'JP'"]),
        ("customer_countries CONTAINS 'ドイ|", ["'DE'"]),
        ("customer_regions CONTAINS '東京|", ["'JP-13'"]),
        ("nonsense |", []),
    ],
)
def test_the_first_proposals(marked: str, first: list[str]):
    assert _texts(marked)[: len(first)] == first
    if not first:
        assert _texts(marked) == []


def test_nothing_that_cannot_be_evaluated_is_proposed():
    assert not [text for text in _texts("|") if text.startswith(("shopify_email", "storefront"))]


def test_places_are_proposed_by_code_and_told_by_name():
    found = complete("customer_countries CONTAINS 'jp", 31)[0]

    assert (found.text, found.label_en, found.label_ja) == ("'JP'", "Japan", "日本")


def test_a_proposal_replaces_what_was_begun_and_tells_its_count():
    found = complete("customer_tags CONTAINS 'vi", 26, (), _values)[0]

    assert (found.text, found.start, found.end, found.count) == ("'vip'", 23, 26, 12)


@looking(15)
@given(trees, st.data())
def test_proposals_never_fail_at_any_place_of_any_query(tree: Node, data: st.DataObject):
    text = print_query(tree)
    position = data.draw(st.integers(0, len(text)))

    for one in complete(text, position):
        assert 0 <= one.start <= one.end == position


def test_taking_proposals_one_after_another_makes_a_query():
    text = ""
    for begun, taken in [("am", "amount_spent"), ("", ">="), ("30000", None), ("", "AND")]:
        place = len(text) + len(begun)
        if taken is None:
            text += begun + " "
            continue
        chosen = next(one for one in complete(text + begun, place) if one.text == taken)
        text = (text + begun)[: chosen.start] + chosen.text + " "

    assert parse(text + "number_of_orders >= 2")
