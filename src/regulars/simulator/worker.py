"""The threads that do what is due in a served simulator: bulk operations, and webhooks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType

import httpx

from regulars.simulator.simulator import Simulator

#: Shopify connects within one second and waits five in all; redirects count as failures.
CONNECT_SECONDS = 1.0
DELIVERY_SECONDS = 5.0
LOOK_SECONDS = 0.5

log = logging.getLogger(__name__)


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


class Worker:
    """Runs bulk operations and sends webhooks, each in a thread, whenever there may be some."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.stopping = threading.Event()
        # A long bulk operation must not hold webhooks back.
        self.threads = [
            threading.Thread(target=self.run, args=(work, woken), name=name, daemon=True)
            for name, work, woken in (
                ("simulator-bulk", simulator.bulk.run_due, simulator.bulk.woken),
                ("simulator-webhooks", simulator.webhooks.send_due, simulator.webhooks.woken),
            )
        ]

    def __enter__(self) -> Worker:
        """Start the threads."""
        self.simulator.bulk.has_worker = True
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the threads and wait for what they are doing."""
        self.stopping.set()
        self.simulator.bulk.woken.set()
        self.simulator.webhooks.woken.set()
        for thread in self.threads:
            thread.join(timeout=10)
        self.simulator.bulk.has_worker = False

    def run(self, work: Callable[[], object], woken: threading.Event) -> None:
        """Work until stopped; a fault of ours is logged and does not end the thread."""
        while not self.stopping.is_set():
            woken.wait(LOOK_SECONDS)
            woken.clear()
            try:
                work()
            except Exception:
                log.exception("The simulator's work failed")
