"""Backfill and comparison: the whole shop by bulk operations into the warehouse.

Both can be broken off and started again at any point. Memberships are not touched here: who calls
has the segments evaluated afterwards, and applies the facts that a comparison gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

import orjson
from pyroaring import BitMap64

from regulars.shopify import bulk
from regulars.shopify.client import ShopifyClient
from regulars.shopify.reading import id_of
from regulars.shopify.shop import ShopInfo, ShopLike, check_currency, read_shop
from regulars.warehouse import Warehouse
from regulars.warehouse.facts import OrderDeleted
from regulars.warehouse.loading import Loaded, LoadKind

# What an app without read_all_orders is given; Shopify raises no error for the rest.
ORDERS_WINDOW = timedelta(days=60)
# An order near the window's edge may be in it by one clock and out of it by the other.
WINDOW_MARGIN = timedelta(days=1)

# Millions of ids are compared; this many are held as texts at a time.
ROWS_AT_ONCE = 100_000

Phase = Literal["collecting", "fetching", "loading", "loaded"]
#: Customers first: they are numbered in the shop's order.
KINDS: Final[tuple[LoadKind, ...]] = ("customers", "orders", "products")


@dataclass(frozen=True, slots=True)
class Step:
    """How far a backfill is: Shopify collects, we fetch its file, the warehouse loads it."""

    kind: LoadKind
    phase: Phase
    #: Objects while collecting, bytes while fetching, rows when loaded.
    count: int = 0
    #: From 0 to 1 where the end is known.
    share: float | None = None


Progress = Callable[[Step], None]
#: Told of a kind how many of how many the shop no longer has; raises to keep them.
Allow = Callable[[LoadKind, int, int], None]


def allow_all(_kind: LoadKind, _gone: int, _stored: int) -> None:
    """Let any number of customers and orders go."""


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What a backfill or a comparison brought."""

    info: ShopInfo
    #: Catch up from here: what changed while the files were made is in none of them.
    since: datetime
    #: What was loaded, by kind. A kind that the app may not read is absent.
    loaded: dict[LoadKind, Loaded]
    #: Orders before this instant were not given to us; None: all were.
    orders_complete_from: datetime | None
    #: Only by a comparison: orders that the shop no longer has, to be applied by the caller.
    deleted: tuple[OrderDeleted, ...] = ()

    @property
    def unreadable(self) -> tuple[LoadKind, ...]:
        """The kinds whose access scope the app lacks."""
        return tuple(kind for kind in KINDS if kind not in self.loaded)


def backfill(
    client: ShopifyClient,
    warehouse: Warehouse,
    shop: ShopLike,
    progress: Progress,
    at: datetime,
    *,
    pause: Callable[[float], object] | None = None,
) -> Backfilled:
    """Load all customers, orders and products that Shopify gives us.

    `pause` waits between two looks at a bulk operation; a webhook may cut it short. Raises
    ScopeMissing without read_customers, ConflictError when the shop's currency has changed.
    """
    with _folder(warehouse) as folder:
        return _Round(client, warehouse, shop, progress, at, pause, folder).load()


def compare(
    client: ShopifyClient,
    warehouse: Warehouse,
    shop: ShopLike,
    progress: Progress,
    at: datetime,
    *,
    allow: Allow = allow_all,
    pause: Callable[[float], object] | None = None,
) -> Backfilled:
    """Load the whole shop again over what is stored, and find what it no longer has.

    `allow` is asked before customers or orders are taken as deleted: it raises where that would be
    more than can be believed, and nothing is deleted then. Customers whom the shop does not list
    are marked as deleted; orders come back as facts in `deleted`. What was told newer than the
    files stays.
    """
    with _folder(warehouse) as folder:
        one = _Round(client, warehouse, shop, progress, at, pause, folder, allow)
        return one.load(is_again=True)


@contextmanager
def _folder(warehouse: Warehouse) -> Iterator[Path]:
    """Give a folder for the files beside the warehouse's own, where the room for them is."""
    with TemporaryDirectory(prefix="bulk-", dir=warehouse.path.parent) as name:
        yield Path(name)


@dataclass(slots=True)
class _Round:
    """One run over the shop."""

    client: ShopifyClient
    warehouse: Warehouse
    shop: ShopLike
    progress: Progress
    at: datetime
    pause: Callable[[float], object] | None
    folder: Path
    allow: Allow = allow_all

    def load(self, *, is_again: bool = False) -> Backfilled:
        info = read_shop(self.client)
        check_currency(info, self.shop)
        info.demand("customers")
        kinds = [kind for kind in KINDS if info.can_read(kind)]
        # All are started before the first is waited for: Shopify works on five at once.
        started = {kind: bulk.start_query(self.client, _document(kind, info)) for kind in kinds}
        complete_from = None if info.reads_all_orders else self.at - ORDERS_WINDOW
        loaded: dict[LoadKind, Loaded] = {}
        deleted: tuple[OrderDeleted, ...] = ()
        since = self.at
        for kind, operation_id in started.items():
            over = self._wait(kind, operation_id)
            since = min(since, over.created_at)
            path = self._fetch(kind, over)
            loaded[kind] = self._load(kind, path, over, is_again=is_again)
            if is_again and kind == "orders":
                deleted = self._deleted_orders(path, over, complete_from)
            path.unlink()
        self.warehouse.set_meta(
            "complete_from", complete_from.isoformat() if complete_from else None
        )
        return Backfilled(info, since, loaded, complete_from, deleted)

    def _wait(self, kind: LoadKind, operation_id: str) -> bulk.BulkState:
        return bulk.wait(
            self.client,
            operation_id,
            lambda count: self.progress(Step(kind, "collecting", count)),
            self.pause,
        )

    def _fetch(self, kind: LoadKind, over: bulk.BulkState) -> Path:
        path = self.folder / f"{kind}.jsonl"
        size = over.file_bytes

        def tell(count: int) -> None:
            self.progress(Step(kind, "fetching", count, count / size if size else None))

        if bulk.fetch(self.client, over, path, tell) is None:
            # A shop without a single one is told as no file at all.
            path.touch()
        return path

    def _load(self, kind: LoadKind, path: Path, over: bulk.BulkState, *, is_again: bool) -> Loaded:
        loaded = self.warehouse.load_jsonl(
            kind,
            path,
            self.shop.currency,
            as_of=over.created_at,
            delete_missing=is_again and kind == "customers",
            compares=is_again,
            allow=lambda gone, stored: self.allow(kind, gone, stored),
            progress=lambda share: self.progress(Step(kind, "loading", share=share)),
        )
        self.progress(Step(kind, "loaded", loaded.rows, 1.0))
        return loaded

    def _deleted_orders(
        self, path: Path, over: bulk.BulkState, complete_from: datetime | None
    ) -> tuple[OrderDeleted, ...]:
        listed = _ids(path)
        earliest = complete_from + WINDOW_MARGIN if complete_from else None
        gone: list[int] = []
        looked_at = 0
        with self.warehouse.reader() as cursor:
            cursor.execute(
                # Orders that the file had to list: inside the window, and not newer than the file.
                "SELECT order_id FROM orders WHERE (updated_at IS NULL OR updated_at <= $until) "
                "AND ($since IS NULL OR processed_at >= $since)",
                {
                    "until": over.created_at.replace(tzinfo=None),
                    "since": earliest.replace(tzinfo=None) if earliest else None,
                },
            )
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                looked_at += len(rows)
                gone += [int(order_id) for (order_id,) in rows if int(order_id) not in listed]
        self.allow("orders", len(gone), looked_at)
        return tuple(OrderDeleted(str(order_id), over.created_at) for order_id in sorted(gone))


def _document(kind: LoadKind, info: ShopInfo) -> str:
    if kind == "customers" and "read_store_credit_accounts" in info.scopes:
        return "bulk_customers_with_credit"
    return f"bulk_{kind}"


def _ids(path: Path) -> BitMap64:
    """Return the ids of the file's own objects; their children name a parent."""
    with path.open("rb") as file:
        lines = (orjson.loads(raw) for raw in file if raw.strip())
        return BitMap64(int(id_of(line["id"])) for line in lines if "__parentId" not in line)
