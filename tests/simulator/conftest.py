"""A pretend shop with the usual cast, and a client that speaks to it without sockets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from regulars.clock import SettableClock
from regulars.simulator.models import Address, Customer, Product
from regulars.simulator.shop import Shop
from regulars.simulator.simulator import DEMO_TOKEN, Simulator
from regulars.simulator.transport import transport

DAWN = datetime(2026, 11, 21, 0, 0, 30, tzinfo=UTC)
#: As long as real ones are.
SECRET = "shpss_0123456789abcdef0123456789abcdef"
CAST = ("ana", "bo", "cleo", "dee")


@dataclass
class Stage:
    """The shop, its simulator, and what tests do with them."""

    clock: SettableClock
    shop: Shop
    simulator: Simulator
    client: httpx.Client
    people: dict[str, Customer] = field(default_factory=dict)
    goods: dict[str, Product] = field(default_factory=dict)
    version: str = "2026-10"

    @property
    def path(self) -> str:
        return f"/admin/api/{self.version}/graphql.json"

    def post(self, text: str, **variables: Any) -> httpx.Response:
        """Send a document and return the HTTP answer."""
        return self.client.post(self.path, json={"query": text, "variables": variables})

    def ask(self, text: str, **variables: Any) -> dict[str, Any]:
        """Send a document and return the JSON answer."""
        told: dict[str, Any] = self.post(text, **variables).json()
        return told

    def gid(self, name: str) -> str:
        return f"gid://shopify/Customer/{self.people[name].id}"

    def wait(self, **span: float) -> None:
        """Let time pass."""
        self.clock.instant += timedelta(**span)


def open_stage(**settings: Any) -> Stage:
    """Make a small shop: ana and bo have bought, cleo and dee have not."""
    clock = SettableClock(DAWN - timedelta(days=2))
    shop = Shop(clock, created=int(DAWN.timestamp()) - 86_400 * 700)
    simulator = Simulator(shop, client_secret=SECRET, **settings)
    client = httpx.Client(
        transport=transport(simulator),
        base_url=f"https://{shop.domain}",
        headers={"X-Shopify-Access-Token": DEMO_TOKEN},
    )
    stage = Stage(clock, shop, simulator, client)
    for name, price in (("tea", 1200), ("cup", 3400)):
        stage.goods[name] = shop.create_product(name.capitalize(), price)
    for name in CAST:
        stage.people[name] = shop.create_customer(
            first_name=name.capitalize(),
            last_name="Test",
            email=f"{name}@example.com",
            phone="+819000000001",
            note="likes tea",
            locale="ja",
        )
        home = Address(
            shop.new_id(), name, "Test", "1-2-3", "Kyoto", "Kyōto", "JP-26", "Japan", "JP",
            "600-0001", 35.01, 135.77, phone="+819000000001", company="", address2="",
        )  # fmt: skip
        stage.people[name].addresses = (home,)
        clock.instant += timedelta(minutes=1)
    shop.place_order(stage.people["ana"], [shop.line(stage.goods["tea"], 2)])
    shop.place_order(stage.people["bo"], [shop.line(stage.goods["cup"], 1)])
    clock.instant = DAWN
    return stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = open_stage()
    yield made
    made.simulator.close()
