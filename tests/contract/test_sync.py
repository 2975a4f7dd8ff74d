"""Backfill, webhooks, catch-up and comparison: whatever the way, our copy becomes the shop."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from regulars.errors import ConflictError, ScopeMissing
from regulars.shopify import catching_up
from regulars.shopify.backfilling import Backfilled, Step, backfill, compare
from regulars.shopify.bulk import BulkFailed
from regulars.shopify.catching_up import TooMuchChanged, catch_up, read_again
from regulars.shopify.reading import instant
from regulars.shopify.subscriptions import subscribe
from regulars.shopify.webhooks import facts_from_webhook, to_read_again, verify
from regulars.simulator.models import Address
from regulars.warehouse import Warehouse, Warehouses
from regulars.warehouse.facts import Fact
from tests.contract.shop import Place, client_of, open_place

# Each of these opens a warehouse or two.
pytestmark = pytest.mark.slow

SECRET = "regulars-client-secret-of-a-pretend-app"

#: What the shop is, read from our copy: everything that a segment can look at, without our numbers.
TOLD = {
    "customers": """
        SELECT customer_id, display_name, email, phone, language, note, account_status,
          email_subscription_status, sms_subscription_status, added_at, order_count, spent_amount,
          last_order_at, deleted_at IS NOT NULL
        FROM customers ORDER BY customer_id""",
    "tags": """
        SELECT c.customer_id, t.tag FROM customer_tags t JOIN customers c USING (customer_no)
        ORDER BY ALL""",
    "addresses": """
        SELECT c.customer_id, a.city_key, a.zip, a.latitude FROM addresses a
        JOIN customers c USING (customer_no) ORDER BY ALL""",
    "orders": """
        SELECT o.order_id, c.customer_id, o.processed_at, o.updated_at, o.cancelled_at,
          o.total_amount, o.refunded_amount, o.source_name, o.app_id, o.utm_source
        FROM orders o LEFT JOIN customers c USING (customer_no) ORDER BY o.order_id""",
    "lines": "SELECT order_id, product_id, quantity, amount, title FROM lines ORDER BY ALL",
    "refunds": "SELECT refund_id, order_id, refunded_at, amount FROM refunds ORDER BY ALL",
    "products": "SELECT product_id, title, vendor FROM products ORDER BY ALL",
}


def copy_of(warehouse: Warehouse) -> dict[str, list[Any]]:
    with warehouse.reader() as cursor:
        return {name: cursor.execute(query).fetchall() for name, query in TOLD.items()}


@pytest.fixture
def warehouses(tmp_path: Path) -> Iterator[Warehouses]:
    made = Warehouses(tmp_path / "shops")
    yield made
    made.close()


def load(place: Place, warehouse: Warehouse, steps: list[Step] | None = None) -> Backfilled:
    tell = (lambda _: None) if steps is None else steps.append
    return backfill(place.client, warehouse, place.shop, tell, place.time())


def catch(place: Place, warehouse: Warehouse, since: timedelta) -> int:
    now = place.time()
    facts = list(catch_up(place.client, place.shop, now - since, now))
    warehouse.apply(facts, at=now)
    return len(facts)


def live_a_little(place: Place) -> None:
    """Let things of each kind happen, some minutes apart."""
    shop, people = place.shop, place.people
    tea = next(iter(shop.products.values()))
    acts = [
        lambda: shop.place_order(people["cleo"], [shop.line(tea, 3)]),
        lambda: shop.add_tags(people["ana"], ["vip", "日本"]),
        lambda: shop.remove_tags(people["ana"], ["VIP"]),
        lambda: shop.refund_order(next(iter(people["ana"].orders)), 500),
        lambda: shop.update_customer(
            people["bo"],
            note="likes tea",
            addresses=(
                Address(
                    id=9,
                    first_name="Bo",
                    last_name=None,
                    address1="1",
                    city="Kyoto",
                    province="Kyoto",
                    province_code="JP-26",
                    country="Japan",
                    country_code="JP",
                    zip="600-0000",
                    latitude=35.0,
                    longitude=135.7,
                ),
            ),
        ),
        lambda: shop.set_email_consent(people["bo"], "SUBSCRIBED"),
        lambda: shop.cancel_order(people["bo"].orders[0]),
        lambda: shop.create_customer(first_name="Eve", email="eve@example.com"),
        lambda: shop.create_product("Coffee", 900),
        lambda: shop.delete_customer(people["dee"]),
    ]
    for act in acts:
        place.time.sleep(60)
        act()


def test_a_backfill_is_the_whole_shop(place: Place, warehouses: Warehouses):
    steps: list[Step] = []

    done = load(place, warehouses.of(1), steps)

    told = copy_of(warehouses.of(1))
    assert [row[1] for row in told["customers"]] == ["Ana", "Bo", "Cleo", "Dee"]
    assert [row[10:12] for row in told["customers"]] == [(1, 2400), (1, 1200), (0, 0), (0, 0)]
    assert len(told["lines"]) == 2
    assert done.unreadable == ()
    assert done.orders_complete_from is None
    assert [step.kind for step in steps if step.phase == "loaded"] == [
        "customers",
        "orders",
        "products",
    ]
    assert not [step for step in steps if step.share is not None and not 0 <= step.share <= 1]


def test_nothing_is_left_of_the_files(place: Place, warehouses: Warehouses, tmp_path: Path):
    load(place, warehouses.of(1))

    assert not [path for path in tmp_path.rglob("*") if "jsonl" in path.name]


def test_a_backfill_twice_changes_nothing(place: Place, warehouses: Warehouses):
    load(place, warehouses.of(1))
    before = copy_of(warehouses.of(1))

    load(place, warehouses.of(1))

    assert copy_of(warehouses.of(1)) == before


def test_without_read_all_orders_the_window_is_told(warehouses: Warehouses):
    place = open_place(scopes=frozenset({"read_customers", "read_orders", "read_products"}))

    done = load(place, warehouses.of(1))

    assert done.orders_complete_from == place.time() - timedelta(days=60)
    assert done.unreadable == ()
    assert warehouses.of(1).meta("complete_from") == done.orders_complete_from.isoformat()
    place.simulator.close()


def test_kinds_without_their_scope_are_named_and_the_others_loaded(warehouses: Warehouses):
    place = open_place(scopes=frozenset({"read_customers", "read_orders"}))

    done = load(place, warehouses.of(1))
    catch(place, warehouses.of(1), timedelta(hours=1))

    assert done.unreadable == ("orders", "products")
    assert len(copy_of(warehouses.of(1))["customers"]) == 4
    place.simulator.close()


def test_without_read_customers_nothing_is_loaded(warehouses: Warehouses):
    place = open_place(scopes=frozenset({"read_orders"}))

    with pytest.raises(ScopeMissing, match="read_customers"):
        load(place, warehouses.of(1))
    assert copy_of(warehouses.of(1))["orders"] == []
    place.simulator.close()


def test_a_failed_bulk_query_loads_nothing_of_it(place: Place, warehouses: Warehouses):
    place.simulator.faults.switch_on("bulk_failed", times=1)

    with pytest.raises(BulkFailed):
        load(place, warehouses.of(1))
    assert copy_of(warehouses.of(1))["customers"] == []


def test_a_shop_that_changed_its_currency_is_not_mixed(place: Place, warehouses: Warehouses):
    load(place, warehouses.of(1))

    class Before:
        currency = "USD"

    with pytest.raises(ConflictError, match="now counts in JPY"):
        list(catch_up(place.client, Before(), place.time(), place.time()))


def test_catching_up_makes_our_copy_the_shop_but_for_deletions(
    place: Place, warehouses: Warehouses
):
    load(place, warehouses.of(1))
    live_a_little(place)

    catch(place, warehouses.of(1), timedelta(minutes=15))

    load(place, warehouses.of(2))
    ours, fresh = copy_of(warehouses.of(1)), copy_of(warehouses.of(2))
    dee = str(place.people["dee"].id)
    assert dee in {row[0] for row in ours["customers"]}
    ours["customers"] = [row for row in ours["customers"] if row[0] != dee]
    assert ours == fresh


def test_a_comparison_finds_deletions(place: Place, warehouses: Warehouses):
    load(place, warehouses.of(1))
    live_a_little(place)
    gone = place.people["cleo"].orders[0]
    place.time.sleep(60)
    catch(place, warehouses.of(1), timedelta(minutes=15))
    place.shop.delete_order(gone)
    place.time.sleep(60)

    found = compare(place.client, warehouses.of(1), place.shop, lambda _: None, place.time())
    warehouses.of(1).apply(found.deleted, at=place.time())

    load(place, warehouses.of(2))
    ours, fresh = copy_of(warehouses.of(1)), copy_of(warehouses.of(2))
    assert [fact.order_id for fact in found.deleted] == [str(gone.id)]
    assert found.loaded["customers"].missing == 1
    assert ours["customers"][3][-1]
    del ours["customers"][3]
    assert ours == fresh


def test_a_comparison_names_the_values_that_nobody_told(
    place: Place, warehouses: Warehouses
) -> None:
    load(place, warehouses.of(1))
    with warehouses.of(1).transaction() as cursor:
        cursor.execute("UPDATE customers SET language = 'xx' WHERE customer_no = 0")
        cursor.execute("INSERT INTO customer_tags VALUES (0, 'stray', 'stray')")

    found = compare(place.client, warehouses.of(1), place.shop, lambda _: None, place.time())

    named = found.loaded["customers"].differences
    assert [one.attribute for one in named] == ["customer_language", "customer_tags"]
    assert (named[0].ours, "stray" in (named[1].ours or "")) == ("xx", True)
    assert found.loaded["orders"].differences == ()
    again = compare(place.client, warehouses.of(1), place.shop, lambda _: None, place.time())
    assert again.loaded["customers"].differing == 0


def test_a_comparison_takes_no_old_order_for_a_deleted_one(warehouses: Warehouses):
    """Without read_all_orders Shopify lists 60 days only; what is older was not deleted."""
    place = open_place()
    load(place, warehouses.of(1))
    place.time.sleep(86_400 * 90)
    place.simulator.tokens.grant(
        "shpat_regulars_demo", frozenset({"read_customers", "read_orders"})
    )

    found = compare(place.client, warehouses.of(1), place.shop, lambda _: None, place.time())

    assert found.orders_complete_from
    assert found.deleted == ()
    assert len(copy_of(warehouses.of(1))["orders"]) == 2
    place.simulator.close()


def test_an_order_of_many_lines_is_read_whole(place: Place, warehouses: Warehouses):
    load(place, warehouses.of(1))
    tea = next(iter(place.shop.products.values()))
    place.shop.place_order(place.people["dee"], [place.shop.line(tea, 1) for _ in range(45)])

    catch(place, warehouses.of(1), timedelta(minutes=15))

    assert len(copy_of(warehouses.of(1))["lines"]) == 47


def test_pages_that_cost_too_much_are_cut(place: Place, warehouses: Warehouses):
    """The price of a page is Shopify's to change; the reading goes on with smaller ones."""
    live_a_little(place)
    sizes = []

    class Dear:
        """The client, to which pages above 100 are too dear."""

        def __getattr__(self, name: str) -> Any:
            return getattr(place.client, name)

        def run(self, name: str, variables: Any = None, **options: Any) -> Any:
            if (variables or {}).get("first", 0) > 100:
                sizes.append(variables["first"])
                raise catching_up.TooExpensive("Query cost is 1293")
            return place.client.run(name, variables, **options)

    now = place.time()
    facts = list(catch_up(Dear(), place.shop, now - timedelta(hours=1), now))  # type: ignore[arg-type]

    assert sizes == [250, 125, 250, 125]
    assert len(facts) == 4 + 2 + 3


def test_more_changes_than_shopify_pages_through_ask_for_a_backfill(place: Place):
    for number in range(30):
        place.shop.create_customer(first_name=f"N{number}")
    now = place.time()
    most = catching_up.OBJECTS_MAX
    catching_up.OBJECTS_MAX = 20
    try:
        with pytest.raises(TooMuchChanged, match="loaded anew"):
            list(catch_up(place.client, place.shop, now, now))
    finally:
        catching_up.OBJECTS_MAX = most


# Webhooks


def delivered(place: Place) -> list[tuple[str, list[Fact], tuple[str, str] | None]]:
    """Take all waiting deliveries, verified, as facts and what is to be read again."""
    got: list[tuple[str, list[Fact], tuple[str, str] | None]] = []

    def receive(_uri: str, headers: dict[str, str], body: bytes) -> int:
        if not verify(body, headers["X-Shopify-Hmac-Sha256"], [SECRET]):
            return 401
        topic, payload = headers["X-Shopify-Topic"], orjson.loads(body)
        at = instant(headers["X-Shopify-Triggered-At"])
        facts = facts_from_webhook(topic, payload, at, place.shop.currency)
        got.append((topic, facts, to_read_again(topic, payload)))
        return 200

    place.simulator.webhooks.send_due(receive)
    return got


@pytest.mark.parametrize("seed", range(2))
def test_webhooks_in_any_order_and_repeated_make_our_copy_the_shop(
    place: Place, warehouses: Warehouses, seed: int
):
    """Deliveries shuffled and doubled; what they tell too little of is read again.

    Two states of an order within one second cannot be told apart by their time: the refund and the
    cancellation here. The catch-up decides them.
    """
    load(place, warehouses.of(1))
    place.time.sleep(60)
    subscribe(place.client, "https://regulars.example.com/webhooks/shopify")
    place.simulator.faults.switch_on("duplicate_webhook", rate=0.3)
    live_a_little(place)
    got = delivered(place)
    random.Random(seed).shuffle(got)

    for _topic, facts, again in got:
        warehouses.of(1).apply(facts, at=place.time())
        if again is not None:
            told = read_again(place.client, place.shop, [again])
            warehouses.of(1).apply(told, at=place.time())
    catch(place, warehouses.of(1), timedelta(minutes=15))

    load(place, warehouses.of(2))
    ours, fresh = copy_of(warehouses.of(1)), copy_of(warehouses.of(2))
    assert len(got) > 15
    assert ours["customers"][3][-1]
    del ours["customers"][3]
    assert ours == fresh


def test_lost_webhooks_are_made_good_by_catching_up(place: Place, warehouses: Warehouses):
    load(place, warehouses.of(1))
    subscribe(place.client, "https://regulars.example.com/webhooks/shopify")
    place.simulator.faults.switch_on("dropped_webhooks", rate=0.5)
    live_a_little(place)
    for _topic, facts, _again in delivered(place):
        warehouses.of(1).apply(facts, at=place.time())
    place.time.sleep(60)

    catch(place, warehouses.of(1), timedelta(minutes=20))
    compare(place.client, warehouses.of(1), place.shop, lambda _: None, place.time())

    load(place, warehouses.of(2))
    ours, fresh = copy_of(warehouses.of(1)), copy_of(warehouses.of(2))
    ours["customers"] = [row for row in ours["customers"] if not row[-1]]
    assert ours == fresh


def test_the_older_version_tells_the_same(warehouses: Warehouses):
    """Consent to text messages has another name there; our copy does not show it."""
    place = open_place()
    place.shop.update_customer(place.people["ana"], phone="+819012345678")
    place.shop.set_sms_consent(place.people["ana"], "SUBSCRIBED")
    load(place, warehouses.of(1))
    place.client = client_of(place.simulator, place.time, api_version="2026-07")

    load(place, warehouses.of(2))

    older, newer = copy_of(warehouses.of(2)), copy_of(warehouses.of(1))
    assert newer["customers"][0][8] == "SUBSCRIBED"
    assert older == newer
    place.simulator.close()
