"""Each template is tried on a generated shop: readable, the same for both evaluators, not empty."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.engine import Context, SetEvaluator, compile_query
from regulars.errors import InputError
from regulars.language import describe, parse
from regulars.segments import templates
from regulars.shopify import FixedToken, ShopifyClient, backfill
from regulars.simulator.generator import generate
from regulars.simulator.simulator import DEMO_TOKEN, Simulator
from regulars.simulator.transport import transport
from regulars.warehouse import Warehouses
from tests.exploring import looking

NOW = datetime(2026, 3, 1, 3, tzinfo=UTC)


class Loaded:
    """A generated shop of four hundred customers, loaded into a warehouse."""

    def __init__(self, folder) -> None:
        shop = generate(11, 400, NOW)
        simulator = Simulator(shop)
        client = ShopifyClient(
            shop.domain,
            FixedToken(DEMO_TOKEN),
            http=httpx.Client(transport=transport(simulator)),
            clock=lambda: NOW,
            sleep=lambda _seconds: None,
            random=lambda: 1.0,
        )
        self.warehouses = Warehouses(folder)
        self.warehouse = self.warehouses.of(1)
        backfill(client, self.warehouse, shop, lambda _: None, NOW, pause=lambda _: None)
        simulator.close()
        self.evaluator = SetEvaluator(self.warehouse)
        self.context = Context(as_of=NOW, zone=ZoneInfo("Asia/Tokyo"), currency="JPY")
        self.known = templates.known_values(self.warehouse)
        self.everybody = self.warehouse.universe("all")
        self.records = self.warehouse.records(self.everybody)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    made = Loaded(tmp_path_factory.mktemp("templates"))
    yield made
    made.warehouses.close()


def test_there_are_sixty_in_fourteen_families():
    assert len(templates.TEMPLATES) == 60
    assert len(templates.FAMILIES) == 14
    used = {one.family for one in templates.TEMPLATES.values()}
    assert used == {one.key for one in templates.FAMILIES}


@pytest.mark.parametrize("key", templates.TEMPLATES)
def test_a_template_finds_the_same_customers_either_way(loaded, key):
    one = templates.find_template(key)
    tree = parse(templates.fill(one.pattern, "JPY", loaded.known))

    members = loaded.evaluator.members(tree, loaded.context)

    matches = compile_query(tree, loaded.context)
    assert {record.customer_no for record in loaded.records if matches(record)} == set(members)
    assert 0 < len(members) < len(loaded.everybody)
    assert describe(tree, "en", "JPY") != describe(tree, "ja", "JPY")


def parts_of(loaded, recipe, given):
    filled = templates.fill_recipe(recipe, "JPY", loaded.known, given, "en")
    return [loaded.evaluator.members(parse(query), loaded.context) for _name, query in filled]


@pytest.mark.parametrize("recipe", templates.RECIPES, ids=lambda one: one.key)
def test_the_parts_of_a_recipe_add_up(loaded, recipe):
    parts = parts_of(loaded, recipe, {})

    assert sum(map(len, parts)) == len(loaded.everybody)
    assert parts[0].union(*parts) == loaded.everybody
    assert all(parts)


@looking(10)
@given(
    recipe=st.sampled_from(templates.RECIPES),
    figures=st.tuples(st.integers(0, 5000), st.integers(0, 200_000), st.integers(0, 200_000)),
)
def test_they_add_up_with_whatever_figures_are_accepted(loaded, recipe, figures):
    days, low, money = figures
    asked = {"days": days, "count": days % 60, "low": low, "money": money}
    places = [one.name for one in templates.thresholds(recipe.pattern, "JPY", loaded.known)]
    told = {name: str(asked[name]) for name in places}
    if ("low" in places and low > money) or ("count" in places and asked["count"] < 2):
        with pytest.raises(InputError):
            parts_of(loaded, recipe, told)
        return

    parts = parts_of(loaded, recipe, told)
    assert sum(map(len, parts)) == len(loaded.everybody)
    assert parts[0].union(*parts) == loaded.everybody


def test_thresholds_are_adjusted_and_money_fits_the_currency():
    pattern = templates.TEMPLATES["vip"].pattern

    assert templates.fill(pattern, "USD", {}, {"days": "30"}) == (
        "amount_spent >= 300 AND last_order_date >= -30d"
    )
    assert templates.fill(pattern, "JPY", {}).startswith("amount_spent >= 30000 ")
    told = [(one.name, one.kind, one.default) for one in templates.thresholds(pattern, "JPY", {})]
    assert told == [("money", "money", "30000"), ("days", "days", "180")]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"days": "soon"}, "threshold_number"),
        ({"days": "-3"}, "threshold_number"),
        ({"days": "1.5"}, "threshold_number"),
        ({"money": "NaN"}, "threshold_number"),
        ({"nights": "3"}, "no_threshold"),
    ],
)
def test_a_threshold_that_cannot_be_used_is_refused(given, code):
    with pytest.raises(InputError) as raised:
        templates.fill(templates.TEMPLATES["vip"].pattern, "USD", {}, given)

    assert raised.value.code == code


def test_a_text_cannot_break_out_of_its_quotes():
    pattern = templates.TEMPLATES["tagged"].pattern

    query = templates.fill(pattern, "USD", {}, {"customer_tag": "a' OR number_of_orders >= 0 \\"})

    assert parse(query).attribute == "customer_tags"
