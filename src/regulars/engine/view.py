"""One customer's facts as they stood at an instant: counted orders, amounts after refunds, sums."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from regulars.engine.context import Universe
from regulars.engine.days import local_day
from regulars.language.shapes import Labels
from regulars.warehouse.places import folded
from regulars.warehouse.record import CustomerRecord, LineRecord, OrderRecord


class CountedOrder(NamedTuple):
    """A counted order at the instant; `number` counts from 1, `gap_days` is None for the first."""

    order: OrderRecord
    net_amount: int
    refunded_amount: int
    number: int
    number_from_last: int
    previous_at: datetime | None

    def days_since_previous(self, zone: ZoneInfo) -> int | None:
        """Return the shop's days since the order before it; None for the first."""
        if self.previous_at is None:
            return None
        return days_between(self.previous_at, self.order.processed_at, zone)


CountedLine = tuple[CountedOrder, LineRecord]


def labels_of(record: CustomerRecord, source: Labels) -> list[str]:
    """Return the texts of a list attribute, as stored."""
    if source.table == "customer_tags":
        return list(record.tags)
    if source.table == "customer_companies":
        return sorted(record.company_ids)
    found = (getattr(place, source.column) for place in record.places)
    return [text for text in found if text is not None]


def days_between(earlier: datetime, later: datetime, zone: ZoneInfo) -> int:
    """Return the number of shop days from one instant's day to another's."""
    return local_day(later, zone).toordinal() - local_day(earlier, zone).toordinal()


class View:
    """What the customer evaluator looks at; made once per customer and instant."""

    __slots__ = (
        "_labels",
        "_lines",
        "as_of",
        "orders",
        "record",
        "refunded_amount",
        "spent_amount",
    )

    def __init__(self, record: CustomerRecord, as_of: datetime) -> None:
        self.record = record
        self.as_of = as_of
        self.orders = counted_orders(record, as_of)
        self.spent_amount = sum(order.net_amount for order in self.orders)
        self.refunded_amount = sum(order.refunded_amount for order in self.orders)
        self._lines: dict[str, Mapping[Hashable, Sequence[CountedLine]]] = {}
        self._labels: dict[Labels, frozenset[str]] = {}

    def lines_by(self, column: str) -> Mapping[Hashable, Sequence[CountedLine]]:
        """Return the lines of counted orders by what they say in a column, oldest order first.

        A line that says several things there, like its product's tags, stands under each.
        """
        found = self._lines.get(column)
        if found is None:
            grouped: dict[Hashable, list[CountedLine]] = {}
            for counted in self.orders:
                for line in counted.order.lines:
                    said = getattr(line, column)
                    for one in said if isinstance(said, frozenset) else (said,):
                        grouped.setdefault(one, []).append((counted, line))
            found = self._lines[column] = grouped
        return found

    def labels(self, source: Labels) -> frozenset[str]:
        """Return the texts of a list attribute as rules compare them."""
        found = self._labels.get(source)
        if found is None:
            stored = labels_of(self.record, source)
            found = frozenset(map(folded, stored) if source.fold else stored)
            self._labels[source] = found
        return found

    @property
    def order_count(self) -> int:
        """Counted orders that we have rows of."""
        return len(self.orders)

    @property
    def first_order_at(self) -> datetime | None:
        """When the first counted order was processed."""
        return self.orders[0].order.processed_at if self.orders else None

    @property
    def last_order_at(self) -> datetime | None:
        """When the last counted order was processed."""
        return self.orders[-1].order.processed_at if self.orders else None

    def unseen(self, name: str) -> int:
        """Return what Shopify counts in orders that we may not read."""
        value = self.record.values.get(name)
        return value if isinstance(value, int) else 0

    def is_there(self, universe: Universe) -> bool:
        """Whether the customer belongs to the universe at the instant."""
        values = self.record.values
        if values.get("deleted_at") is not None:
            return False
        if universe == "buyers" and not self.orders and self.unseen("unseen_order_count") <= 0:
            return False
        added_at = values.get("added_at")
        if added_at is None and not self.record.orders:
            return True
        if isinstance(added_at, datetime) and added_at <= self.as_of:
            return True
        return any(order.processed_at <= self.as_of for order in self.record.orders)


def counted_orders(record: CustomerRecord, as_of: datetime) -> tuple[CountedOrder, ...]:
    """Return the orders that count at an instant, oldest first."""
    kept = [
        order
        for order in record.orders
        if order.processed_at <= as_of
        and (order.cancelled_at is None or order.cancelled_at > as_of)
    ]
    kept.sort(key=lambda order: (order.processed_at, order.order_id))
    found, previous = [], None
    for index, order in enumerate(kept):
        refunded = sum(one.amount for one in order.refunds if one.refunded_at <= as_of)
        left = len(kept) - index
        net = order.total_amount - refunded
        found.append(CountedOrder(order, net, refunded, index + 1, left, previous))
        previous = order.processed_at
    return tuple(found)


_last = threading.local()


def view_of(record: CustomerRecord, as_of: datetime) -> View:
    """Return the view of a record, kept while the same record is asked about again and again."""
    view: View | None = getattr(_last, "view", None)
    if view is None or view.record is not record or view.as_of != as_of:
        view = _last.view = View(record, as_of)
    return view
