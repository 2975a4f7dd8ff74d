"""What stands behind a tracking's totals: first and later orders, products, sources, refunds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regulars.tracking import queries
from regulars.tracking.figures import Sums
from regulars.tracking.runs import Column
from regulars.warehouse.columns import inside, outside

#: Products shown; the rest is in the order reports of Shopify.
PRODUCTS_MAX = 10


@dataclass(frozen=True, slots=True)
class ProductSums:
    """One product's lines: amounts are line totals before refunds."""

    title: str
    product_id: str | None
    quantity: int
    orders: int
    amount: int


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The parts of one population's totals."""

    first_orders: Sums
    later_orders: Sums
    products: tuple[ProductSums, ...]
    #: Shopify's source name ("web", "pos" ...) and its sums; the most orders first.
    sources: tuple[tuple[str, Sums], ...]
    #: Refunds made after the period's end.
    late_refund_count: int
    late_refund_amount: int
    last_refund_at: datetime | None


def break_down(cursor: Any, rows: Column, start: datetime, end: datetime) -> Breakdown:
    """Count the parts of the orders in these rows of the warehouse, all of them of [start, end).

    `rows` come from the same transaction as the cursor: a row number lasts no longer.
    """
    values = {"starts_at": inside(start), "ends_at": inside(end)}
    cursor.register("given_rows", {"row_no": rows})
    try:
        firsts = {
            is_first: Sums(count, int(gross), int(refunded))
            for is_first, count, gross, refunded in cursor.execute(
                queries.NEW_AND_REPEAT, values
            ).fetchall()
        }
        products = cursor.execute(queries.PRODUCTS, {**values, "most": PRODUCTS_MAX}).fetchall()
        sources = cursor.execute(queries.SOURCES, values).fetchall()
        ((late_count, late_amount, last_at),) = cursor.execute(
            queries.LATE_REFUNDS, values
        ).fetchall()
    finally:
        cursor.unregister("given_rows")
    return Breakdown(
        firsts.get(True, Sums()),
        firsts.get(False, Sums()),
        tuple(
            ProductSums(title, number, quantity, orders, int(amount))
            for title, number, quantity, orders, amount in products
        ),
        tuple(
            (source, Sums(count, int(gross), int(refunded)))
            for source, count, gross, refunded in sources
        ),
        late_count,
        int(late_amount),
        outside(last_at),
    )
