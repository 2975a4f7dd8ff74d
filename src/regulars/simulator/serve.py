"""Serves the pretend Shopify on a port: for `regulars simulate`, `regulars demo` and tests."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from regulars.simulator.app import create_simulator
from regulars.simulator.generator import generate
from regulars.simulator.shop import MovableClock
from regulars.simulator.simulator import Simulator
from regulars.simulator.webhooks import TOPICS, Subscription, enum_of
from regulars.simulator.worker import webhook_loop


@dataclass(frozen=True, slots=True)
class PretendShop:
    """What the pretend Shopify is made of."""

    customers: int = 10_000
    seed: int = 7
    currency: str = "JPY"
    zone: str = "Asia/Tokyo"
    #: Points per second that the API gives: 100, 200 or 1000.
    rate: float = 100.0
    #: Where every webhook is sent from the start; None: only where an app subscribes.
    webhook: str | None = None


@dataclass(frozen=True)
class Pretend:
    """A running pretend Shopify."""

    simulator: Simulator
    url: str


def open_app(made_of: PretendShop) -> Starlette:
    """Generate the shop, whose clock runs with this machine's, and return the app that serves it.

    The simulator is in the app's state.
    """
    shop = generate(
        made_of.seed,
        made_of.customers,
        zone=made_of.zone,
        currency=made_of.currency,
        clock=MovableClock(),
    )
    app = create_simulator(shop, rate=made_of.rate, seed=made_of.seed, allow_local_webhooks=True)
    if made_of.webhook is not None:
        subscribe_all(app.state.simulator, made_of.webhook)
    # The shop stays: the collector need not look at its millions of objects again.
    gc.collect()
    gc.freeze()
    return app


def subscribe_all(simulator: Simulator, uri: str) -> None:
    """Send every topic to one address, compliance topics too."""
    now = simulator.shop.now()
    simulator.webhooks.compliance_uri = uri
    for topic in TOPICS:
        number = simulator.shop.new_id()
        simulator.webhooks.subscriptions[number] = Subscription(
            number, enum_of(topic), uri, "2026-10", now, now
        )


@contextmanager
def served(app: Starlette, bound: socket.socket) -> Iterator[Pretend]:
    """Answer on a bound port, and deliver webhooks, while the block runs."""
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    server = uvicorn.Server(config)
    simulator: Simulator = app.state.simulator
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    with webhook_loop(simulator):
        thread.start()
        try:
            yield Pretend(simulator, f"http://127.0.0.1:{bound.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join()
            simulator.close()
