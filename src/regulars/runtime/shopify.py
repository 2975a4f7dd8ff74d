"""A shop's Shopify client, with its token out of the office."""

from __future__ import annotations

from collections.abc import Callable

from regulars.clock import Clock
from regulars.errors import TokenRejected
from regulars.office import Office, Shop, read_token
from regulars.sealing import Sealer
from regulars.shopify import ShopifyClient
from regulars.shopify.http import open_http


class OfficeToken:
    """The token that the office keeps for one shop, read anew each time: it may be replaced."""

    def __init__(self, office: Office, sealer: Sealer, shop: Shop) -> None:
        self._office = office
        self._sealer = sealer
        self._shop = shop

    def current(self) -> str:
        """Return the token; raises TokenRejected while the shop has none."""
        with self._office.reading() as session:
            token = read_token(session, self._sealer, self._shop.id)
        if token is None:
            raise TokenRejected(f"The shop {self._shop.name} is not connected to Shopify.")
        return token.access_token

    def refreshed(self, rejected: str) -> str:
        """Return another token than the refused one, when the shop was connected again."""
        token = self.current()
        if token == rejected:
            raise TokenRejected(
                f"Shopify does not accept the token of {self._shop.name}. Connect the shop again."
            )
        return token


def open_client(
    office: Office,
    sealer: Sealer,
    shop: Shop,
    *,
    clock: Clock,
    sleep: Callable[[float], None],
    random: Callable[[], float],
    simulator_url: str = "",
) -> ShopifyClient:
    """Return a client for a connected shop, or for the pretend Shopify on this machine."""
    if shop.domain is None:
        raise TokenRejected(f"The shop {shop.name} was made of files; it is not at Shopify.")
    return ShopifyClient(
        shop.domain,
        OfficeToken(office, sealer, shop),
        http=open_http(loopback_allowed=bool(simulator_url)),
        clock=clock,
        sleep=sleep,
        random=random,
        base_url=simulator_url or None,
    )
