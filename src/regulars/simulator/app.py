"""The pretend Shopify as an ASGI app: the Admin API, file addresses and the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from regulars.clock import Clock
from regulars.simulator.admin import admin_routes
from regulars.simulator.pages import page_routes
from regulars.simulator.shop import Shop
from regulars.simulator.simulator import Answer, Request, Simulator
from regulars.simulator.worker import bulk_loop


class Lost(Response):
    """An answer that breaks off: the client sees the connection end too early."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise a body and never send it."""
        del scope, receive
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": True})


def response(answer: Answer) -> Response:
    """Turn an answer into a response."""
    if answer.lost:
        return Lost()
    if answer.file is not None:
        return FileResponse(answer.file, headers=answer.headers, media_type="application/jsonl")
    return Response(answer.body, answer.status, answer.headers)


async def admin_api(request: WebRequest) -> Response:
    """Answer one request of a client."""
    simulator: Simulator = request.app.state.simulator
    told = Request(
        method=request.method,
        host=request.url.hostname or "",
        path=request.url.path,
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.body(),
        origin=str(request.base_url).rstrip("/"),
    )
    answer = await run_in_threadpool(simulator.answer, told)
    if answer.delay_seconds:
        await anyio.sleep(answer.delay_seconds)
    return response(answer)


async def health(request: WebRequest) -> JSONResponse:
    """Tell that the shop is ready, and how much is in it."""
    shop: Shop = request.app.state.simulator.shop
    counts = {"customers": len(shop.customers), "orders": len(shop.orders)}
    return JSONResponse({"status": "ready", "shop": shop.domain, **counts})


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Run bulk operations beside the requests while the app is served."""
    with bulk_loop(app.state.simulator):
        yield


def create_simulator(shop_state: Shop, *, clock: Clock | None = None, **settings: Any) -> Starlette:
    """Make the app that serves a shop; `settings` are those of Simulator.

    The simulator itself is at `app.state.simulator`. A `clock` replaces the shop's own.
    """
    if clock is not None:
        shop_state.clock = clock
    app = Starlette(
        routes=[
            Route("/health", health),
            Route("/admin/{rest:path}", admin_api, methods=["GET", "POST"]),
            Route("/bulk/{rest:path}", admin_api, methods=["GET"]),
            Route("/staged-uploads/{rest:path}", admin_api, methods=["POST", "PUT"]),
            *admin_routes(),
            *page_routes(),
        ],
        lifespan=lifespan,
    )
    app.state.simulator = Simulator(shop_state, **settings)
    return app
