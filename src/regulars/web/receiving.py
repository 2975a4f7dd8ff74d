"""POST /webhooks/shopify: proved, kept, acknowledged; applying is the inbox's work.

Webhooks come by hundreds a second. So they are answered before the routes of pages and API are
asked one after the other, and what arrives together is kept by one commit in one other thread.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import select
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from regulars.jobs import Event
from regulars.office import Shop
from regulars.shopify import verify

if TYPE_CHECKING:
    from regulars.jobs import Jobs
    from regulars.runtime import Runtime

log = logging.getLogger(__name__)

PATH: Final = "/webhooks/shopify"
# Shopify's largest payloads are about a megabyte.
BODY_BYTES_MAX: Final = 5 * 1024 * 1024
DOMAIN: Final = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
HEADER_CHARACTERS_MAX: Final = 100
#: What an answer says beside its status.
TOLD: Final[Mapping[int, Mapping[str, str]]] = {
    405: {"Allow": "POST"},
    503: {"Retry-After": "60"},
}


class Delivery(NamedTuple):
    """One webhook whose signature was right, as it arrived."""

    domain: str
    topic: str
    #: Shopify's name of the event or, without one, the hash of the body: the same is the same.
    event_id: str
    #: Shopify's own words; they may be anything.
    triggered_at: str
    body: bytes


class ReceiveWebhooks:
    """Answer Shopify's webhooks; everything else goes on.

    200 means that the webhook is on disk; anything else makes Shopify send it again.
    """

    def __init__(self, app: ASGIApp, runtime: Runtime, jobs: Jobs) -> None:
        self.app = app
        self._runtime = runtime
        self._arrivals = Arrivals(partial(keep, runtime, jobs))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        status = await self._receive(scope, receive) if scope["method"] == "POST" else 405
        await Response(status_code=status, headers=TOLD.get(status))(scope, receive, send)

    async def _receive(self, scope: Scope, receive: Receive) -> int:
        body = await _body(receive)
        if body is None:
            return 413
        headers = Headers(scope=scope)
        secret = self._runtime.settings.api_secret.get_secret_value()
        if not verify(body, headers.get("x-shopify-hmac-sha256"), [secret]):
            return 401
        return await self._arrivals.keep(_delivery(headers, body))


class Arrivals:
    """Has what arrives while one commit runs kept by the next: one sync for all of it."""

    def __init__(self, keep: Callable[[Sequence[Delivery]], Sequence[int]]) -> None:
        self._keep = keep
        self._arrived: list[tuple[Delivery, asyncio.Future[int]]] = []
        self._keeping: asyncio.Task[None] | None = None

    async def keep(self, delivery: Delivery) -> int:
        """Return the status of the answer, once it is known."""
        status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._arrived.append((delivery, status))
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep_arrived())
        return await status

    async def _keep_arrived(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._arrived:
                together, self._arrived = self._arrived, []
                deliveries = [delivery for delivery, _ in together]
                statuses = await loop.run_in_executor(None, self._keep, deliveries)
                for (_, told), status in zip(together, statuses, strict=True):
                    if not told.done():
                        told.set_result(status)
        finally:
            self._keeping = None


def keep(runtime: Runtime, jobs: Jobs, deliveries: Sequence[Delivery]) -> Sequence[int]:
    """Keep webhooks by one commit; return the status of each answer."""
    try:
        now = runtime.clock()
        shop_ids = _shop_ids(runtime, {one.domain for one in deliveries})
        events = {
            place: _event(shop_ids[one.domain], one, now)
            for place, one in enumerate(deliveries)
            if one.topic and one.domain in shop_ids
        }
        kept = jobs.inbox.put_all(list(events.values()))
    except Exception:
        # The disk is full, the database away: Shopify sends them again, and the log says why.
        log.exception("%s webhooks could not be kept", len(deliveries))
        return [503] * len(deliveries)
    # Signed by Shopify, but for a shop that is not here (any more): asking again is no use.
    jobs.inbox.count_unknown(len(deliveries) - len(events))
    refused = set(list(events)[kept:])
    return [503 if place in refused else 200 for place in range(len(deliveries))]


async def _body(receive: Receive) -> bytes | None:
    """Return the body; None where it is too large, or whoever sent it is gone."""
    pieces, size, is_more = [], 0, True
    while is_more:
        message = await receive()
        piece = message.get("body", b"")
        is_more = message.get("more_body", False)
        size += len(piece)
        if size > BODY_BYTES_MAX or message["type"] != "http.request":
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _delivery(headers: Headers, body: bytes) -> Delivery:
    event_id = headers.get("x-shopify-event-id") or headers.get("x-shopify-webhook-id")
    return Delivery(
        domain=headers.get("x-shopify-shop-domain", ""),
        topic=headers.get("x-shopify-topic", "")[:HEADER_CHARACTERS_MAX],
        event_id=(event_id or hashlib.sha256(body).hexdigest())[:HEADER_CHARACTERS_MAX],
        triggered_at=headers.get("x-shopify-triggered-at", ""),
        body=body,
    )


def _shop_ids(runtime: Runtime, domains: Collection[str]) -> Mapping[str, int]:
    told = [one for one in domains if DOMAIN.fullmatch(one)]
    with runtime.office.reading() as session:
        rows = session.execute(select(Shop.domain, Shop.id).where(Shop.domain.in_(told)))
        return {domain: shop_id for domain, shop_id in rows if domain is not None}


def _event(shop_id: int, delivery: Delivery, now: datetime) -> Event:
    return Event(
        shop_id=shop_id,
        topic=delivery.topic,
        event_id=delivery.event_id,
        triggered_at=_instant(delivery.triggered_at, now),
        body=delivery.body,
    )


def _instant(text: str, otherwise: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if found.tzinfo else otherwise
