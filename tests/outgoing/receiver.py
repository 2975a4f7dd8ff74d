"""A program that is told things: keeps what it got, and answers as it was told to."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import httpx
import orjson


class Receiver(httpx.BaseTransport):
    """Answers deliveries with these statuses in turn, the last one for ever."""

    def __init__(self, statuses: Sequence[int] = (200,)) -> None:
        self.statuses = list(statuses)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == 0:
            raise httpx.ConnectError("nobody there", request=request)
        return httpx.Response(status)

    @property
    def bodies(self) -> list[dict]:
        return [orjson.loads(one.content) for one in self.requests]

    def events(self) -> list[tuple[str, list[str]]]:
        return [(one["event"], one["data"].get("customer_ids", [])) for one in self.bodies]


def is_signed(request: httpx.Request, secret: str) -> bool:
    """Prove a delivery as docs/webhooks.md tells receivers to."""
    parts = dict(one.split("=", 1) for one in request.headers["regulars-signature"].split(","))
    text = f"{parts['t']}.".encode() + request.content
    digest = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return hmac.compare_digest(digest, parts["v1"])
