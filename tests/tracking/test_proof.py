"""Trackings against the naive model, over thousands of histories, before and after late news.

Each history is counted as first told. Then comes late news of it, through the warehouse's own door:
edits, refunds, cancellations, deletions, other customers, mergers, redactions, orders of long ago,
joins and leaves. Orders are told as webhooks, and some are paid in another currency. What the
counter mended must be what the model comes to.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from regulars.shopify import facts_from_webhook
from regulars.tracking import Counter
from regulars.warehouse import Warehouses
from regulars.warehouse.columns import inside
from regulars.warehouse.facts import (
    CustomerRedacted,
    CustomersMerged,
    OrderDeleted,
    RefundChange,
    RefundFact,
)
from tests.tracking.model import CUSTOMERS, DAY, Entry, Order, Replay, fill, invent, seen

#: 2,000 histories each time, 100,000 before a release.
HISTORIES = int(os.environ.get("TRACKING_HISTORIES", "2000"))
#: Histories that share a warehouse; each has customers and a segment of its own.
BATCH = 2000
#: How many histories get late news at a time: so few that the counter mends what it has.
ROUND = 200
LATER = datetime(2027, 1, 15, tzinfo=UTC)
#: Of the shop; it has no smaller unit, so an amount is written as it is.
CURRENCY = "JPY"


@pytest.fixture
def warehouse(tmp_path):
    warehouses = Warehouses(tmp_path)
    yield warehouses.of(1)
    warehouses.close()


@pytest.mark.parametrize("seed", range(-(-HISTORIES // BATCH)))
def test_figures_agree_with_a_replay_of_each_history(warehouse, seed):
    dice = random.Random(seed)
    histories = [invent(dice) for _ in range(min(BATCH, HISTORIES))]
    asked = fill(warehouse, histories)
    counter = Counter(warehouse)

    for history, figures in zip(histories, counter.figures(asked), strict=True):
        agrees(history, figures)
    for news, first in enumerate(range(0, 3 * ROUND, ROUND)):
        changed = slice(first, first + ROUND)
        # A merger makes it start anew, so mergers come last.
        tell(warehouse, dice, first, histories[changed], with_mergers=news == 2)
        figures = counter.figures(asked)
        for history, found in zip(histories[changed], figures[changed], strict=True):
            agrees(history, found)
    for history, found in zip(histories, figures, strict=True):
        agrees(history, found)


def agrees(history, figures):
    assert seen(figures) == Replay(history).result(), history
    bridge, populations = figures.bridge, figures.populations
    assert populations["start"].sums == bridge.stayers + bridge.leavers
    assert populations["order_time"].sums == bridge.stayers + bridge.joiners
    everything = bridge.stayers + bridge.leavers + bridge.joiners + bridge.outside
    assert populations["ever"].sums == everything


def tell(warehouse, dice, first, histories, *, with_mergers):
    """Bring late news of these histories to the warehouse, and into the histories."""
    facts, log = [], []
    for number, history in enumerate(histories, first):
        news = News(dice, history, number)
        for _ in range(dice.randrange(4)):
            news.happen(with_mergers=with_mergers)
        facts += news.facts
        log += [(number, *entry) for entry in news.log]
    warehouse.apply(facts, at=LATER, then=lambda cursor, _: write(cursor, log))


def write(cursor, log):
    for segment, customer, at, joined, cause in log:
        cursor.execute(
            "INSERT INTO membership_log VALUES (?, ?, ?, ?, ?, 1)",
            [segment, customer, inside(at), joined, cause],
        )


class News:
    """Late news of one history: changes its model, and gathers the facts that say the same."""

    def __init__(self, dice, history, number):
        self.dice = dice
        self.history = history
        self.base = number * CUSTOMERS
        self.number = number
        self.facts = []
        self.log = []
        self.told_at = LATER

    def happen(self, *, with_mergers):
        self.told_at += DAY
        kinds = [self.edit, self.refund, self.cancel, self.delete, self.arrive]
        kinds += [self.hand_over, self.redact, self.flip, *([self.merge] * with_mergers)]
        self.dice.choice(kinds)()

    def edit(self):
        self.change(lambda one: replace(one, total=self.dice.randrange(10**9)))

    def refund(self):
        """A refund told by itself, before the order's own update: it comes on top."""
        orders = [one for one in self.history.orders if not one.refunded]
        if orders:
            order, amount = self.dice.choice(orders), self.dice.randrange(1, 10**6)
            self.put(order, replace(order, refunded=amount))
            refund = RefundFact(
                refund_id=str(order.number), refunded_at=self.told_at, amount=amount
            )
            self.facts.append(RefundChange(order_id=str(order.number), refund=refund))

    def cancel(self):
        self.change(lambda one: replace(one, cancelled=True))

    def hand_over(self):
        """The order turns out to be another customer's, or nobody's."""
        people = [no for no in range(CUSTOMERS) if no not in self.history.merged]
        self.change(lambda one: replace(one, customer_no=self.dice.choice([*people, None])))

    def delete(self):
        if self.history.orders:
            order = self.dice.choice(self.history.orders)
            self.history.orders.remove(order)
            self.facts.append(OrderDeleted(str(order.number), self.told_at))

    def arrive(self):
        """An order of the period that we are told of only now."""
        edges = [*self.history.period.day_bounds(), self.history.period.ends_at]
        people = [no for no in range(CUSTOMERS) if no not in self.history.merged]
        order = Order(
            self.dice.choice(people),
            self.dice.choice(edges),
            self.dice.randrange(10**6),
            number=10**9 + self.number * 100 + len(self.facts),
        )
        self.history.orders.append(order)
        self.facts.append(self.fact(order))

    def merge(self):
        if 2 not in self.history.merged:
            self.history.merged[2] = 3
            for order in [one for one in self.history.orders if one.customer_no == 2]:
                self.put(order, replace(order, customer_no=3))
            kept, removed = str(self.base + 3), str(self.base + 2)
            self.facts.append(CustomersMerged(kept, removed, self.told_at))
            self.leave(2, "merged")

    def redact(self):
        """The person goes, the sums stay: orders are where they were."""
        self.facts.append(CustomerRedacted(str(self.base + 4), self.told_at))
        self.leave(4, "profile")

    def flip(self):
        number, joined = self.dice.randrange(CUSTOMERS), self.dice.random() < 0.5
        near = self.dice.choice([*self.history.period.day_bounds(), self.told_at])
        self.enter(Entry(number, near, joined, self.dice.choice(["order", "day_change"])))

    def leave(self, number, cause):
        self.enter(Entry(number, self.told_at, False, cause))

    def enter(self, entry):
        self.history.log.append(entry)
        self.log.append((self.base + entry.customer_no, entry.at, entry.joined, entry.cause))

    def change(self, changed):
        if self.history.orders:
            order = self.dice.choice(self.history.orders)
            new = changed(order)
            self.put(order, new)
            self.facts.append(self.fact(new))

    def put(self, order, new):
        self.history.orders[self.history.orders.index(order)] = new

    def fact(self, order):
        """Tell the whole order as it stands now, as Shopify does; some are paid in dollars."""
        paid_in = self.dice.choice([CURRENCY, "USD"])
        number = order.customer_no
        back = {**named("Refund", order.number), "processed_at": order.at.isoformat()}
        back |= {"refund_line_items": [{"subtotal_set": money(order.refunded, paid_in)}]}
        back |= {"transactions": [refunded(order.refunded, paid_in)]}
        payload = {
            **named("Order", order.number),
            "customer": None if number is None else named("Customer", self.base + number),
            "processed_at": order.at.isoformat(),
            "updated_at": self.told_at.isoformat(),
            "total_price": money(order.total, paid_in)["presentment_money"]["amount"],
            "total_price_set": money(order.total, paid_in),
            "cancelled_at": order.at.isoformat() if order.cancelled else None,
            "test": order.test,
            "refunds": [back] if order.refunded else [],
        }
        (fact,) = facts_from_webhook("orders/updated", payload, self.told_at, CURRENCY)
        return fact


def named(kind, number):
    return {"admin_graphql_api_id": f"gid://shopify/{kind}/{number}"}


def money(amount, paid_in):
    """Return an amount in both currencies; what a dollar is worth does not matter here."""
    paid = str(amount) if paid_in == CURRENCY else f"{amount / 150:.2f}"
    return {
        "shop_money": {"amount": str(amount), "currency_code": CURRENCY},
        "presentment_money": {"amount": paid, "currency_code": paid_in},
    }


def refunded(amount, paid_in):
    """Return the transaction of a refund, which is told in what the customer paid in."""
    paid = money(amount, paid_in)["presentment_money"]["amount"]
    return {"kind": "refund", "status": "success", "amount": paid, "currency": paid_in}
