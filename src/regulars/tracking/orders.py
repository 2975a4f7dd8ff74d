"""Counted orders as columns by customer, and the book that keeps them while customers change."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from pyroaring import BitMap

from regulars.tracking.runs import Column, order_by, rows_of

#: A book with more customers changed than this share of its orders is put together again.
_PATCHED_SHARE = 1 / 50


@dataclass(frozen=True)
class Orders:
    """Counted orders (neither test nor cancelled, with a customer), by customer, then time.

    Of one customer and instant they stand as they are stored.
    """

    #: The row of the order in the warehouse, valid for one version of its facts.
    rows: Column
    customer_nos: Column
    processed_at: Column
    total_amounts: Column
    refunded_amounts: Column

    def __len__(self) -> int:
        return len(self.rows)

    def chosen(self, which: Any) -> Orders:
        """Return some of them."""
        return Orders(*(column[which] for column in self._columns))

    def stretch(self, customer_nos: Column) -> tuple[Column, Column]:
        """Return where each of these customers' orders begin, and how many they are."""
        known = np.minimum(customer_nos, len(self._begins) - 2)
        low, high = self._begins[known], self._begins[known + 1]
        return low, np.where(known == customer_nos, high - low, 0)

    @cached_property
    def _begins(self) -> Column:
        """Where the orders of each number begin; numbers are dense, so this is a plain table."""
        size = int(self.customer_nos[-1]) + 1 if len(self) else 1
        counts = np.bincount(self.customer_nos, minlength=size)
        table = np.zeros(size + 1, np.int32)
        np.cumsum(counts, out=table[1:])
        return table

    @property
    def _columns(self) -> tuple[Column, ...]:
        return (
            self.rows,
            self.customer_nos,
            self.processed_at,
            self.total_amounts,
            self.refunded_amounts,
        )

    def followed_by(self, other: Orders) -> Orders:
        """Return both together, in order."""
        pairs = zip(self._columns, other._columns, strict=True)
        return orders_of(*(np.concatenate(pair) for pair in pairs))


def orders_of(*columns: Column) -> Orders:
    """Put orders that were read in any order into theirs."""
    _, customer_nos, processed_at, _, _ = columns
    later = processed_at[1:] >= processed_at[:-1]
    # What a load wrote stands in order already.
    ahead = customer_nos[1:] > customer_nos[:-1]
    if (ahead | (later & (customer_nos[1:] == customer_nos[:-1]))).all():
        return Orders(*columns)
    if not later.all():
        time = np.argsort(processed_at, kind="stable")
        order = time[order_by(customer_nos[time])]
    else:
        order = order_by(customer_nos)
    return Orders(*(column[order] for column in columns))


@dataclass
class Book:
    """Orders of [`first`, `last`) as last read; of customers changed since, as read then."""

    first: Any
    last: Any
    _orders: Orders
    _changed: BitMap = field(default_factory=BitMap)
    _newer: Orders | None = None

    def covers(self, first: Any, last: Any) -> bool:
        """Whether the book reaches over these instants."""
        return bool(self.first <= first and last <= self.last)

    def all(self) -> Orders:
        """Return all orders as they are now."""
        if self._newer is not None:
            self._orders = _without(self._orders, self._changed).followed_by(self._newer)
            self._changed, self._newer = BitMap(), None
        return self._orders

    def of(self, customer_nos: Column) -> Orders:
        """Return the orders of these customers (ascending) as they are now."""
        found = self._orders.chosen(rows_of(self._orders.customer_nos, customer_nos))
        if self._newer is None:
            return found
        newer = self._newer.chosen(rows_of(self._newer.customer_nos, customer_nos))
        return _without(found, self._changed).followed_by(newer)

    def take(self, customer_nos: Column, orders: Orders) -> None:
        """Replace the orders of these customers."""
        if self._newer is not None:
            orders = _without(self._newer, BitMap(customer_nos.tolist())).followed_by(orders)
        self._newer = orders
        self._changed.update(customer_nos.tolist())
        if len(self._changed) > max(1000, len(self._orders) * _PATCHED_SHARE):
            self.all()


def _without(orders: Orders, customers: BitMap) -> Orders:
    gone = np.array(customers.to_array(), orders.customer_nos.dtype)
    return orders.chosen(~np.isin(orders.customer_nos, gone))
