"""Orders and refunds of a batch: the newest state of an order wins, refunds once told stay."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

import duckdb

from regulars.warehouse.columns import Shape, given, inside
from regulars.warehouse.facts import Fact, OrderDeleted, OrderFact, RefundChange, RefundFact
from regulars.warehouse.marks import Marks
from regulars.warehouse.places import folded
from regulars.warehouse.sheets import Sheet, microseconds
from regulars.warehouse.sql import statements
from regulars.warehouse.writing import Writer

_IDS: Final[Shape] = {"id": "text"}
_ORDER: Final = (
    "order_id",
    "customer_no",
    "name",
    "processed_at",
    "updated_at",
    "cancelled_at",
    "is_test",
    "total_amount",
    "refunded_amount",
    "source_name",
    "app_id",
    "location_id",
    "referrer",
    "utm_source",
    "utm_medium",
    "utm_campaign",
)
_LINE: Final = (
    "order_id",
    "customer_no",
    "processed_at",
    "product_id",
    "variant_id",
    "title",
    "vendor",
    "sku",
    "quantity",
    "amount",
)
_TAG: Final = ("order_id", "tag", "tag_key")
_CODE: Final = ("order_id", "code", "code_key")
_REFUND: Final = ("refund_id", "order_id", "refunded_at", "amount", "told_at")
#: Of orders and products alike.
TOMBSTONE: Final = ("kind", "id", "deleted_at")


class Rank(NamedTuple):
    """Which of two states of an order is the later one.

    Shopify tells seconds. Within one, an order is cancelled and refunded but neither is ever taken
    back, so the state with more of it came later, in whatever order the two arrive.
    """

    updated_at: datetime
    is_cancelled: bool
    refund_count: int


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is known of a stored order; without `rank` nothing says when it was told."""

    rank: Rank | None
    customer_no: int | None


@dataclass(slots=True)
class _Known:
    """What the tables hold about the orders that a batch names."""

    orders: dict[str, _Stored] = field(default_factory=dict)
    tombstones: dict[str, datetime] = field(default_factory=dict)
    #: How many refunds an order has, told with it or before it.
    refund_counts: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class OrdersChanged:
    """Which orders changed, and whose they are or were."""

    order_ids: set[str] = field(default_factory=set)
    customer_nos: set[int] = field(default_factory=set)
    #: Whose orders were replaced, deleted or refunded.
    recounted_nos: set[int] = field(default_factory=set)
    #: The earliest of the orders written, by customer.
    earliest_at: dict[int, datetime] = field(default_factory=dict)
    #: By customer, orders that nothing was ever paid back on and that were nobody else's: with
    #: these alone a sheet follows the tables.
    plain: dict[int, list[OrderFact]] = field(default_factory=dict)
    #: Whose orders changed in any other way too.
    unplain_nos: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Told:
    """What a batch tells of orders, the newest of each."""

    orders: dict[str, tuple[Rank, OrderFact]] = field(default_factory=dict)
    deleted: dict[str, datetime] = field(default_factory=dict)
    refunds: dict[str, tuple[datetime, str, RefundFact]] = field(default_factory=dict)


def apply_orders(
    writer: Writer,
    facts: Sequence[Fact],
    at: datetime,
    no_of: Callable[[str | None], int | None],
    marks: Marks,
) -> OrdersChanged:
    """Write what the batch tells of orders and refunds."""
    told = _told(facts, at)
    changed = OrdersChanged()
    ids = {*told.orders, *told.deleted, *(order_id for _, order_id, _ in told.refunds.values())}
    if not ids:
        return changed
    cursor = writer.cursor
    known = _known(cursor, marks.possible(ids))
    marks.add(ids)
    if _bury(writer, told.deleted, known.tombstones):
        known = _known(cursor, ids)
    stored, tombstones = known.orders, known.tombstones
    written = {
        order_id: fact
        for order_id, (rank, fact) in told.orders.items()
        if _wins(rank, stored.get(order_id), tombstones.get(order_id))
    }
    buried = {
        order_id
        for order_id, deleted_at in told.deleted.items()
        if order_id in stored and not _is_newer(stored[order_id], deleted_at)
    }
    dropped = (written.keys() | buried) & stored.keys()
    changed.order_ids |= written.keys() | buried
    changed.recounted_nos = {
        no for order_id in dropped if (no := stored[order_id].customer_no) is not None
    }
    _drop(cursor, dropped)
    refunded = _apply_refunds(writer, told.refunds, tombstones)
    changed.order_ids |= refunded
    versions = {order_id: rank.updated_at for order_id, (rank, _) in told.orders.items()}
    nos = {order_id: no_of(fact.customer_id) for order_id, fact in written.items()}
    paid_back = refunded | known.refund_counts.keys()
    _write(writer, written, versions, nos, _refunded(cursor, written.keys() & paid_back))
    # A deletion may leave a newer order standing and take refunds told before it.
    resummed = (refunded | (told.deleted.keys() & stored.keys())) - written.keys()
    resummed_nos = _sum_refunds(cursor, resummed)
    changed.recounted_nos |= resummed_nos
    for order_id, no in nos.items():
        if no is not None:
            processed_at = inside(written[order_id].processed_at)
            changed.earliest_at[no] = min(changed.earliest_at.get(no, processed_at), processed_at)
    changed.customer_nos = changed.recounted_nos | changed.earliest_at.keys()
    changed.unplain_nos |= resummed_nos
    for order_id in buried:
        changed.unplain_nos |= _whose(stored[order_id].customer_no)
    for order_id, fact in written.items():
        no = nos[order_id]
        before = stored[order_id].customer_no if order_id in stored else no
        if order_id in paid_back or before != no:
            changed.unplain_nos |= _whose(before) | _whose(no)
        elif no is not None:
            changed.plain.setdefault(no, []).append(fact)
    return changed


def _told(facts: Iterable[Fact], at: datetime) -> _Told:
    told = _Told()
    for fact in facts:
        if isinstance(fact, OrderFact):
            version = inside(fact.updated_at or at)
            rank = Rank(version, fact.cancelled_at is not None, len(fact.refunds))
            last = told.orders.get(fact.order_id)
            if last is None or rank >= last[0]:
                told.orders[fact.order_id] = (rank, fact)
            for refund in fact.refunds:
                _tell_refund(told, version, fact.order_id, refund)
        elif isinstance(fact, RefundChange):
            _tell_refund(told, inside(fact.refund.refunded_at), fact.order_id, fact.refund)
        elif isinstance(fact, OrderDeleted):
            deleted_at = inside(fact.at)
            told.deleted[fact.order_id] = max(
                told.deleted.get(fact.order_id, deleted_at), deleted_at
            )
    return told


def _tell_refund(told: _Told, version: datetime, order_id: str, refund: RefundFact) -> None:
    last = told.refunds.get(refund.refund_id)
    if last is None or version >= last[0]:
        told.refunds[refund.refund_id] = (version, order_id, refund)


def _wins(rank: Rank, stored: _Stored | None, tombstone: datetime | None) -> bool:
    if tombstone is not None and rank.updated_at <= tombstone:
        return False
    return stored is None or stored.rank is None or rank >= stored.rank


def _is_newer(stored: _Stored, instant: datetime) -> bool:
    return stored.rank is not None and stored.rank.updated_at > instant


def _known(cursor: duckdb.DuckDBPyConnection, ids: Collection[str]) -> _Known:
    """Read what the tables hold about these orders."""
    known = _Known()
    if not ids:
        return known
    told: dict[str, tuple[datetime | None, int | None, bool]] = {}
    rows = cursor.execute(statements("apply")["known_orders"], {"ids": sorted(ids)}).fetchall()
    for what, order_id, at, customer_no, is_cancelled, refund_count in rows:
        if what == "order":
            told[order_id] = (at, customer_no, is_cancelled)
        elif what == "refunds":
            known.refund_counts[order_id] = refund_count
        else:
            known.tombstones[order_id] = at
    for order_id, (at, customer_no, is_cancelled) in told.items():
        refund_count = known.refund_counts.get(order_id, 0)
        rank = None if at is None else Rank(at, is_cancelled, refund_count)
        known.orders[order_id] = _Stored(rank, customer_no)
    return known


def _bury(writer: Writer, deleted: dict[str, datetime], known: dict[str, datetime]) -> bool:
    """Keep the new tombstones; return whether there were any."""
    new = {i: at for i, at in deleted.items() if i not in known or at > known[i]}
    if new:
        writer.add("tombstones", TOMBSTONE, [("order", i, at) for i, at in new.items()])
        told = {"ids": list(new), "instants": list(new.values())}
        writer.cursor.execute(statements("apply")["drop_refunds_of_deleted"], told)
    return bool(new)


def _whose(customer_no: int | None) -> set[int]:
    return set() if customer_no is None else {customer_no}


def _drop(cursor: duckdb.DuckDBPyConnection, ids: set[str]) -> None:
    if not ids:
        return
    for table in ("orders", "lines", "order_tags", "order_discount_codes"):
        cursor.execute(statements("apply")[f"drop_{table}"], {"ids": sorted(ids)})


def _write(
    writer: Writer,
    written: dict[str, OrderFact],
    versions: dict[str, datetime],
    nos: dict[str, int | None],
    refunded: dict[str, int],
) -> None:
    orders = [
        _order_row(fact, nos[i], versions[i], refunded.get(i, 0)) for i, fact in written.items()
    ]
    lines = [row for i, fact in written.items() for row in _lines(fact, nos[i])]
    tags = [(i, t, k) for i, fact in written.items() for k, t in _by_key(fact.tags)]
    codes = [(i, c, k) for i, fact in written.items() for k, c in _by_key(fact.discount_codes)]
    writer.add("orders", _ORDER, orders)
    writer.add("lines", _LINE, lines)
    writer.add("order_tags", _TAG, tags)
    writer.add("order_discount_codes", _CODE, codes)


def _by_key(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Return each text once, by its key; the first spelling stays."""
    return {folded(text): text for text in reversed(tuple(texts))}.items()


def _order_row(
    fact: OrderFact, customer_no: int | None, version: datetime, refunded_amount: int
) -> tuple[Any, ...]:
    return (
        fact.order_id,
        customer_no,
        fact.name,
        inside(fact.processed_at),
        version,
        inside(fact.cancelled_at),
        fact.is_test,
        fact.total_amount,
        refunded_amount,
        *_origin(fact),
    )


def _origin(fact: OrderFact) -> tuple[str | None, ...]:
    """Return how an order came about, as both its row and its sheet end."""
    return (
        fact.source_name,
        fact.app_id,
        fact.location_id,
        fact.referrer,
        fact.utm_source,
        fact.utm_medium,
        fact.utm_campaign,
    )


def _lines(fact: OrderFact, customer_no: int | None) -> Iterable[tuple[Any, ...]]:
    processed_at = inside(fact.processed_at)
    for line in fact.lines:
        yield (
            fact.order_id,
            customer_no,
            processed_at,
            line.product_id,
            line.variant_id,
            line.title,
            line.vendor,
            line.sku,
            line.quantity,
            line.amount,
        )


def put_order(sheet: Sheet, fact: OrderFact) -> None:
    """Let a customer's sheet follow an order on which nothing was paid back."""
    if fact.is_test:
        sheet.take_order(fact.order_id)
        return
    lines = [
        (line.product_id, line.variant_id, line.title, line.vendor, line.quantity, line.amount)
        for line in fact.lines
    ]
    sheet.put_order(
        (
            fact.order_id,
            fact.name,
            microseconds(fact.processed_at),
            None if fact.cancelled_at is None else microseconds(fact.cancelled_at),
            fact.total_amount,
            None,
            lines or None,
            [key for key, _ in _by_key(fact.tags)] or None,
            [key for key, _ in _by_key(fact.discount_codes)] or None,
            *_origin(fact),
        )
    )


def _apply_refunds(
    writer: Writer,
    told: dict[str, tuple[datetime, str, RefundFact]],
    tombstones: dict[str, datetime],
) -> set[str]:
    """Write refunds that are new or told anew; return their orders."""
    if not told:
        return set()
    sql = statements("apply")
    asked = writer.cursor.execute(sql["refunds_by_id"], {"ids": sorted(told)})
    stored = {row[0]: row[1:] for row in asked.fetchall()}
    rows = []
    for refund_id, (version, order_id, refund) in told.items():
        deleted_at = tombstones.get(order_id)
        if deleted_at is not None and version <= deleted_at:
            continue
        known = stored.get(refund_id)
        row = (refund_id, order_id, inside(refund.refunded_at), refund.amount, version)
        if known is None or (version >= known[3] and known != row[1:]):
            rows.append(row)
    again = [row[0] for row in rows if row[0] in stored]
    if again:
        writer.cursor.execute(sql["drop_refunds"], {"ids": again})
    writer.add("refunds", _REFUND, rows)
    before = {stored[refund_id][0] for refund_id in again}
    return {row[1] for row in rows} | before


def _refunded(cursor: duckdb.DuckDBPyConnection, ids: Set[str]) -> dict[str, int]:
    """Return what was paid back on these orders."""
    if not ids:
        return {}
    asked = {"ids": sorted(ids)}
    return dict(cursor.execute(statements("apply")["refunded"], asked).fetchall())


def _sum_refunds(cursor: duckdb.DuckDBPyConnection, ids: set[str]) -> set[int]:
    """Sum refunds into orders that stand otherwise as they did; return whose they are."""
    if not ids:
        return set()
    sql = statements("apply")
    with given(cursor, "given_ids", _IDS, [(i,) for i in sorted(ids)]):
        cursor.execute(sql["sum_refunds"])
        return {no for (no,) in cursor.execute(sql["customers_of_orders"]).fetchall()}
