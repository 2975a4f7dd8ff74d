"""POST /webhooks/shopify: proved, kept, acknowledged; applying is the inbox's work."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response

from regulars.errors import LimitError
from regulars.jobs import Event
from regulars.office import Shop
from regulars.shopify import verify

if TYPE_CHECKING:
    from regulars.jobs import Jobs
    from regulars.runtime import Runtime

router = APIRouter()

# Shopify's largest payloads are about a megabyte.
BODY_BYTES_MAX = 5 * 1024 * 1024
DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
HEADER_CHARACTERS_MAX = 100


@router.post("/webhooks/shopify")
async def receive(request: Request) -> Response:
    """Keep one webhook. 200 means that it is on disk; anything else makes Shopify send it again."""
    runtime: Runtime = request.app.state.runtime
    body = await _body(request)
    if body is None:
        return Response(status_code=413)
    secret = runtime.settings.api_secret.get_secret_value()
    if not verify(body, request.headers.get("x-shopify-hmac-sha256"), [secret]):
        return Response(status_code=401)
    try:
        await run_in_threadpool(_keep, runtime, request.app.state.jobs, request.headers, body)
    except LimitError:
        return Response(status_code=503, headers={"Retry-After": "60"})
    return Response(status_code=200)


async def _body(request: Request) -> bytes | None:
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > BODY_BYTES_MAX:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _keep(runtime: Runtime, jobs: Jobs, headers: Headers, body: bytes) -> None:
    shop_id = _shop_id(runtime, headers.get("x-shopify-shop-domain", ""))
    topic = headers.get("x-shopify-topic", "")[:HEADER_CHARACTERS_MAX]
    if shop_id is None or not topic:
        # Signed by Shopify, but for a shop that is not here (any more): asking again is no use.
        jobs.inbox.count_unknown()
        return
    now = runtime.clock()
    event_id = headers.get("x-shopify-event-id") or headers.get("x-shopify-webhook-id")
    jobs.inbox.put(
        Event(
            shop_id=shop_id,
            topic=topic,
            # Without an id the same body is the same event.
            event_id=(event_id or hashlib.sha256(body).hexdigest())[:HEADER_CHARACTERS_MAX],
            triggered_at=_instant(headers.get("x-shopify-triggered-at", ""), now),
            body=body,
        )
    )


def _shop_id(runtime: Runtime, domain: str) -> int | None:
    if not DOMAIN.fullmatch(domain):
        return None
    with runtime.office.reading() as session:
        return session.scalar(select(Shop.id).where(Shop.domain == domain))


def _instant(text: str, otherwise: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if found.tzinfo else otherwise
