"""A small simulated shop and a client that speaks to it without sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from regulars.shopify.client import ShopifyClient
from regulars.shopify.tokens import FixedToken
from regulars.simulator.models import Customer
from regulars.simulator.shop import Shop
from regulars.simulator.simulator import DEMO_TOKEN, Simulator
from regulars.simulator.transport import transport
from tests.shopify.scripted import Time

CAST = ("ana", "bo", "cleo", "dee")


@dataclass
class Place:
    """The shop, its pretend Shopify, and our client; time moves by waiting only."""

    simulator: Simulator
    time: Time
    client: ShopifyClient
    people: dict[str, Customer] = field(default_factory=dict)

    @property
    def shop(self) -> Shop:
        return self.simulator.shop

    def gid(self, name: str) -> str:
        return f"gid://shopify/Customer/{self.people[name].id}"

    def ask(self, text: str, /, **variables: Any) -> dict[str, Any]:
        """Send a GraphQL text as it is and return the whole answer."""
        answer = self.client.http.post(
            f"https://{self.shop.domain}/admin/api/2026-10/graphql.json",
            json={"query": text, "variables": variables},
            headers={"X-Shopify-Access-Token": DEMO_TOKEN},
        )
        assert answer.status_code == 200
        told: dict[str, Any] = answer.json()
        return told


def client_of(simulator: Simulator, time: Time, **options: Any) -> ShopifyClient:
    """Return a client of the simulator's shop."""
    return ShopifyClient(
        simulator.shop.domain,
        FixedToken(DEMO_TOKEN),
        http=httpx.Client(transport=transport(simulator)),
        clock=time,
        sleep=time.sleep,
        random=lambda: 1.0,
        **options,
    )


def open_place(**options: Any) -> Place:
    """Make a shop with four customers, of whom ana and bo have ordered."""
    time = Time()
    shop = Shop(clock=time, created=int(time().timestamp()) - 86_400 * 365)
    simulator = Simulator(shop, **options)
    place = Place(simulator, time, client_of(simulator, time))
    tea = shop.create_product("Tea", 1200)
    for name in CAST:
        place.people[name] = shop.create_customer(
            first_name=name.capitalize(), email=f"{name}@example.com"
        )
    shop.place_order(place.people["ana"], [shop.line(tea, 2)])
    shop.place_order(place.people["bo"], [shop.line(tea, 1)])
    return place
