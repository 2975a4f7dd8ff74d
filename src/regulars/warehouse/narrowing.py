"""A look at a few customers: a reader whose tables hold nobody else.

The tables are copies under the same names, for the reader alone and gone with it: what is asked of
them is written as for the whole shop. What belongs to no customer (products, tags of orders) stays.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

import duckdb
import numpy as np
from pyroaring import BitMap

from regulars.warehouse.columns import inside
from regulars.warehouse.sql import statements

#: The columns of wide tables that any question may read, beside those that it names.
_ALWAYS: Final = {
    "customers": (
        "customer_no", "deleted_at", "added_at", "order_count", "spent_amount", "first_order_at",
        "last_order_at", "unseen_order_count", "unseen_spent_amount",
    ),
    "orders": (
        "order_id", "customer_no", "processed_at", "cancelled_at", "is_test", "total_amount",
        "refunded_amount",
    ),
    "lines": ("order_id", "customer_no", "processed_at", "product_id"),
}  # fmt: skip

#: Tables whose rows stand on the day of an order.
_DATED: Final = frozenset({"orders", "lines"})
#: Before any order.
_FIRST: Final = datetime.min.replace(tzinfo=UTC)


def narrow(
    cursor: duckdb.DuckDBPyConnection,
    customer_nos: BitMap,
    tables: Collection[str],
    columns: Collection[str],
    since: datetime | None,
) -> None:
    """Let a reader see these customers alone, and of their orders those from `since` on.

    In the tables that are not named it sees everybody. Of the wide ones it sees the columns that
    every question may read, and those named.
    """
    sql = statements("narrow")
    cursor.register("given_few", {"customer_no": np.array(customer_nos.to_array(), np.uint32)})
    try:
        cursor.execute(sql["few"])
    finally:
        cursor.unregister("given_few")
    for table in sorted(tables):
        values: dict[str, object] = {}
        if table in _ALWAYS:
            values["columns"] = sorted({*_ALWAYS[table], *columns})
        if table in _DATED:
            values["since"] = inside(since or _FIRST)
        cursor.execute(sql[table], values)
