"""A scripted Shopify: answers given beforehand, requests kept; and time that moves by waiting."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from regulars.clock import SettableClock
from regulars.shopify.client import ShopifyClient
from regulars.shopify.tokens import FixedToken, TokenSource

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
DOMAIN = "ana-shop.myshopify.com"

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Time(SettableClock):
    """A clock that waiting moves, and nothing else."""

    def __init__(self, instant: datetime = START) -> None:
        super().__init__(instant)
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.instant += timedelta(seconds=seconds)


class Script(httpx.BaseTransport):
    """A transport that gives the listed answers in turn, and the last one for ever."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)

    def sent(self, index: int = -1) -> Any:
        """The JSON of one request."""
        return json.loads(self.requests[index].content)


def told(
    data: Any = None,
    *,
    errors: list[dict[str, Any]] | None = None,
    requested: float | None = 10,
    available: float = 1990,
    maximum: float = 2000,
    rate: float = 100,
    **extensions: Any,
) -> httpx.Response:
    """An answer of the GraphQL API with HTTP 200."""
    body: dict[str, Any] = {}
    if errors is not None:
        body["errors"] = errors
    if data is not None:
        body["data"] = data
    if requested is not None:
        extensions["cost"] = {
            "requestedQueryCost": requested,
            "actualQueryCost": None if data is None else requested,
            "throttleStatus": {
                "maximumAvailable": float(maximum),
                "currentlyAvailable": available,
                "restoreRate": float(rate),
            },
        }
    if extensions:
        body["extensions"] = extensions
    return httpx.Response(200, json=body)


def client_of(
    script: httpx.BaseTransport,
    time: Time | None = None,
    token_source: TokenSource | None = None,
    **options: Any,
) -> ShopifyClient:
    """A client over a script; random numbers are all one, so that waits are at their longest."""
    time = time or Time()
    return ShopifyClient(
        DOMAIN,
        token_source or FixedToken("shpat_secret"),
        http=httpx.Client(transport=script),
        clock=time,
        sleep=time.sleep,
        random=lambda: 1.0,
        **options,
    )
