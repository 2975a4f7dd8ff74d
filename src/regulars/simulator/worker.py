"""The threads of a served simulator: one runs bulk operations, one sends webhooks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from types import TracebackType

import httpx

from regulars.simulator.simulator import Simulator

#: Shopify connects within one second and waits five in all; redirects count as failures.
CONNECT_SECONDS = 1.0
DELIVERY_SECONDS = 5.0
LOOK_SECONDS = 0.5
#: Deliveries under way. Shopify sends many at once too; eight keep an app busy.
AT_ONCE = 8


class HttpSender:
    """Sends deliveries over HTTP as Shopify does."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        timeout = httpx.Timeout(DELIVERY_SECONDS, connect=CONNECT_SECONDS)
        self.client = httpx.Client(
            timeout=timeout, follow_redirects=False, transport=transport, trust_env=False
        )

    def __call__(self, uri: str, headers: dict[str, str], body: bytes) -> int:
        """Send one delivery and return the status; raise OSError when nothing answered."""
        try:
            return self.client.post(uri, headers=headers, content=body).status_code
        except httpx.HTTPError as problem:
            raise ConnectionError(str(problem)) from problem

    def close(self) -> None:
        """Let go of the connections."""
        self.client.close()


class Loop:
    """Does some work again and again in a thread: when woken, and now and then by itself."""

    def __init__(self, work: Callable[[], object], woken: threading.Event, name: str) -> None:
        self.work, self.woken = work, woken
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, name=name, daemon=True)

    def __enter__(self) -> Loop:
        """Start the thread."""
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the thread and wait for what it is doing."""
        self.stopping.set()
        self.woken.set()
        self.thread.join(timeout=10)

    def run(self) -> None:
        """Work until stopped."""
        while not self.stopping.is_set():
            self.woken.wait(LOOK_SECONDS)
            self.woken.clear()
            self.work()


@contextmanager
def bulk_loop(simulator: Simulator) -> Iterator[None]:
    """Run bulk operations in a thread, so that asking for their state only looks."""
    simulator.bulk.has_worker = True
    try:
        with Loop(simulator.bulk.run_due, simulator.bulk.woken, "simulator-bulk"):
            yield
    finally:
        simulator.bulk.has_worker = False


@contextmanager
def webhook_loop(simulator: Simulator, sender: HttpSender | None = None) -> Iterator[None]:
    """Send webhooks in threads, several at once: tagging a thousand customers tells of each."""
    webhooks = simulator.webhooks
    with closing(sender or HttpSender()) as send, ThreadPoolExecutor(AT_ONCE) as pool:

        def send_due() -> None:
            list(pool.map(lambda delivery: webhooks.attempt(delivery, send), webhooks.due()))

        with Loop(send_due, webhooks.woken, "simulator-webhooks"):
            yield
