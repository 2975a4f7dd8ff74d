"""The pretend Shopify on a port of this machine, for `simulate` and `demo`."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from regulars.simulator.simulator import Simulator

# Shopify sends many at once as well; eight keep the app busy without drowning the screen.
DELIVERIES_AT_ONCE = 8
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
def served(app: Starlette, bound: socket.socket) -> Iterator[Pretend]:
    """Answer on a bound port, and deliver webhooks, while the block runs."""
    import uvicorn

    from regulars.simulator.worker import bulk_loop

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    simulator: Simulator = app.state.simulator
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    with bulk_loop(simulator), Deliveries(simulator):
        thread.start()
        try:
            yield Pretend(simulator, f"http://127.0.0.1:{bound.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join()


class Deliveries:
    """Sends webhooks, several at once: tagging a thousand customers tells of each of them."""

    def __init__(self, simulator: Simulator) -> None:
        from concurrent.futures import ThreadPoolExecutor

        from regulars.simulator.worker import HttpSender, Loop

        self._webhooks = simulator.webhooks
        self._send = HttpSender()
        self._pool = ThreadPoolExecutor(DELIVERIES_AT_ONCE, "pretend-webhooks")
        self._loop = Loop(self._send_due, simulator.webhooks.woken, "pretend-webhooks")

    def __enter__(self) -> Self:
        self._loop.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.__exit__(kind, error, trace)
        self._pool.shutdown(cancel_futures=True)
        self._send.close()

    def _send_due(self) -> None:
        due = self._webhooks.due()
        list(self._pool.map(lambda delivery: self._webhooks.attempt(delivery, self._send), due))
