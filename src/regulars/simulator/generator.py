"""Generates a shop: four years of customers, orders and what hangs on them, from a seed.

Shaped like real shops: about half of the buyers never come back, a few buy very often, few products
make most of the sales, the year has seasons. The same seed and settings give the same shop.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from regulars.clock import Clock, SettableClock
from regulars.simulator.goods import make_goods
from regulars.simulator.models import (
    AbandonedCheckout,
    Line,
    Location,
    MetafieldDefinition,
    Order,
    Product,
    Refund,
    RefundLine,
    Visit,
)
from regulars.simulator.money import exponent
from regulars.simulator.people import People
from regulars.simulator.shop import ONLINE_STORE_APP, POINT_OF_SALE_APP, Shop

Numbers = NDArray[np.int64]
Shares = NDArray[np.float64]

DAY = 86_400
#: Shares of customers and orders.
WITHOUT_ORDERS = 0.14
GUEST_ORDERS = 0.02
REFUNDED = 0.06
CANCELLED = 0.03
TEST_ORDERS = 0.003
WITH_CODE = 0.18
IN_PERSON = 0.09
#: A buyer stops after each order with a chance of its own, drawn from this beta distribution: half
#: stop after the first, and the mean is near three orders.
STOP_A, STOP_B = 1.9, 1.95
#: How much is bought in each month of the year, January first.
SEASONS = (0.95, 0.8, 0.95, 0.95, 1.0, 0.95, 1.15, 0.9, 0.9, 1.0, 1.2, 1.6)
#: Monday first.
WEEKDAYS = (0.95, 0.9, 0.9, 0.95, 1.05, 1.15, 1.1)
#: Share of orders by hour of the shop's day.
HOURS = (3, 2, 1, 1, 1, 1, 2, 3, 4, 5, 5, 5, 6, 5, 5, 5, 5, 5, 6, 7, 8, 9, 7, 5)
CODES = ("WELCOME10", "SPRING15", "SUMMER20", "VIP500", "FRIENDS", "NEWYEAR", "AUTUMN10", "THANKS")
CODE_SHARES = (0.4, 0.1, 0.1, 0.14, 0.08, 0.07, 0.06, 0.05)
ORDER_TAGS = ("gift-wrap", "express", "first-order", "wholesale", "preorder", "subscription")
VISITS = (
    Visit("direct"),
    Visit("Google", "https://www.google.example/", "https://shop.example/"),
    Visit("newsletter", None, "https://shop.example/new", "newsletter", "email", "weekly"),
    Visit("Instagram", "https://social.example/", None, "instagram", "social", "spring"),
    Visit("Google Ads", "https://www.google.example/", None, "google", "cpc", "brand"),
    Visit("LINE", None, "https://shop.example/line", "line", "message", "members"),
)
VISIT_SHARES = (0.34, 0.2, 0.16, 0.12, 0.12, 0.06)


def generate(
    seed: int,
    customers: int = 10_000,
    until: datetime | None = None,
    *,
    years: int = 4,
    zone: str = "Asia/Tokyo",
    currency: str = "JPY",
    clock: Clock | None = None,
    products: int = 320,
) -> Shop:
    """Make a shop whose history ends at `until`, by default the clock's present.

    Without a clock the shop's time stands still at `until`.
    """
    if until is None:
        until = clock() if clock is not None else datetime(2026, 11, 21, tzinfo=UTC)
    shop = Shop(clock or SettableClock(until), currency=currency, time_zone=zone)
    run_collector = gc.isenabled()
    # Millions of objects that all stay: looking for cycles among them would take most of the time.
    gc.disable()
    try:
        Generation(shop, seed, customers, until, years, products).run()
    finally:
        if run_collector:
            gc.enable()
    return shop


@dataclass(slots=True)
class Generation:
    """One run of the generator."""

    shop: Shop
    seed: int
    customers: int
    until: datetime
    years: int
    product_count: int

    def run(self) -> None:
        """Fill the shop."""
        draw = np.random.default_rng(self.seed)
        chance = random.Random(self.seed)
        end = int(self.until.timestamp())
        timeline = Timeline(end, self.years, self.shop.zone, draw)
        self.shop.created = timeline.start - 30 * DAY
        # A dollar is taken for 150 yen.
        decimals = exponent(self.shop.currency)
        scale = 1.0 if self.shop.currency == "JPY" else 10**decimals / 150
        self.stock(chance, timeline.start, scale)
        created, owners, times = self.history(draw, timeline)
        People(self.shop, chance, draw, created).add(end)
        OrderMaker(self.shop, draw, owners, times, end=end, scale=scale).add()
        self.settle(chance, end)

    def stock(self, chance: random.Random, since: int, scale: float) -> None:
        """Put products, places and declared metafields into the shop."""
        products, collections = make_goods(chance, self.product_count, since - 20 * DAY, scale)
        self.shop.products.update((product.id, product) for product in products)
        self.shop.collections.update((each.id, each) for each in collections)
        for number, name in enumerate(("Shibuya", "Kyoto Teramachi", "Online")):
            place = Location(4_000_000_001 + number, name)
            self.shop.locations[place.id] = place
        for number, (name, namespace, key, kind, category) in enumerate(
            (
                ("Birth date", "facts", "birth_date", "date", "DATE_TIME"),
                ("Loyalty points", "custom", "loyalty_points", "number_integer", "NUMBER"),
            )
        ):
            known = MetafieldDefinition(
                3_000_000_001 + number, name, namespace, key, kind, category
            )
            self.shop.metafield_definitions[known.id] = known

    def history(
        self, draw: np.random.Generator, timeline: Timeline
    ) -> tuple[Numbers, Numbers, Numbers]:
        """Return when customers came, and who ordered when, orders in their order of time."""
        count = self.customers
        came = np.sort(draw.random(count))
        created = timeline.instants(came)
        buys = draw.random(count) >= WITHOUT_ORDERS
        orders = np.where(buys, draw.geometric(draw.beta(STOP_A, STOP_B, count)), 0)
        # Nobody has more than an order every other day.
        orders = np.minimum(orders, 60 * self.years)
        owners = np.repeat(np.arange(count), orders)
        shares = self.order_shares(draw, came, orders, owners)
        times = timeline.instants(shares)
        by_time = np.argsort(times, kind="stable")
        times, owners = times[by_time], owners[by_time]
        first = np.full(count, np.iinfo(np.int64).max)
        np.minimum.at(first, owners, times)
        return np.minimum(created, first - 300), owners, times

    def order_shares(
        self, draw: np.random.Generator, came: Shares, orders: Numbers, owners: Numbers
    ) -> Shares:
        """Return when each order falls, as a share of the whole time, later ones after earlier."""
        pace = draw.gamma(1.2, 0.035, self.customers)
        gaps = draw.exponential(1.0, len(owners)) * pace[owners]
        starts = np.concatenate(([0], np.cumsum(orders)[:-1]))
        # Most first orders come on the day the customer does.
        buying = orders > 0
        first = starts[buying]
        soon = draw.random(len(first)) < 0.75
        gaps[first] = np.where(soon, 1e-7, gaps[first])
        total = np.cumsum(gaps)
        before = np.zeros(self.customers)
        before[buying] = total[first] - gaps[first]
        since = total - before[owners]
        last = np.zeros(self.customers)
        np.maximum.at(last, owners, since)
        # A history that would pass the end is drawn together, so that its orders are kept.
        room = (1.0 - came) * (0.25 + 0.75 * draw.random(self.customers))
        shrink = np.minimum(1.0, room / np.maximum(last, 1e-12))
        shares: Shares = came[owners] + since * shrink[owners]
        return shares

    def settle(self, chance: random.Random, end: int) -> None:
        """Leave some baskets standing and set the counters that go on from here."""
        people = list(self.shop.customers.values())
        for number in range(len(people) // 12):
            when = end - int(chance.random() ** 2 * 365 * DAY)
            customer = chance.choice(people)
            when = max(when, customer.created)
            checkout = AbandonedCheckout(2_000_000_000_001 + number, customer, when, when)
            self.shop.abandoned_checkouts[checkout.id] = checkout
        self.shop.next_order_number = 1001 + len(self.shop.orders)
        self.shop.next_id = 9_000_000_000_000


class Timeline:
    """Turns shares of the whole time into instants: more of them in busy seasons and evenings."""

    def __init__(self, end: int, years: int, zone: ZoneInfo, draw: np.random.Generator) -> None:
        self.end = end
        self.draw = draw
        local_end = datetime.fromtimestamp(end, zone)
        first = (local_end - timedelta(days=round(365.25 * years))).date()
        days = [first + timedelta(days=n) for n in range((local_end.date() - first).days + 1)]
        self.midnights = np.array(
            [int(datetime(d.year, d.month, d.day, tzinfo=zone).timestamp()) for d in days],
            dtype=np.int64,
        )
        self.start = int(self.midnights[0])
        # Half as many customers again come in the last of four years as in the first.
        growth = 1.5 ** (np.arange(len(days)) / 1461)
        busy = np.array([SEASONS[d.month - 1] * WEEKDAYS[d.weekday()] for d in days])
        weight = growth * busy
        self.edges = np.concatenate(([0.0], np.cumsum(weight) / weight.sum()))
        self.hours = np.array(HOURS, dtype=float) / sum(HOURS)

    def instants(self, shares: Shares) -> Numbers:
        """Return an instant for each share; never after the end."""
        last = len(self.midnights) - 1
        day = np.clip(np.searchsorted(self.edges, shares, side="right") - 1, 0, last)
        hour = self.draw.choice(24, size=len(shares), p=self.hours)
        second = self.draw.integers(0, 3600, len(shares))
        found: Numbers = self.midnights[day] + hour * 3600 + second
        late = found >= self.end
        # The last day is not over yet: what would come later falls into its past hours.
        elapsed = max(2, self.end - int(self.midnights[-1]))
        found[late] = self.end - 1 - self.draw.integers(0, elapsed - 1, int(late.sum()))
        return found


class OrderMaker:
    """Makes the orders of a history."""

    def __init__(
        self,
        shop: Shop,
        draw: np.random.Generator,
        owners: Numbers,
        times: Numbers,
        *,
        end: int,
        scale: float,
    ) -> None:
        self.shop, self.draw, self.end, self.scale = shop, draw, end, scale
        self.owners, self.times = owners, times
        self.people = list(shop.customers.values())
        self.ids = iter(range(6_500_000_000_001, 6_900_000_000_000))

    def add(self) -> None:
        """Put every order into the shop."""
        count, orders = len(self.owners), self.shop.orders
        columns = zip(
            self.owners.tolist(),
            self.times.tolist(),
            self.line_groups(count),
            self.flags(count),
            strict=True,
        )
        shops = [place.id for place in list(self.shop.locations.values())[:2]]
        for number, (owner, when, lines, flag) in enumerate(columns):
            customer = None if flag["guest"] else self.people[owner]
            subtotal = sum(line.unit_price * line.quantity for line in lines)
            discount = subtotal * flag["percent"] // 100 if flag["code"] else 0
            free_from, fee = round(8000 * self.scale), round(600 * self.scale)
            in_person = flag["in_person"]
            shipping = 0 if in_person or subtotal >= free_from else fee
            total = subtotal - discount + shipping
            order = Order(
                id=6_000_000_000_001 + number,
                number=1001 + number,
                customer=customer,
                created=when,
                processed=when,
                updated=min(when + 7200, self.end),
                lines=lines,
                subtotal=subtotal - discount,
                shipping=shipping,
                tax=total // 11,
                discount=discount,
                total=total,
                test=flag["test"],
                source_name="pos" if in_person else "web",
                app_id=POINT_OF_SALE_APP if in_person else ONLINE_STORE_APP,
                location_id=shops[number % 2] if in_person else None,
                tags=(ORDER_TAGS[flag["tag"]],) if flag["tag"] < len(ORDER_TAGS) else (),
                discount_codes=(CODES[flag["code"] - 1],) if flag["code"] else (),
                visit=None if in_person else VISITS[flag["visit"]],
                email=customer.email if customer else f"guest{number}@example.net",
                locale=customer.locale if customer else "ja",
            )
            self.undo(order, flag)
            orders[order.id] = order
            if customer is not None:
                customer.orders.append(order)
                customer.updated = max(customer.updated, order.updated)

    def flags(self, count: int) -> Iterator[dict[str, Any]]:
        """Yield what is special about each order."""
        draw = self.draw
        coded = np.where(
            draw.random(count) < WITH_CODE, 1 + draw.choice(len(CODES), count, p=CODE_SHARES), 0
        )
        columns = {
            "guest": draw.random(count) < GUEST_ORDERS,
            "test": draw.random(count) < TEST_ORDERS,
            "in_person": draw.random(count) < IN_PERSON,
            "code": coded,
            "percent": draw.choice((5, 10, 15, 20), count),
            "visit": draw.choice(len(VISITS), count, p=VISIT_SHARES),
            # Two in three orders have no tag: their number points past the last one.
            "tag": draw.integers(0, 3 * len(ORDER_TAGS), count),
            "refund": draw.random(count),
            "share": draw.random(count),
            "cancel": draw.random(count) < CANCELLED,
            "days": draw.integers(1, 25, count),
        }
        lists = [column.tolist() for column in columns.values()]
        for row in zip(*lists, strict=True):
            yield dict(zip(columns, row, strict=True))

    def line_groups(self, count: int) -> Iterator[tuple[Line, ...]]:
        """Yield the lines of each order: few products make most of the sales."""
        draw = self.draw
        goods: list[Product] = list(self.shop.products.values())
        sizes = np.minimum(draw.geometric(0.46, count), 12)
        total = int(sizes.sum())
        ranks = 1.0 / np.arange(1, len(goods) + 1) ** 0.9
        chosen = draw.choice(len(goods), total, p=ranks / ranks.sum()).tolist()
        many = np.minimum(draw.geometric(0.78, total), 10).tolist()
        variants = draw.integers(0, 3, total).tolist()
        at = 0
        for size in sizes.tolist():
            yield tuple(
                self.line(goods[chosen[n]], many[n], variants[n]) for n in range(at, at + size)
            )
            at += size

    def line(self, product: Product, quantity: int, pick: int) -> Line:
        """Make one line."""
        variant = product.variants[pick % len(product.variants)]
        return Line(
            next(self.ids),
            product,
            variant,
            product.title,
            quantity,
            variant.price,
            vendor=product.vendor,
            sku=variant.sku,
        )

    def undo(self, order: Order, flag: dict[str, Any]) -> None:
        """Cancel the order, or give money back for it, where it was drawn so."""
        later = order.processed + flag["days"] * DAY
        if later >= self.end or not order.total:
            return
        if flag["cancel"]:
            order.cancelled = order.closed = min(order.processed + 3600 * flag["days"], self.end)
            order.cancel_reason = "CUSTOMER"
            self.refund(order, order.total, order.cancelled, "CANCEL")
        elif flag["refund"] < REFUNDED:
            whole = flag["share"] < 0.5
            part = order.total if whole else max(1, int(order.lines[0].unit_price * 0.9))
            self.refund(order, min(part, order.total), later, "RETURN" if whole else None)

    def refund(self, order: Order, amount: int, when: int, restock: str | None) -> None:
        """Give money back; a whole one takes every line back."""
        lines: tuple[RefundLine, ...] = ()
        if restock is not None:
            for line in order.lines:
                line.returned = line.quantity
            kind: Any = restock
            lines = tuple(
                RefundLine(next(self.ids), line, line.quantity, line.total, kind)
                for line in order.lines
            )
        order.refunds = (Refund(next(self.ids), when, amount, None, lines),)
        order.updated = max(order.updated, when)
