"""regulars compare: the copy against the pretend Shopify, value by value, by hand and at night."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from regulars.bootstrap import open_runtime
from regulars.bootstrap.serving import bind
from regulars.clock import SettableClock, system_clock
from regulars.jobs import Jobs, comparing
from regulars.office import Token, find_shop
from regulars.runtime import Runtime, connect_shop
from regulars.settings import Settings
from regulars.simulator.serve import Pretend, PretendShop, open_app, served
from regulars.simulator.simulator import DEMO_TOKEN

SHOP = ("--shop", "demo")
#: So many that losing all of them is more than a comparison believes.
CUSTOMERS = comparing.DELETED_FREE + 5

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]


class Copied:
    """A shop of a pretend Shopify and our copy of it, which no command has open."""

    def __init__(self, settings: Settings, shopify: Pretend) -> None:
        self.shopify = shopify.simulator.shop
        self._settings = settings
        with self.opened() as runtime:
            connect_shop(runtime, self.shopify.domain, Token(DEMO_TOKEN), name="demo")
            with runtime.office.session() as session:
                Jobs(runtime).backfill_later(session, find_shop(session, "demo"))
            Jobs(runtime).run_until_idle()

    @contextmanager
    def opened(self, now: datetime | None = None) -> Iterator[Runtime]:
        clock = SettableClock(now) if now else system_clock
        with open_runtime(settings=self._settings, clock=clock) as runtime:
            yield runtime

    def spoil(self, statement: str, *values: object) -> None:
        """Change our copy behind its back."""
        with self.opened() as runtime:
            with runtime.office.reading() as session:
                shop = find_shop(session, "demo")
            with runtime.warehouse(shop).transaction() as cursor:
                cursor.execute(statement, values)


@pytest.fixture
def copied(tmp_path, monkeypatch) -> Iterator[Copied]:
    with served(open_app(PretendShop(CUSTOMERS, rate=1000.0)), bind("127.0.0.1", 0)) as shopify:
        monkeypatch.setenv("REGULARS_SIMULATOR_URL", shopify.url)
        yield Copied(Settings(home=tmp_path / "home", simulator_url=shopify.url), shopify)


def test_what_differs_is_named_and_repaired_by_hand_and_at_night(regulars, copied):
    shop = copied.shopify
    ana, bo = sorted(shop.customers.values(), key=lambda one: len(one.orders))[-2:]
    order, gone = ana.orders[0], bo.orders[0]
    stray = ("--name", "Strays", "--query", "customer_tags CONTAINS 'stray'")
    of_ana = "(SELECT customer_no FROM customers WHERE customer_id = ?)"
    copied.spoil(f"INSERT INTO customer_tags VALUES ({of_ana}, 'stray', 'stray')", str(ana.id))
    made = regulars("segments", "create", *SHOP, *stray, "--json").json
    assert made["member_count"] == 1
    wrong = "UPDATE customers SET language = 'xx', email = 'x@example.com' WHERE customer_id = ?"
    copied.spoil(wrong, str(ana.id))
    copied.spoil("UPDATE orders SET source_name = 'fax' WHERE order_id = ?", str(order.id))
    copied.spoil("DELETE FROM order_tags WHERE order_id = ?", str(order.id))
    copied.spoil("INSERT INTO order_tags VALUES (?, 'Rush', 'rush')", str(order.id))
    shop.delete_order(gone)

    told = regulars("compare", *SHOP)

    assert told.code == 0, told.err
    first, count, *named = told.out.splitlines()
    assert first == "0 customers and 1 orders are no longer at Shopify."
    assert count == f"{len(named)} values were different and were repaired."
    tags, strayed = (", ".join(sorted(one)) for one in (ana.tags, (*ana.tags, "stray")))
    assert (
        f"  customers {ana.id}: customer_tags was {strayed}, is {tags or '-'} at Shopify" in named
    )
    assert f"  customers {ana.id}: customer_language was xx, is {ana.locale} at Shopify" in named
    assert f"  orders {order.id}: source was fax, is {order.source_name} at Shopify" in named
    theirs = ", ".join(sorted(order.tags, key=str.casefold)) or "-"
    assert f"  orders {order.id}: order_tags was Rush, is {theirs} at Shopify" in named
    assert f"  customers {ana.id}: email" in named
    assert "example.com" not in told.out
    assert regulars("segments", "show", made["id"], *SHOP, "--json").json["member_count"] == 0

    # The next night's, made by the clock, finds what went wrong since, and nothing else.
    copied.spoil("UPDATE customers SET language = 'yy' WHERE customer_id = ?", str(ana.id))
    with copied.opened() as runtime, runtime.office.reading() as session:
        zone = find_shop(session, "demo").zone
        tomorrow = runtime.clock().astimezone(zone) + timedelta(days=1)
    night = tomorrow.replace(hour=comparing.NIGHT.hour, minute=1)

    with copied.opened(night) as runtime:
        Jobs(runtime).run_until_idle()

    told = regulars("live", *SHOP)
    assert told.code == 0, told.err
    assert told.out.splitlines()[-2:] == [
        "1 values were different and were repaired.",
        f"  customers {ana.id}: customer_language was yy, is {ana.locale} at Shopify",
    ]


def test_a_comparison_that_would_delete_too_much_stops_until_a_person_accepts_it(regulars, copied):
    for one in list(copied.shopify.customers.values()):
        for order in list(one.orders):
            copied.shopify.delete_order(order)
        copied.shopify.delete_customer(one)

    told = regulars("compare", *SHOP)

    assert told.code == 2
    assert f"no longer lists {CUSTOMERS} of {CUSTOMERS} customers. Nothing was deleted" in told.err
    assert regulars("count", "number_of_orders >= 0", *SHOP, "--json").json["count"] == CUSTOMERS
    accepted = regulars("compare", *SHOP, "--accept-deletions", "--json")
    assert accepted.code == 0, accepted.err
    assert accepted.json["deleted_customers"] == CUSTOMERS
    assert regulars("count", "number_of_orders >= 0", *SHOP, "--json").json["count"] == 0
