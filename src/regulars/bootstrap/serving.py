"""Serving: the app on a port, with its workers, until it is told to stop."""

from __future__ import annotations

import gc
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from sqlalchemy import select

from regulars.bootstrap.home import announced
from regulars.errors import InputError, problem
from regulars.jobs import Jobs
from regulars.office import Shop, Token
from regulars.office.models.jobs import Job
from regulars.runtime import Runtime, connect_shop
from regulars.web import create_app
from regulars.web.sessions import create_sign_in_link, ensure_owner

# Collections of the middle generation between two of everything; Python's own count is 10.
FULL_COLLECTION_EVERY = 1000
# How long a thread that computes keeps others from computing. By Python's own 5 ms an answer that
# changes hands six times waits 30 ms beside a batch of webhooks that is being applied.
SWITCH_SECONDS = 0.0005


class _Server(uvicorn.Server):
    """A server that tells open streams to end when it is told to stop."""

    def __init__(self, config: uvicorn.Config, runtime: Runtime) -> None:
        super().__init__(config)
        self._runtime = runtime

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams first: the server waits for what is being answered."""
        self._runtime.news.publish(0, "stopping")
        await super().shutdown(sockets)


@dataclass(frozen=True)
class Serving:
    """A bound port and the app behind it, not yet answering."""

    runtime: Runtime
    jobs: Jobs
    url: str
    _server: uvicorn.Server
    _socket: socket.socket

    def connect(self, domain: str, access_token: str) -> str:
        """Connect a shop by the token of a custom app, and start loading it; return its name."""
        shop = connect_shop(self.runtime, domain, Token(access_token))
        with self.runtime.office.session() as session:
            self.jobs.backfill_later(session, shop)
        return shop.name

    def loading(self, shop: str) -> Mapping[str, object]:
        """Tell how far the loading of a shop is: state, progress and note of its job."""
        with self.runtime.office.reading() as session:
            job = session.scalars(
                select(Job)
                .join(Shop, Shop.id == Job.shop_id)
                .where(Shop.name == shop, Job.kind == "backfill")
                .order_by(Job.id.desc())
            ).first()
        if job is None:
            return {"state": "succeeded", "progress": 1.0, "note": "", "problem": None}
        return {key: getattr(job, key) for key in ("state", "progress", "note", "problem")}

    def run(self) -> None:
        """Answer requests until the process is told to stop."""
        self._server.run(sockets=[self._socket])

    @contextmanager
    def in_background(self) -> Iterator[None]:
        """Answer requests in a thread while the block runs."""
        thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.should_exit = True
            thread.join()


@contextmanager
def serving(runtime: Runtime, *, host: str, port: int) -> Iterator[Serving]:
    """Bind the port, start the workers and tell commands where; InputError where it is taken."""
    bound = bind(host, port)
    url = f"http://{host}:{bound.getsockname()[1]}"
    jobs = Jobs(runtime)
    config = uvicorn.Config(
        create_app(runtime, jobs),
        # What it has to say goes where our own notes go.
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    try:
        with announced(runtime, url):
            jobs.start()
            settle_memory()
            sys.setswitchinterval(SWITCH_SECONDS)
            try:
                yield Serving(runtime, jobs, url, _Server(config, runtime), bound)
            finally:
                jobs.stop()
    finally:
        bound.close()


def settle_memory() -> None:
    """Take what is loaded by now out of the collector's sight, and let it look through all seldom.

    A full collection over everything that stays anyway stops a webhook's answer for tens of
    milliseconds; it was the whole of the slowest hundredth.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, FULL_COLLECTION_EVERY)


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes any free one."""
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        template = "Port {port} on {host} cannot be used: {reason}. Name another with --port."
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            problem("port_taken", template, port=port, host=host, reason=reason)
        ) from None
    found.listen(2048)
    return found


def free_port(host: str, wished: int) -> int:
    """Return the wished port where it is free, else any free one."""
    try:
        found = bind(host, wished)
    except InputError:
        found = bind(host, 0)
    with found:
        return int(found.getsockname()[1])


def sign_in_link(runtime: Runtime, url: str) -> str:
    """Return an address that signs the owner in once."""
    with runtime.office.session() as session:
        now = runtime.clock()
        token = create_sign_in_link(session, ensure_owner(session, now), now)
    return f"{url}/sign-in/{token}"
