"""The generated shop is shaped like real ones, and the same for the same seed."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from regulars.clock import SettableClock
from regulars.simulator.generator import generate
from regulars.simulator.shop import Shop

UNTIL = datetime(2026, 11, 21, 3, tzinfo=UTC)
#: 69,659 purchases of 23,570 real customers of a music shop, 1997 to 1998.
CDNOW = Path(__file__).parents[3] / "shared/data/cdnow.csv.gz"


@pytest.fixture(scope="module")
def shop() -> Shop:
    return generate(7, 5_000, UNTIL)


def sizes(shop: Shop) -> list[int]:
    return sorted(len(customer.orders) for customer in shop.customers.values() if customer.orders)


def shares_at_least(counts: Iterable[int]) -> list[float]:
    """Return which share of the buyers bought at least 1, 2, ... 40 times."""
    rows = list(counts)
    return [sum(count >= n for count in rows) / len(rows) for n in range(1, 41)]


def test_the_same_seed_gives_the_same_shop():
    def told(seed: int) -> list[object]:
        made = generate(seed, 300, UNTIL)
        people = [(c.id, c.email, c.tags, c.addresses) for c in made.customers.values()]
        return [
            *people,
            *((o.id, o.processed, o.total, len(o.lines)) for o in made.orders.values()),
        ]

    assert told(5) == told(5)
    assert told(5) != told(6)


def test_nothing_lies_in_the_future_and_orders_come_after_their_customer(shop: Shop):
    now = int(UNTIL.timestamp())

    assert all(order.updated <= now for order in shop.orders.values())
    assert all(refund.created < now for o in shop.orders.values() for refund in o.refunds)
    for customer in shop.customers.values():
        times = [order.processed for order in customer.orders]
        assert times == sorted(times)
        assert not times or customer.created < times[0]
    assert [o.processed for o in shop.orders.values()] == sorted(
        order.processed for order in shop.orders.values()
    )


def test_the_clock_of_a_shop_made_without_one_stands_at_the_end(shop: Shop):
    assert isinstance(shop.clock, SettableClock)
    assert shop.clock() == UNTIL


def test_a_seventh_never_buys_and_half_of_the_buyers_never_come_back(shop: Shop):
    buyers = sizes(shop)

    assert 0.12 < 1 - len(buyers) / len(shop.customers) < 0.18
    assert 0.45 < sum(size == 1 for size in buyers) / len(buyers) < 0.56


def test_a_few_buy_very_often(shop: Shop):
    buyers = sizes(shop)
    best = buyers[-len(buyers) // 5 :]

    assert buyers[-1] >= 30
    assert 0.5 < sum(best) / sum(buyers) < 0.75


@pytest.mark.skipif(not CDNOW.is_file(), reason="the real purchases are not beside this tree")
def test_orders_per_buyer_follow_real_purchases(shop: Shop):
    """At no number of orders do the shares differ by more than 4 in 100."""
    with gzip.open(CDNOW, "rt") as rows:
        real = Counter(row["customer_id"] for row in csv.DictReader(rows)).values()
    ours = sizes(shop)

    pairs = zip(shares_at_least(ours), shares_at_least(real), strict=True)
    assert max(abs(mine - theirs) for mine, theirs in pairs) < 0.04
    assert abs((sum(ours) / len(ours)) / (sum(real) / len(real)) - 1) < 0.15


def test_few_products_make_most_of_the_sales(shop: Shop):
    sold = Counter(
        line.product.id for o in shop.orders.values() for line in o.lines if line.product
    )
    top = sum(count for _, count in sold.most_common(len(shop.products) // 10))

    assert 0.4 < top / sum(sold.values()) < 0.7


def test_december_sells_more_than_february(shop: Shop):
    months = Counter(
        datetime.fromtimestamp(order.processed, shop.zone).month
        for order in shop.orders.values()
        if datetime.fromtimestamp(order.processed, shop.zone).year in {2023, 2024, 2025}
    )

    assert months[12] > 1.4 * months[2]


def test_shares_of_what_happens_to_orders(shop: Shop):
    orders = list(shop.orders.values())

    def share(count: int) -> float:
        return count / len(orders)

    assert 0.02 < share(sum(o.cancelled is not None for o in orders)) < 0.04
    assert 0.04 < share(sum(bool(o.refunds) and not o.cancelled for o in orders)) < 0.07
    assert 0.01 < share(sum(o.customer is None for o in orders)) < 0.03
    assert 0 < share(sum(o.test for o in orders)) < 0.01
    assert 0.14 < share(sum(bool(o.discount_codes) for o in orders)) < 0.22
    assert {(o.source_name, o.app_id) for o in orders} == {("web", 580111), ("pos", 129785)}
    assert any(o.visit and o.visit.utm_campaign for o in orders)


def test_orders_add_up(shop: Shop):
    for order in shop.orders.values():
        listed = sum(line.total for line in order.lines)
        assert order.total == order.subtotal + order.shipping
        assert order.subtotal == listed - order.discount
        assert 0 <= order.refunded <= order.total


def test_customers_have_tags_consent_places_and_the_rest(shop: Shop):
    people = list(shop.customers.values())
    tags = Counter(tag for customer in people for tag in customer.tags)

    assert 1.4 < sum(tags.values()) / len(people) < 1.8
    assert 80 < len(tags) <= 100
    assert tags.most_common(1)[0][1] > 20 * min(tags.values())
    assert {c.locale for c in people} >= {"ja", "en", "zh-TW", "ko"}
    assert {c.email_consent.state for c in people} == {
        "SUBSCRIBED",
        "UNSUBSCRIBED",
        "PENDING",
        "NOT_SUBSCRIBED",
    }
    codes = {a.province_code for c in people for a in c.addresses if a.country_code == "JP"}
    assert len(codes) == 47
    assert len({a.country_code for c in people for a in c.addresses}) > 8
    assert any(c.email is None for c in people)
    assert any(c.company for c in people)
    assert any(c.credit_accounts for c in people)
    assert any(m.key == "birth_date" for c in people for m in c.metafields)


def test_nobody_can_be_written_to(shop: Shop):
    """Addresses are of the domains kept for examples."""
    reserved = (".example", "example.com", "example.net", "example.org")
    assert all(c.email.endswith(reserved) for c in shop.customers.values() if c.email)


def test_another_currency_has_its_decimals():
    shop = generate(1, 200, UNTIL, currency="USD", zone="America/New_York")

    prices = [line.unit_price for order in shop.orders.values() for line in order.lines]
    assert 300 < sum(prices) / len(prices) < 12_000
    assert shop.time_zone == "America/New_York"
