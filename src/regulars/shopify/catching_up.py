"""Catch-up: what changed in the shop since an instant, also where no webhook told of it.

Yields facts; newest wins when they are applied, so reading a little too much does no harm. Nothing
here sees deletions: Shopify leaves no trace of them, so they come by webhook or by comparing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from regulars.errors import Refused
from regulars.shopify.answers import TooExpensive
from regulars.shopify.client import ShopifyClient
from regulars.shopify.reading import Json, customer_fact, instant, nodes, order_fact, product_fact
from regulars.shopify.shop import ShopLike, check_currency, read_shop
from regulars.warehouse.facts import CustomerFact, Fact, OrderFact

log = logging.getLogger(__name__)

# Clocks differ, and a change is seen a little after it was made.
OVERLAP = timedelta(minutes=5)
# The search for customers compares whole days, in a zone that is nowhere told.
WHOLE_DAY = timedelta(days=1)

# Page sizes whose price stays far below the 1,000 points of one request.
PAGE = 250
PAGE_OF_ORDERS = 100
PAGE_MIN = 10
# Asked by id, each object is paid for in full.
IDS_MAX = 25

# Shopify pages through 25,000 objects of one question; we start a new one well before.
OBJECTS_MAX = 20_000


class TooMuchChanged(Refused):
    """More has changed than Shopify lets us page through; a backfill reads it all."""


def catch_up(
    client: ShopifyClient, shop: ShopLike, since: datetime, at: datetime
) -> Iterator[Fact]:
    """Yield facts of everything that changed since; `at` is now, and the next time's `since`.

    When all facts are applied, nothing changed before `at` is missing but deletions. Kinds that the
    app may not read are left out. Raises ConflictError when the shop's currency has changed, and
    TooMuchChanged when a backfill is the better way.
    """
    info = read_shop(client)
    check_currency(info, shop)
    # A clock that was set back must not hide what happened in between.
    start = min(since, at) - OVERLAP
    if info.can_read("customers"):
        yield from _customers(client, shop.currency, start)
    if info.can_read("products"):
        yield from (product_fact(node) for node in _changed(client, "products", PAGE, start))
    if info.can_read("orders"):
        for node in _changed(client, "orders", PAGE_OF_ORDERS, start):
            yield _whole_order(client, node, shop.currency)


def read_again(
    client: ShopifyClient, shop: ShopLike, objects: Iterable[tuple[str, str]]
) -> list[Fact]:
    """Return the facts of some objects as they are now, given by kind and global id.

    Kinds are "Customer" and "Order". Objects that no longer exist give nothing.
    """
    wanted: dict[str, list[str]] = {"Customer": [], "Order": []}
    for kind, gid in objects:
        wanted[kind].append(gid)
    facts: list[Fact] = [
        customer_fact(node, shop.currency)
        for node in _by_ids(client, "customers_by_ids", wanted["Customer"])
    ]
    facts += [
        _whole_order(client, node, shop.currency)
        for node in _by_ids(client, "orders_by_ids", wanted["Order"])
    ]
    return facts


def _customers(client: ShopifyClient, currency: str, start: datetime) -> Iterator[CustomerFact]:
    search = _since(start - WHOLE_DAY)
    found = _paged(client, "customers_since", "customers", PAGE, search)
    for count, node in enumerate(found, 1):
        if instant(node["updatedAt"]) < start:
            # Newest first: all that follows is older.
            return
        if count > OBJECTS_MAX:
            raise TooMuchChanged(
                f"More than {OBJECTS_MAX} customers have changed. The shop has to be loaded anew."
            )
        yield customer_fact(node, currency)


def _changed(client: ShopifyClient, root: str, page: int, start: datetime) -> Iterator[Json]:
    """Yield the objects changed since, oldest change first, in as many questions as it takes."""
    while True:
        count, last = 0, start
        for node in _paged(client, f"{root}_since", root, page, _since(start)):
            yield node
            count, last = count + 1, instant(node["updatedAt"])
            if count >= OBJECTS_MAX and last > start:
                break
        else:
            return
        start = last


def _paged(client: ShopifyClient, name: str, root: str, first: int, search: str) -> Iterator[Json]:
    after: str | None = None
    while True:
        try:
            page = client.run(name, {"first": first, "after": after, "query": search})[root]
        except TooExpensive:
            if first <= PAGE_MIN:
                raise
            first = max(PAGE_MIN, first // 2)
            log.warning(
                "%s: pages of %s are cut to %d, they cost too much.", client.domain, name, first
            )
            continue
        yield from nodes(page)
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _whole_order(client: ShopifyClient, node: Json, currency: str) -> OrderFact:
    """Return an order with all its lines, reading on where the first page cut them."""
    found = nodes(node["lineItems"])
    page = node["lineItems"]["pageInfo"]
    while page["hasNextPage"]:
        answer = client.run("order_lines", {"id": node["id"], "after": page["endCursor"]})["order"]
        if answer is None:
            # Deleted in between; its webhook or the comparison takes it out.
            break
        found += nodes(answer["lineItems"])
        page = answer["lineItems"]["pageInfo"]
    return order_fact(node, currency, found)


def _by_ids(client: ShopifyClient, name: str, gids: Sequence[str]) -> Iterator[Json]:
    start, size = 0, IDS_MAX
    while start < len(gids):
        try:
            answer = client.run(name, {"ids": list(gids[start : start + size])})
        except TooExpensive:
            if size == 1:
                raise
            size = max(1, size // 2)
            continue
        # A gone object is null, and one of another type has no fields.
        yield from (node for node in answer["nodes"] if node)
        start += size


def _since(instant_: datetime) -> str:
    """Return the search for what changed since. Unquoted, its colons would cut it in two."""
    return f"updated_at:>='{instant_:%Y-%m-%dT%H:%M:%SZ}'"
