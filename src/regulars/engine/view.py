"""One customer's facts as they stood at an instant: counted orders, amounts after refunds, sums."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from regulars.engine.context import Universe
from regulars.engine.days import local_day
from regulars.warehouse.record import CustomerRecord, OrderRecord


@dataclass(frozen=True, slots=True)
class CountedOrder:
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


def days_between(earlier: datetime, later: datetime, zone: ZoneInfo) -> int:
    """Return the number of shop days from one instant's day to another's."""
    return local_day(later, zone).toordinal() - local_day(earlier, zone).toordinal()


class View:
    """What the customer evaluator looks at; made once per customer and instant."""

    __slots__ = ("as_of", "orders", "record", "refunded_amount", "spent_amount")

    def __init__(self, record: CustomerRecord, as_of: datetime) -> None:
        self.record = record
        self.as_of = as_of
        self.orders = counted_orders(record, as_of)
        self.spent_amount = sum(order.net_amount for order in self.orders)
        self.refunded_amount = sum(order.refunded_amount for order in self.orders)

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
