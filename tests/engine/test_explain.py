"""Why a customer belongs or does not: truth, own value, evidence, the smallest change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from regulars.engine import Change, Context, Explanation, explain
from regulars.engine.explain import ExplainedNode
from regulars.language import parse
from regulars.warehouse.warehouse import Warehouse
from tests.shops import shop as told_shop

NOW = datetime(2024, 3, 15, 0, 0, tzinfo=UTC)
Asked = Callable[..., Explanation]


@pytest.fixture(scope="module")
def basic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = told_shop("basic").warehouse(tmp_path_factory.mktemp("basic"))
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def ask(basic: Warehouse) -> Asked:
    def asked(text: str, name: str, now: datetime = NOW) -> Explanation:
        (record,) = basic.records(basic.customer_nos([name]).values())
        return explain(parse(text), record, Context(now, ZoneInfo("Asia/Tokyo"), "JPY"), now=NOW)

    return asked


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("amount_spent >= 30000", "ana", Change("more", "money", 3000)),
        ("amount_spent >= 20000", "ana", Change("less", "money", 7001)),
        ("amount_spent < 100", "bo", Change("less", "money", 1)),
        ("NOT amount_spent >= 30000", "ana", Change("more", "money", 3000)),
        ("number_of_orders = 0", "dee", Change("more", "orders", 1)),
        ("number_of_orders BETWEEN 2 AND 3", "ana", Change("more", "orders", 1)),
        ("orders_placed MATCHES (count >= 5)", "ana", Change("more", "orders", 2)),
        (
            "products_purchased MATCHES (id = 11, sum_quantity >= 7)",
            "ana",
            Change("more", "pieces", 2),
        ),
        ("products_purchased MATCHES (id = 13)", "ana", Change("more", "orders", 1)),
        ("last_order_date >= -7d", "bo", Change("later", "days", 1)),
        ("last_order_date >= -7d", "dee", Change("gain", "day")),
        ("customer_tags CONTAINS 'vip'", "ana", Change("stop_being", "text", text="VIP")),
        ("customer_tags CONTAINS 'vip'", "dee", Change("become", "text", text="vip")),
        ("average_order_value >= 9500", "ana", Change("more", "money", Fraction(500))),
        ("companies IS NULL", "ana", Change("lose", "text")),
    ],
)
def test_the_smallest_change(ask: Asked, text: str, name: str, expected: Change) -> None:
    said = ask(text, name)
    (turned,) = said.turns

    assert expected == turned.change


def test_orders_prove_the_value_newest_first(ask: Asked) -> None:
    said = ask("products_purchased MATCHES (id = 11)", "ana")

    assert [order.name for order in said.root.evidence] == ["#1002", "#1001"]
    assert [order.amount for order in said.root.evidence] == [5000, 12000]
    assert said.root.evidence_count == 2


def test_the_fewest_conditions_that_would_have_to_change(ask: Asked) -> None:
    said = ask(
        "number_of_orders >= 9 AND amount_spent >= 90000 OR customer_tags CONTAINS 'wholesale'",
        "ana",
    )

    assert [turned.node.attribute for turned in said.turns] == ["customer_tags"]


def test_truth_at_every_node_is_that_of_the_parts(ask: Asked) -> None:
    said = ask(
        "customer_tags CONTAINS 'vip' AND NOT (number_of_orders = 0 OR amount_spent < 5)", "ana"
    )

    def check(node: ExplainedNode) -> None:
        heads = [part.is_true for part in node.parts]
        match type(node.node).__name__:
            case "And":
                assert all(heads) is node.is_true
            case "Or":
                assert any(heads) is node.is_true
            case "Not":
                assert heads == [not node.is_true]
        for part in node.parts:
            check(part)

    check(said.root)
    assert said.is_member


def test_a_value_whose_past_is_unknown_is_marked_on_a_past_day(ask: Asked) -> None:
    past = datetime(2024, 3, 1, tzinfo=UTC)
    said = ask("customer_tags CONTAINS 'vip' AND amount_spent > 0", "ana", past)

    assert [leaf.attribute for leaf in said.unknown] == ["customer_tags"]
    assert ask("customer_tags CONTAINS 'vip'", "ana").unknown == ()


def test_who_was_not_a_customer_yet_is_no_member_of_a_negation_either(ask: Asked) -> None:
    past = datetime(2024, 2, 1, tzinfo=UTC)
    said = ask("NOT amount_spent > 0", "cleo", past)

    assert said.root.is_true
    assert not said.is_in_universe
    assert not said.is_member


def test_titles_of_products_categories_and_collections_are_known_by_id(basic: Warehouse) -> None:
    assert basic.titles("product", ["11", "13", "99"]) == {"11": "Sencha", "13": "Nameless"}
    assert basic.titles("category", ["fb-1"]) == {"fb-1": "Green tea"}
    assert basic.titles("collection", []) == {}
