"""Questions that differ in one text are answered together, each as it is answered by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from regulars.engine import Context, SetEvaluator
from regulars.engine.alike import alike
from regulars.engine.lowered import lower
from regulars.language import parse
from regulars.language.tree import filters_of
from regulars.warehouse.warehouse import Warehouse

#: One question for each text, with all that a statement may be made of beside the text.
QUERIES = """
customer_tags CONTAINS {}
orders_placed MATCHES (tag = {})
orders_placed MATCHES (tag = {}, count >= 2)
orders_placed MATCHES (discount_code = {}, date >= 2023-12-31, sum_amount < 20)
orders_placed MATCHES (source = {}, count <= 1)
orders_placed MATCHES (utm_source = {}, number = 1)
orders_placed MATCHES (utm_source = {}, tag != 'vip', count = 0)
products_purchased MATCHES (tag = {})
products_purchased MATCHES (tag = {}, date >= 2023-03-12, count >= 2)
products_purchased MATCHES (tag = {}, sum_amount < 10)
products_purchased MATCHES (vendor = {}, sum_amount >= 5)
products_purchased MATCHES (vendor = {}, number = 1)
products_purchased MATCHES (product_type = {}, quantity >= 2)
products_purchased MATCHES (category = {}, vendor != 'Uji', count <= 1)
products_purchased MATCHES (id = #)
products_purchased MATCHES (collection_id = #, date >= 2023-03-12, sum_quantity <= 2)
"""
TEXTS = ["VIP", "vip", "Straße", "50%_off", "", "ふじ", "web", "pos", "Uji", "Tea", "fb-1"]
IDS = ["1", "2", "5", "6", "99"]


def each(template: str) -> list[str]:
    if "#" in template:
        return [template.replace("#", one) for one in IDS]
    return [template.format(f"'{one}'") for one in TEXTS]


@pytest.mark.parametrize("year", [2023, 2024, 2030])
def test_each_is_answered_as_by_itself(pool_shop: Warehouse, year: int) -> None:
    evaluator = SetEvaluator(pool_shop)
    now = Context(datetime(year, 1, 1, 14, 30, tzinfo=UTC), ZoneInfo("Asia/Tokyo"), "USD")
    templates = [line for line in QUERIES.split("\n") if line]
    trees = [parse(query) for line in templates for query in each(line)]
    everybody = evaluator.universe(now)
    questions = [lower(leaf, now)[0] for tree in trees for leaf in filters_of(tree)]

    with evaluator.among(everybody, questions, now) as asking:
        found = [asking.members(tree) for tree in trees]

    assert found == [evaluator.members(tree, now) for tree in trees]
    assert len(list(alike(questions))) == len(templates)
    assert sum(0 < len(members) < len(everybody) for members in found) > len(templates)


def test_what_is_like_no_other_is_left() -> None:
    now = Context(datetime(2024, 1, 1, tzinfo=UTC), ZoneInfo("UTC"), "USD")
    texts = [
        "orders_placed MATCHES (utm_source = 'a', count >= 1)",
        "orders_placed MATCHES (utm_source = 'b', count >= 2)",
        "orders_placed MATCHES (utm_source != 'c', count >= 2)",
        "orders_placed MATCHES (utm_source IN ('d', 'e'), count >= 2)",
        "products_purchased MATCHES (tag = 'a')",
        "products_purchased MATCHES (vendor = 'a')",
        "customer_tags CONTAINS 'a'",
        "customer_countries CONTAINS 'JP'",
        "customer_countries CONTAINS 'DE'",
    ]

    assert not list(alike(lower(leaf, now)[0] for one in texts for leaf in filters_of(parse(one))))
