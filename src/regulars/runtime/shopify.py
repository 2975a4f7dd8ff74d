"""A shop's Shopify client, with its token out of the office."""

from __future__ import annotations

from collections.abc import Callable

from regulars.clock import Clock
from regulars.errors import TokenRejected, problem
from regulars.office import Office, Shop, Token, read_token, save_token
from regulars.sealing import Sealer
from regulars.settings import Settings
from regulars.shopify import Grant, RotatingToken, ShopifyClient, TokenDoor
from regulars.shopify.http import open_http


def app_uninstalled() -> TokenRejected:
    """Return why a shop that let go of the app cannot be asked."""
    return TokenRejected(problem("app_uninstalled", "The app was uninstalled from this shop."))


def open_client(
    settings: Settings,
    office: Office,
    sealer: Sealer,
    shop: Shop,
    *,
    clock: Clock,
    sleep: Callable[[float], None],
    random: Callable[[], float],
) -> ShopifyClient:
    """Return a client for a connected shop, or for the pretend Shopify on this machine."""
    if shop.domain is None:
        template = "The shop {shop} was made of files; it is not at Shopify."
        raise TokenRejected(problem("shop_of_files", template, shop=shop.name))
    with office.reading() as session:
        token = read_token(session, sealer, shop.id)
    if token is None and shop.disconnected_at is not None:
        raise app_uninstalled()
    if token is None:
        template = "The shop {shop} is not connected to Shopify."
        raise TokenRejected(problem("shop_not_connected", template, shop=shop.name))
    base_url = settings.simulator_url or None
    http = open_http(loopback_allowed=base_url is not None)

    def save(grant: Grant) -> None:
        with office.session() as session:
            row = session.get_one(Shop, shop.id)
            save_token(session, sealer, row, token_of(grant), clock())

    door = TokenDoor(
        shop.domain,
        client_id=settings.api_key,
        client_secret=settings.api_secret.get_secret_value(),
        http=http,
        clock=clock,
        base_url=base_url,
    )
    return ShopifyClient(
        shop.domain,
        RotatingToken(grant_of(token), door=door, save=save, clock=clock),
        http=http,
        clock=clock,
        sleep=sleep,
        random=random,
        base_url=base_url,
    )


def token_of(grant: Grant) -> Token:
    """Return a grant as the office keeps it."""
    return Token(
        grant.access_token,
        grant.refresh_token,
        grant.expires_at,
        grant.refresh_expires_at,
        grant.scopes,
    )


def grant_of(token: Token) -> Grant:
    """Return a kept token as the client wants it."""
    return Grant(
        token.access_token,
        token.refresh_token,
        token.expires_at,
        token.refresh_expires_at,
        token.scopes,
    )
