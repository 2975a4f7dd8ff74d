"""What stands behind a tracking's totals: first and later orders, products, sources, refunds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from regulars.tracking import queries
from regulars.tracking.figures import Population, Sums, bound_values
from regulars.tracking.period import Period

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


def break_down(
    cursor: Any,
    segment_id: int,
    period: Period,
    population: Population,
    *,
    members_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Breakdown:
    """Count the parts over a warehouse cursor; arguments as in `count_figures`."""
    shared = bound_values(segment_id, period, members_at, ends_at)
    values = {**shared, "population": population}
    firsts = {
        is_first: Sums(count, int(gross), int(refunded))
        for is_first, count, gross, refunded in cursor.execute(
            queries.NEW_AND_REPEAT, values
        ).fetchall()
    }
    products = cursor.execute(queries.PRODUCTS, {**values, "most": PRODUCTS_MAX}).fetchall()
    sources = cursor.execute(queries.SOURCES, values).fetchall()
    late = cursor.execute(queries.LATE_REFUNDS, values).fetchone()
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
        late[0],
        int(late[1]),
        late[2].replace(tzinfo=UTC) if late[2] else None,
    )
