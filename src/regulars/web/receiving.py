"""POST /webhooks/shopify: proved, kept, acknowledged; applying is the inbox's work.

Webhooks come by hundreds a second. So they are answered before anything else is asked, and what
arrives within a moment is proved and kept together, by one commit in another thread: each change of
threads holds up whoever is applying the ones before.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import bindparam, select
from starlette.types import ASGIApp, Receive, Scope, Send

from regulars.jobs import Event
from regulars.office import Shop
from regulars.shopify import verify
from regulars.web.headers import EMPTY

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
TOLD: Final[Mapping[int, Sequence[tuple[bytes, bytes]]]] = {
    405: [(b"allow", b"POST")],
    503: [(b"retry-after", b"60")],
}
# Unnoticed beside the way to Shopify and back. In a burst so many are soon together, and the others
# do not wait for nothing.
TOGETHER_SECONDS: Final = 0.02
ENOUGH: Final = 16


class Arrival(NamedTuple):
    """One request as it arrived, proved by nothing yet; names of headers are in small letters."""

    headers: Mapping[bytes, bytes]
    body: bytes

    def told(self, name: bytes) -> str:
        """Return a header; empty where it is missing."""
        return self.headers.get(name, b"").decode("latin-1")


class ReceiveWebhooks:
    """Answer Shopify's webhooks; everything else goes on.

    200 means that the webhook is on disk; anything else makes Shopify send it again.
    """

    def __init__(self, app: ASGIApp, runtime: Runtime, jobs: Jobs) -> None:
        self.app = app
        self._arrivals = Arrivals(partial(keep, runtime, jobs))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        status = await self._receive(scope, receive) if scope["method"] == "POST" else 405
        headers = [*EMPTY, *TOLD.get(status, ())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _receive(self, scope: Scope, receive: Receive) -> int:
        body = await _body(receive)
        if body is None:
            return 413
        return await self._arrivals.keep(Arrival(dict(scope["headers"]), body))


class Arrivals:
    """Has what arrives within a moment, and while one commit runs, kept by the next commit."""

    def __init__(self, keep: Callable[[Sequence[Arrival]], Sequence[int]]) -> None:
        self._keep = keep
        self._arrived: list[tuple[Arrival, asyncio.Future[int]]] = []
        #: Made with the task that waits for it, as it belongs to that task's loop.
        self._are_enough: asyncio.Event
        self._keeping: asyncio.Task[None] | None = None

    async def keep(self, arrival: Arrival) -> int:
        """Return the status of the answer, once it is known."""
        status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._arrived.append((arrival, status))
        if self._keeping is None:
            self._are_enough = asyncio.Event()
            self._keeping = asyncio.create_task(self._keep_arrived())
        if len(self._arrived) >= ENOUGH:
            self._are_enough.set()
        return await status

    async def _keep_arrived(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._arrived:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._are_enough.wait(), TOGETHER_SECONDS)
                self._are_enough.clear()
                together, self._arrived = self._arrived, []
                arrivals = [arrival for arrival, _ in together]
                statuses = await loop.run_in_executor(None, self._keep, arrivals)
                for (_, told), status in zip(together, statuses, strict=True):
                    if not told.done():
                        told.set_result(status)
        finally:
            self._keeping = None


def keep(runtime: Runtime, jobs: Jobs, arrivals: Sequence[Arrival]) -> Sequence[int]:
    """Keep the webhooks that are Shopify's by one commit; return the status of each answer."""
    secrets = [runtime.settings.api_secret.get_secret_value()]
    proved = {
        place: one
        for place, one in enumerate(arrivals)
        if verify(one.body, one.told(b"x-shopify-hmac-sha256"), secrets)
    }
    try:
        kept = _keep_proved(runtime, jobs, proved)
    except Exception:
        # The disk is full, the database away: Shopify sends them again, and the log says why.
        log.exception("%s webhooks could not be kept", len(proved))
        kept = dict.fromkeys(proved, 503)
    return [kept.get(place, 401) for place in range(len(arrivals))]


def _keep_proved(runtime: Runtime, jobs: Jobs, proved: Mapping[int, Arrival]) -> Mapping[int, int]:
    now = runtime.clock()
    domains = {place: one.told(b"x-shopify-shop-domain") for place, one in proved.items()}
    shop_ids = _shop_ids(runtime, set(domains.values()))
    events = {
        place: _event(shop_ids[domains[place]], one, now)
        for place, one in proved.items()
        if one.told(b"x-shopify-topic") and domains[place] in shop_ids
    }
    kept = jobs.inbox.put_all(list(events.values()))
    # Signed by Shopify, but for a shop that is not here (any more): asking again is no use.
    jobs.inbox.count_unknown(len(proved) - len(events))
    refused = set(list(events)[kept:])
    return {place: 503 if place in refused else 200 for place in proved}


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


# Built once: building it anew takes longer than the database needs for it.
_SHOPS: Final = select(Shop.domain, Shop.id).where(
    Shop.domain.in_(bindparam("domains", expanding=True))
)


def _shop_ids(runtime: Runtime, domains: Collection[str]) -> Mapping[str, int]:
    told = [one for one in domains if DOMAIN.fullmatch(one)]
    with runtime.office.reading() as session:
        rows = session.execute(_SHOPS, {"domains": told})
        return {domain: shop_id for domain, shop_id in rows if domain is not None}


def _event(shop_id: int, arrival: Arrival, now: datetime) -> Event:
    # Shopify's name of the event or, without one, the hash of the body: the same is the same.
    event_id = arrival.told(b"x-shopify-event-id") or arrival.told(b"x-shopify-webhook-id")
    return Event(
        shop_id=shop_id,
        topic=arrival.told(b"x-shopify-topic")[:HEADER_CHARACTERS_MAX],
        event_id=(event_id or hashlib.sha256(arrival.body).hexdigest())[:HEADER_CHARACTERS_MAX],
        triggered_at=_instant(arrival.told(b"x-shopify-triggered-at"), now),
        body=arrival.body,
    )


def _instant(text: str, otherwise: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if found.tzinfo else otherwise
