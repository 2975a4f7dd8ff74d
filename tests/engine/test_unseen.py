"""A value that a query names and the shop has never had is noted, with the nearest that it has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from regulars.engine import Context, SetEvaluator, lint_with_counts, unseen_values
from regulars.language import CATALOGUE, parse
from regulars.language.catalogue import Kind, Unavailable
from regulars.language.tree import Number
from regulars.language.unseen import named_values
from regulars.warehouse.warehouse import Warehouse, WarehouseSettings
from tests.shops import shop as told_shop

NAMING = {Kind.TEXT, Kind.ID, Kind.TEXT_LIST, Kind.ID_LIST}


@pytest.fixture(scope="module")
def basic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = told_shop("basic").warehouse(tmp_path_factory.mktemp("basic"))
    yield warehouse
    warehouse.close()


def unseen(warehouse: Warehouse, query: str) -> list[tuple[str, str | None]]:
    found = unseen_values(warehouse, parse(query))
    return [(one.parameter or one.attribute, near) for one, near in found.items()]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        # Letter case counts in UTM values and not in tags.
        ("customer_tags CONTAINS 'vip'", []),
        ("customer_tags CONTAINS 'STRASSE'", []),
        ("customer_tags CONTAINS 'vipp'", [("customer_tags", "VIP")]),
        ("customer_tags NOT CONTAINS 'ＶＩＰ'", [("customer_tags", "VIP")]),
        ("orders_placed MATCHES (utm_source = 'newsletter')", []),
        ("orders_placed MATCHES (utm_source = 'Newsletter')", [("utm_source", "newsletter")]),
        ("orders_placed MATCHES (utm_medium != 'emial')", [("utm_medium", "email")]),
        ("orders_placed MATCHES (utm_campaign = 'sprung')", [("utm_campaign", "spring")]),
        ("orders_placed MATCHES (source IN ('web', 'webb'))", [("source", "web")]),
        ("orders_placed MATCHES (tag = 'gift', discount_code = 'welcome')", []),
        ("orders_placed MATCHES (tag = 'gifts')", [("tag", "Gift")]),
        ("orders_placed MATCHES (discount_code = 'WELCOM')", [("discount_code", "WELCOME")]),
        ("orders_placed MATCHES (referrer = 'https://example.com/')", []),
        ("orders_placed MATCHES (app_id = 580111, location_id = 900)", []),
        ("orders_placed MATCHES (app_id = 580112)", [("app_id", None)]),
        ("products_purchased MATCHES (id = 13)", []),  # never bought, and yet a product
        ("products_purchased MATCHES (id IN (11, 987))", [("id", None)]),
        ("products_purchased MATCHES (variant_id = 112)", []),
        ("products_purchased MATCHES (vendor = 'Ujii')", [("vendor", "Uji")]),
        ("products_purchased MATCHES (product_type = 'tea')", [("product_type", "Tea")]),
        ("products_purchased MATCHES (category = 'fb-1', tag = 'TEA')", []),
        ("products_purchased MATCHES (collection_id = 503)", [("collection_id", None)]),
        (
            "products_purchased_in_order MATCHES (first_tag = 'Teea', then_vendor = 'Nambu')",
            [("first_tag", "Tea")],
        ),
        ("customer_countries CONTAINS 'JP'", []),
        ("customer_countries CONTAINS 'AQ'", [("customer_countries", None)]),
        ("customer_regions CONTAINS 'jp-13'", []),
        ("customer_cities CONTAINS 'JP-13-Chiyodaa'", [("customer_cities", "JP-13-Chiyoda")]),
        ("customer_language = 'ja'", []),
        ("customer_email_domain = 'exmaple.com'", [("customer_email_domain", "example.com")]),
        ("companies CONTAINS 77", []),
        ("companies CONTAINS 78", [("companies", None)]),
        ("metafields.facts.size = 38", []),
        ("metafields.facts.siez = 38", [("metafields", "facts.size")]),
        (
            "anniversary('metafields.facts.birthdate') = today",
            [("anniversary", "facts.birth_date")],
        ),
        ("store_credit_accounts MATCHES (currency = 'JPY')", []),
        ("store_credit_accounts MATCHES (currency = 'JYP')", [("currency", None)]),
        # Lists that the language fixes, figures and names of segments are others' to check.
        ("rfm_group = 'PROSPECTS' AND amount_spent > 1", []),
        ("customer_tags IS NULL", []),
    ],
)
def test_what_the_shop_has_never_had_is_found_with_the_nearest_it_has(
    basic: Warehouse, query: str, told: list[tuple[str, str | None]]
):
    assert unseen(basic, query) == told


def test_the_note_marks_the_value_and_counts_whom_the_nearest_one_would_bring(basic: Warehouse):
    query = "number_of_orders >= 0 AND products_purchased MATCHES (tag = 'Teea')"
    evaluator = SetEvaluator(basic)
    context = Context(datetime(2024, 3, 15, tzinfo=UTC), ZoneInfo("Asia/Tokyo"), "JPY")

    def count(text: str) -> int:
        return len(evaluator.members(parse(text), context))

    tree = parse(query)
    note, *_ = lint_with_counts(
        tree,
        lambda part: len(evaluator.members(part, context)),
        text=query,
        unseen=unseen_values(basic, tree),
    )

    assert note.note.code == "never_seen"
    assert note.note.message == "No product of this shop has 'Teea' as `tag`. Did you mean 'Tea'?"
    start, length = note.note.start or 0, note.note.length or 0
    assert (query[start : start + length], note.note.suggestion) == ("'Teea'", "'Tea'")
    assert note.meant == query.replace("Teea", "Tea")
    assert note.customer_count == count(note.meant) - count(query) > 0


def test_without_a_near_value_there_is_no_remedy_and_nobody_to_count(basic: Warehouse):
    query = "metafields.shoes.colour = 'red'"
    tree = parse(query)
    (note,) = lint_with_counts(
        tree, lambda part: pytest.fail(f"{part} was counted"), unseen=unseen_values(basic, tree)
    )

    assert note.note.message == "No customer of this shop has the metafield 'shoes.colour'."
    assert (note.customer_count, note.meant) == (None, None)


def test_a_shop_that_is_not_loaded_yet_has_missed_nothing(tmp_path: Path):
    warehouse = Warehouse(tmp_path / "empty.duckdb", WarehouseSettings(threads=1))
    try:
        assert unseen(warehouse, "customer_tags CONTAINS 'vip'") == []
    finally:
        warehouse.close()


def test_every_value_that_the_language_lets_one_name_is_looked_for(basic: Warehouse):
    asked = list(_every_name())
    for query in asked:
        tree = parse(query)
        (odd,) = unseen_values(basic, tree)
        assert odd in named_values(tree)
        assert odd.value != Number(Decimal(11))

    assert len(asked) > 30


def _every_name() -> Iterator[str]:
    """Yield a query for each name that is compared with values of a shop."""
    for row in CATALOGUE.values():
        if isinstance(row.source, Unavailable):
            continue
        if row.kind in NAMING:
            operator = "CONTAINS" if "list" in row.kind else "="
            yield f"{row.name} {operator} {_odd(row.name, row.kind)}"
        for one in row.parameters:
            if one.kind in NAMING and one.previous_only is None:
                side = one.name.partition("_")[0]
                other = {"first": ", then_id = 11", "then": ", first_id = 11"}.get(side, "")
                yield f"{row.name} MATCHES ({one.name} = {_odd(one.name, one.kind)}{other})"


#: Values of the right form that the shop does not have, where any text is not.
_ODD = {
    "customer_countries": "'NO'",
    "customer_regions": "'NO-03'",
    "customer_cities": "'NO-03-Oslo'",
    "customer_language": "'no'",
    "customer_email_domain": "'nowhere.test'",
    "currency": "'NOK'",
}


def _odd(name: str, kind: Kind) -> str:
    if kind in {Kind.ID, Kind.ID_LIST}:
        return "987654321"
    return _ODD.get(name, "'nothing of the kind'")
