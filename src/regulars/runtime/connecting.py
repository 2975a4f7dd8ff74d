"""Connecting a Shopify shop: ask Shopify who it is, then keep it with its token."""

from __future__ import annotations

import random
import re
import time

from sqlalchemy import select

from regulars.errors import ConflictError, problem
from regulars.office import Shop, Token, create_shop, save_token
from regulars.runtime.runtime import Runtime
from regulars.shopify import FixedToken, ShopifyClient, open_http, read_shop, shop_domain


def connect_shop(
    runtime: Runtime,
    domain: str,
    token: Token,
    *,
    name: str | None = None,
    author: str | None = None,
) -> Shop:
    """Return the shop of a working token, made where it is new; its data is not loaded yet.

    `name` is the short name of a new shop; without it the first part of the domain. `author` is
    who connects it, where that is known. Raises TokenRejected where Shopify does not take the
    token.
    """
    clean = shop_domain(domain)
    client = _client(runtime, clean, token)
    try:
        info = read_shop(client)
    finally:
        client.http.close()
    now = runtime.clock()
    with runtime.office.session(author) as session:
        shop = session.scalar(select(Shop).where(Shop.domain == clean))
        if shop is None:
            shop = create_shop(
                session,
                name=name or _free_name(clean),
                title=info.title,
                domain=clean,
                time_zone=info.time_zone,
                currency=info.currency,
                kind="shopify",
                now=now,
            )
        elif shop.currency != info.currency:
            template = (
                "The shop now counts in {now}; its stored orders are in {stored}. "
                "Remove it here first, then connect it anew."
            )
            raise ConflictError(
                problem("currency_changed", template, now=info.currency, stored=shop.currency)
            )
        shop.time_zone, shop.title, shop.disconnected_at = info.time_zone, info.title, None
        save_token(session, runtime.sealer, shop, token, now)
    runtime.forget(shop.id)
    return shop


def _client(runtime: Runtime, domain: str, token: Token) -> ShopifyClient:
    base_url = runtime.settings.simulator_url or None
    return ShopifyClient(
        domain,
        FixedToken(token.access_token),
        http=open_http(loopback_allowed=base_url is not None),
        clock=runtime.clock,
        sleep=time.sleep,
        random=random.random,
        base_url=base_url,
    )


def _free_name(domain: str) -> str:
    return re.sub(r"[^a-z0-9-]", "-", domain.removesuffix(".myshopify.com"))[:63]
