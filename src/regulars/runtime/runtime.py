"""Runtime: one home folder's office, warehouses, evaluators, memberships and clients, by shop."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Self

from regulars.clock import Clock
from regulars.office import Office, Shop
from regulars.runtime.news import News
from regulars.sealing import Sealer
from regulars.settings import Settings
from regulars.warehouse import Warehouse, Warehouses
from regulars.warehouse.opening import WarehouseSettings

if TYPE_CHECKING:
    import httpx

    from regulars.engine import Context, SetEvaluator
    from regulars.segments import Memberships
    from regulars.shopify import ShopifyClient


class Runtime:
    """What is open while the app, or one command, runs. One process owns a home folder."""

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        home = settings.home_folder
        self.settings = settings
        self.clock = clock
        self.sealer = Sealer.of_file(home / "secret.key")
        self.office = Office(settings.database_url, clock)
        memory = WarehouseSettings(
            memory_limit=settings.duckdb_memory,
            sheets_bytes=settings.customer_memory_mb * 1024 * 1024,
        )
        self.warehouses = Warehouses(home / "shops", memory)
        self.news = News()
        #: What the command line of this machine proves itself with; new at each start.
        self.local_token = secrets.token_urlsafe(32)
        self._opened: dict[int, Warehouse] = {}
        self._memberships: dict[int, Memberships] = {}
        self._evaluators: dict[int, SetEvaluator] = {}
        self._clients: dict[int, ShopifyClient] = {}
        self._outside: httpx.Client | None = None
        self._closing: list[Callable[[], None]] = []
        self._lock = threading.RLock()

    def warehouse(self, shop: Shop) -> Warehouse:
        """Return the facts of a shop; what was made of a file opened anew is made anew as well."""
        found = self.warehouses.of(shop.id)
        with self._lock:
            if self._opened.setdefault(shop.id, found) is not found:
                self._opened[shop.id] = found
                self._memberships.pop(shop.id, None)
                self._evaluators.pop(shop.id, None)
        return found

    def evaluator(self, shop: Shop) -> SetEvaluator:
        """Return the shop's set evaluator, one for all, so that its cache is shared."""
        from regulars.engine import SetEvaluator

        warehouse = self.warehouse(shop)
        with self._lock:
            if shop.id not in self._evaluators:
                self._evaluators[shop.id] = SetEvaluator(warehouse)
            return self._evaluators[shop.id]

    def memberships(self, shop: Shop) -> Memberships:
        """Return who belongs to which segment of the shop, loaded at the first call."""
        from regulars.segments import Memberships

        warehouse = self.warehouse(shop)
        with self._lock:
            found = self._memberships.get(shop.id)
            if found is None:
                found = Memberships(warehouse, self.evaluator(shop))
                with self.office.reading() as session:
                    found.load(session, shop)
                self._memberships[shop.id] = found
            return found

    def context(self, shop: Shop, as_of: datetime | None = None) -> Context:
        """Return what a query of this shop is evaluated in; None means the shop's present day."""
        memberships = self.memberships(shop)
        if as_of is None:
            return memberships.live_context(shop, self.clock())
        return memberships.context(shop, as_of)

    def shopify(self, shop: Shop) -> ShopifyClient:
        """Return the client of a shop, one for all, so that it knows the shop's points."""
        from regulars.runtime.shopify import open_client

        with self._lock:
            if shop.id not in self._clients:
                self._clients[shop.id] = open_client(
                    self.settings,
                    self.office,
                    self.sealer,
                    shop,
                    clock=self.clock,
                    sleep=time.sleep,
                    random=random.random,
                )
            return self._clients[shop.id]

    @property
    def outside(self) -> httpx.Client:
        """The client for addresses that people chose: it reaches public ones only."""
        from regulars.shopify import open_http

        with self._lock:
            if self._outside is None:
                # Beside a pretend Shopify, receivers may be on this machine as well.
                self._outside = open_http(loopback_allowed=bool(self.settings.simulator_url))
            return self._outside

    @outside.setter
    def outside(self, client: httpx.Client) -> None:
        self._outside = client

    def forget(self, shop_id: int) -> None:
        """Drop what is kept of a shop whose settings or token changed."""
        with self._lock:
            client = self._clients.pop(shop_id, None)
            self._memberships.pop(shop_id, None)
        if client is not None:
            client.http.close()

    def erase(self, shop_id: int) -> None:
        """Drop everything that is open of a shop, and remove its warehouse's files."""
        self.forget(shop_id)
        with self._lock:
            self._evaluators.pop(shop_id, None)
            self._opened.pop(shop_id, None)
        self.warehouses.remove(shop_id)

    def on_close(self, function: Callable[[], None]) -> None:
        """Have a function called when everything is closed, last in first out."""
        self._closing.append(function)

    def close(self) -> None:
        """Close all files."""
        for client in self._clients.values():
            client.http.close()
        if self._outside is not None:
            self._outside.close()
        self.warehouses.close()
        self.office.close()
        while self._closing:
            self._closing.pop()()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
