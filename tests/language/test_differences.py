"""What docs/differences.md says of the language is what the language does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from regulars.errors import QueryError
from regulars.language import parse, parse_with_notes, print_for_shopify
from regulars.language.limits import (
    NODES_MAX,
    SHOPIFY_CLAUSES_MAX,
    SHOPIFY_TEXT_MAX,
    TEXT_MAX,
)

_DOCS = Path(__file__).parents[2] / "docs"
PAGES = [_DOCS / "differences.md", _DOCS / "ja" / "differences.md"]
OURS = re.compile(r"`((?:segment|csv_list|AT LEAST|products_purchased) [^`]+)`")


@pytest.mark.parametrize("path", PAGES, ids=["en", "ja"])
def test_the_names_said_to_be_ours_are_read_and_not_for_shopify(path: Path):
    queries = OURS.findall(path.read_text("utf-8"))

    assert len(queries) == 4
    for query in queries:
        named = query.replace("(a, b, c)", "(number_of_orders = 1, amount_spent > 5)")
        tree = parse(named)
        with pytest.raises(QueryError):
            print_for_shopify(tree)


@pytest.mark.parametrize("path", PAGES, ids=["en", "ja"])
def test_the_limits_are_the_real_ones(path: Path):
    text = path.read_text("utf-8")

    for limit in (SHOPIFY_CLAUSES_MAX, SHOPIFY_TEXT_MAX, NODES_MAX, TEXT_MAX):
        assert f"{limit:,}" in text


def test_the_older_forms_day_is_read_as_since_with_a_note():
    read = parse_with_notes("orders_placed(date: -30d) = true")

    assert [note.code for note in read.notes] == ["relative_day_reading"]
    assert read.node == parse("orders_placed MATCHES (date >= -30d)")


@pytest.mark.parametrize(
    "text",
    [
        "customer_countries CONTAINS 'Canada'",
        "last_order_date >= '2026-05-30'",
        "customer_tags CONTAINS vip",
    ],
)
def test_what_would_find_nobody_is_refused_with_its_spelling(text: str):
    with pytest.raises(QueryError) as refusal:
        parse(text)

    assert refusal.value.problems[0].suggestion
