"""Starts the pretend Shopify as a server of its own: what `regulars simulate` does."""

from __future__ import annotations

import argparse
import gc
import logging
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from regulars.errors import ConflictError, InputError, problem
from regulars.simulator.app import create_simulator
from regulars.simulator.generator import generate
from regulars.simulator.shop import MovableClock
from regulars.simulator.simulator import DEMO_TOKEN, Simulator
from regulars.simulator.webhooks import TOPICS, Subscription, enum_of
from regulars.simulator.worker import HttpSender, webhook_loop

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How to start the pretend Shopify."""

    customers: int = 10_000
    host: str = "127.0.0.1"
    port: int = 4700
    seed: int = 1
    currency: str = "JPY"
    zone: str = "Asia/Tokyo"
    #: Points per second that the API gives: 100, 200 or 1000.
    rate: float = 100.0
    #: Where every webhook is sent from the start; None: only where an app subscribes.
    webhook: str | None = None
    access_token: str = DEMO_TOKEN
    client_id: str = "regulars-client-id"
    client_secret: str = "regulars-client-secret"  # noqa: S105 - of a pretend app
    domain: str = "regulars-demo.myshopify.com"


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a bound socket; a taken port is told before anything else is done."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as reason:
        made.close()
        raise ConflictError(
            problem(
                "port_taken",
                "Port {port} on {host} cannot be used: {reason}. Choose another port.",
                port=port,
                host=host,
                reason=reason.strerror or str(reason),
                field="port",
            )
        ) from None
    return made


def open_app(options: ServeOptions) -> Starlette:
    """Generate the shop and return the app that serves it; the simulator is in its state."""
    shop = generate(
        options.seed,
        options.customers,
        zone=options.zone,
        currency=options.currency,
        clock=MovableClock(),
    )
    shop.domain = options.domain
    app = create_simulator(
        shop,
        rate=options.rate,
        seed=options.seed,
        access_token=options.access_token,
        client_id=options.client_id,
        client_secret=options.client_secret,
        allow_local_webhooks=True,
        bulk_seconds=1.0,
    )
    simulator: Simulator = app.state.simulator
    if options.webhook is not None:
        subscribe_all(simulator, options.webhook)
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


def serve(options: ServeOptions) -> None:
    """Serve the pretend Shopify until stopped; raises ConflictError when the port is taken."""
    bound = listening_socket(options.host, options.port)
    app = open_app(options)
    simulator: Simulator = app.state.simulator
    sender = HttpSender()
    simulator.webhooks.send = sender
    port = bound.getsockname()[1]
    log.warning("The pretend Shopify is at http://%s:%d/", options.host, port)
    config = uvicorn.Config(app, log_level="warning", server_header=False)
    try:
        with webhook_loop(simulator):
            uvicorn.Server(config).run(sockets=[bound])
    finally:
        sender.close()
        simulator.close()


def read_options(words: Sequence[str]) -> ServeOptions:
    """Read the command line of `python -m regulars.simulator`."""
    known = ServeOptions()
    parser = argparse.ArgumentParser(
        prog="python -m regulars.simulator",
        description="Serve a pretend Shopify with a made-up shop.",
    )
    parser.add_argument("--customers", type=int, default=known.customers)
    parser.add_argument("--host", default=known.host)
    parser.add_argument("--port", type=int, default=known.port, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=known.seed)
    parser.add_argument("--currency", default=known.currency)
    parser.add_argument("--zone", default=known.zone)
    parser.add_argument("--rate", type=float, default=known.rate, help="points per second")
    parser.add_argument("--webhook", help="send every topic to this address from the start")
    parser.add_argument("--access-token", default=known.access_token)
    parser.add_argument("--client-id", default=known.client_id)
    parser.add_argument("--client-secret", default=known.client_secret)
    parser.add_argument("--domain", default=known.domain)
    return ServeOptions(**vars(parser.parse_args(words)))


def main(words: Sequence[str] | None = None) -> int:
    """Serve by the command line; 2 when it cannot be used."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        serve(read_options(sys.argv[1:] if words is None else words))
    except InputError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    return 0
