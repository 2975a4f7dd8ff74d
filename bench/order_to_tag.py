"""How long an order takes to become a tag, with real processes and webhooks over HTTP.

An order is placed in the pretend Shopify; its webhook reaches the app, which is a process of its
own; the customer joins a segment, and a rule gives the tag. The clock stops when the pretend
Shopify has it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from bench.kill import App, opened, waiting
from bench.report import Options, Section, Table, number
from regulars.simulator.models import Customer
from regulars.simulator.serve import Pretend

CUSTOMERS = 2_000
ORDERS = 20
TAG = "Buyer"
LOOK_SECONDS = 0.002


def play(customers: int = CUSTOMERS, orders: int = ORDERS) -> list[float]:
    """Return the seconds from each order to its customer's tag, one order after the other."""
    with (
        tempfile.TemporaryDirectory(prefix="regulars-order-") as named,
        opened(Path(named), customers, 100.0, hears=True) as (app, shopify),
    ):
        _keep_in_sync(app)
        # Every tag of that is told by a webhook of its own; an order behind them would wait.
        for _ in waiting("the webhooks of the first tags to be told"):
            if not shopify.simulator.webhooks.waiting():
                break
        rows = shopify.simulator.shop.customers.values()
        strangers = [one for one in rows if not one.orders]
        return [_seconds(shopify, one) for one in strangers[:orders]]


def _keep_in_sync(app: App) -> None:
    segment = app.ask("POST", "/segments", {"name": "Buyers", "query": "number_of_orders >= 1"})
    asked = {"segment": str(segment["id"]), "tag": TAG, "brake_share": None}
    rule = app.ask("POST", "/tag-rules", asked)
    for _ in waiting("the rule to be in sync"):
        if app.ask("GET", f"/tag-rules/{rule['id']}")["status"] == "in_sync":
            return


def _seconds(shopify: Pretend, customer: Customer) -> float:
    shop = shopify.simulator.shop
    line = shop.line(next(iter(shop.products.values())), 1, 1_000)
    began = time.perf_counter()
    shop.place_order(customer, [line])
    for _ in waiting("the tag to be there", every=LOOK_SECONDS):
        if TAG in customer.tags:
            break
    return time.perf_counter() - began


def measure(options: Options) -> list[Section]:
    """Place twenty orders, one after the other."""
    took = sorted(play(min(options.customers, CUSTOMERS)))
    section = Section("From an order to its tag")
    table = Table(("orders", "p50 s", "p95 s", "slowest s"))
    p95 = statistics.quantiles(took, n=20, method="inclusive")[-1]
    middle = statistics.median(took)
    table.add(str(len(took)), number(middle), number(p95), number(took[-1]))
    section.show(table)
    section.say(
        "The order is placed in the pretend Shopify, the app is a process of its own: the webhook "
        "comes over HTTP, the customer joins a segment, and a rule gives the tag. The time ends "
        "when the pretend Shopify has it."
    )
    return [section]
