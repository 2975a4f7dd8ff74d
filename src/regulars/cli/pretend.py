"""The pretend Shopify on a port of this machine, for `simulate` and `demo`."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send

    from regulars.simulator.simulator import Simulator

# How long a delivery may take: as long as Shopify waits for an answer.
DELIVERY_SECONDS = 5.0
# A lost wake-up of the delivery thread costs this much.
IDLE_SECONDS = 0.5
SEED = 7


@dataclass(frozen=True)
class Pretend:
    """A running pretend Shopify."""

    simulator: Simulator
    url: str


def make(customers: int) -> Starlette:
    """Make a shop with so many customers, whose clock runs with this machine's."""
    from regulars.simulator.app import create_simulator
    from regulars.simulator.generator import generate
    from regulars.simulator.shop import MovableClock

    clock = MovableClock()
    shop = generate(SEED, customers, clock(), clock=clock)
    return create_simulator(shop, allow_local_webhooks=True)


@contextmanager
def served(
    app: Starlette, bound: socket.socket, *, health: Callable[[], Mapping[str, str]] | None = None
) -> Iterator[Pretend]:
    """Answer on a bound port, and deliver webhooks, while the block runs.

    `health` replaces what /health tells: 200 only while its state is "ready".
    """
    import uvicorn

    config = uvicorn.Config(
        Gate(app, health) if health else app, log_level="warning", access_log=False
    )
    server = uvicorn.Server(config)
    stopping = threading.Event()
    simulator: Simulator = app.state.simulator
    threads = [
        threading.Thread(target=server.run, args=([bound],), daemon=True),
        threading.Thread(target=_deliver, args=(simulator, stopping.is_set), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield Pretend(simulator, f"http://127.0.0.1:{bound.getsockname()[1]}")
    finally:
        server.should_exit = True
        stopping.set()
        simulator.webhooks.woken.set()
        for thread in threads:
            thread.join()


class Gate:
    """Answers /health for the app in front of it."""

    def __init__(self, app: ASGIApp, health: Callable[[], Mapping[str, str]]) -> None:
        self._app = app
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        from starlette.responses import JSONResponse

        if scope["type"] == "http" and scope["path"] == "/health":
            told = dict(self._health())
            status = 200 if told["state"] == "ready" else 503
            await JSONResponse(told, status)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _deliver(simulator: Simulator, is_stopping: Callable[[], bool]) -> None:
    import httpx

    with httpx.Client(timeout=DELIVERY_SECONDS, trust_env=False) as client:

        def send(uri: str, headers: dict[str, str], body: bytes) -> int:
            try:
                return client.post(uri, headers=headers, content=body).status_code
            except httpx.HTTPError as error:
                raise OSError(str(error)) from error

        while not is_stopping():
            simulator.webhooks.woken.wait(IDLE_SECONDS)
            simulator.webhooks.woken.clear()
            simulator.webhooks.send_due(send)
