"""The shop as Shopify tells it: its zone and currency, and what this app may do there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from regulars.errors import ConflictError, ScopeMissing, problem
from regulars.shopify.client import ShopifyClient
from regulars.shopify.reading import instant


class ShopLike(Protocol):
    """What sync needs to know of a shop of the office."""

    @property
    def currency(self) -> str:
        """The shop's ISO 4217 code."""


@dataclass(frozen=True, slots=True)
class ShopInfo:
    """What Shopify says of a shop."""

    domain: str
    title: str
    time_zone: str
    currency: str
    plan: str
    created_at: datetime
    #: Access scopes that this app really has, whatever it asked for.
    scopes: frozenset[str]

    @property
    def reads_all_orders(self) -> bool:
        """Whether orders older than 60 days are given to us."""
        return "read_all_orders" in self.scopes

    def can_read(self, kind: str) -> bool:
        """Return whether customers, orders or products may be read.

        Writing includes reading. The lines of orders name products, so they need that scope too.
        """
        needed = {"orders", "products"} if kind == "orders" else {kind}
        return all({f"read_{each}", f"write_{each}"} & self.scopes for each in needed)

    def demand(self, kind: str) -> None:
        """Raise ScopeMissing when the kind may not be read."""
        if not self.can_read(kind):
            raise ScopeMissing(
                problem(
                    "scope_missing",
                    "The app lacks the access scope {scope} in this shop.",
                    scope=f"read_{kind}",
                )
            )


def read_shop(client: ShopifyClient) -> ShopInfo:
    """Ask Shopify about the shop and about our scopes in it."""
    data = client.run("shop_info")
    shop, app = data["shop"], data["currentAppInstallation"]
    return ShopInfo(
        domain=shop["myshopifyDomain"],
        title=shop["name"],
        time_zone=shop["ianaTimezone"],
        currency=shop["currencyCode"],
        plan=shop["plan"]["publicDisplayName"],
        created_at=instant(shop["createdAt"]),
        scopes=frozenset(scope["handle"] for scope in app["accessScopes"]),
    )


def known_tags(client: ShopifyClient, *, most: int = 250) -> list[str]:
    """Return customer tags that the shop uses already, for suggestions."""
    # Somebody is waiting at a screen, so points are not waited for long.
    answer = client.run("customer_tags_known", {"first": most}, patience_seconds=2.0)
    return [edge["node"] for edge in answer["shop"]["customerTags"]["edges"]]


def check_currency(info: ShopInfo, shop: ShopLike) -> None:
    """Raise ConflictError when the shop counts in another currency than what we have stored."""
    if info.currency != shop.currency:
        raise ConflictError(
            problem(
                "currency_changed",
                "The shop now counts in {now}; its stored orders are in {stored}. "
                "Connect the shop anew, so that all orders are loaded in {now}.",
                now=info.currency,
                stored=shop.currency,
            )
        )
