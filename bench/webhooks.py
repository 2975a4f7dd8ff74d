"""Webhooks at a rate: signed orders, sent over kept connections when they are due.

The time of an answer counts from when its webhook was due, so that a server that stalls is not
spared the ones that could not be sent meanwhile.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

SECRET = "the bench's secret"
DOMAIN = "bench.myshopify.com"
CONNECTIONS = 48


@dataclass
class Sent:
    """What became of the webhooks of one run."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0

    def share(self, part: float) -> float:
        """Return the milliseconds within which this part of all was answered."""
        return share(self.seconds, part) * 1000


def share(values: Sequence[float], part: float) -> float:
    """Return the value that this part of all stays below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def order(number: int, customers: int, at: datetime) -> dict[str, Any]:
    """Return an order as Shopify tells it; the same for the same number."""
    chance = random.Random(number)
    told = at.isoformat()
    money = {"shop_money": {"amount": f"{chance.randrange(5, 200)}.00", "currency_code": "USD"}}
    lines = [
        {
            "id": number * 10 + place,
            "product_id": chance.randrange(1, 2001),
            "variant_id": number,
            "title": "Tea of the month",
            "vendor": f"v{chance.randrange(40)}",
            "quantity": 1 + chance.randrange(3),
            "price_set": {"shop_money": {"amount": "20.00", "currency_code": "USD"}},
            "discount_allocations": [],
        }
        for place in range(2)
    ]
    return {
        "id": 900_000_000 + number,
        "name": f"#{number}",
        "created_at": told,
        "processed_at": told,
        "updated_at": told,
        "currency": "USD",
        "total_price_set": money,
        "current_total_price_set": money,
        "customer": {"id": 1_000_000 + chance.randrange(customers)},
        "source_name": "web",
        "tags": "",
        "line_items": lines,
        "refunds": [],
        "discount_codes": [],
        # Real payloads are a few kilobytes; what nobody reads still has to be signed and kept.
        "note_attributes": [{"name": "padding", "value": "x" * 2500}],
    }


def request(number: int, customers: int) -> bytes:
    """Return one webhook as bytes on the wire; its body is the same at each delivery."""
    at = datetime.now(UTC)
    body = orjson.dumps(order(number, customers, at))
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    head = {
        "Host": "bench",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Event-Id": f"bench-{number}",
        "X-Shopify-Triggered-At": at.isoformat(),
    }
    told = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"POST /webhooks/shopify HTTP/1.1\r\n{told}\r\n".encode() + body


def send(port: int, numbers: Iterable[int], customers: int, rate: float) -> Sent:
    """Send webhooks, so many a second."""
    return asyncio.run(_send(port, [request(one, customers) for one in numbers], rate))


async def _send(port: int, requests: Sequence[bytes], rate: float) -> Sent:
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    sent = Sent()
    workers = [asyncio.create_task(_connection(port, due, sent)) for _ in range(CONNECTIONS)]
    start = time.perf_counter()
    for place, one in enumerate(requests):
        at = start + place / rate
        wait = at - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        due.put_nowait((at, one))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    return sent


async def _connection(
    port: int, due: asyncio.Queue[tuple[float, bytes] | None], sent: Sent
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (one := await due.get()) is not None:
        at, told = one
        writer.write(told)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            sent.refused += 1
        sent.seconds.append(time.perf_counter() - at)
    writer.close()
