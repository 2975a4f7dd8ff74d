"""Reading single customers with everything known about them, many at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Set
from typing import Any

import duckdb

from regulars.warehouse.memory import PRODUCTS_AT_ONCE, PRODUCTS_MAX
from regulars.warehouse.sheets import Product
from regulars.warehouse.sql import statements


def read_sheets(
    cursor: duckdb.DuckDBPyConnection, customer_nos: Iterable[int]
) -> list[tuple[int, str]]:
    """Return the numbers and sheets' texts of these customers; unknown numbers are left out."""
    nos = sorted(set(customer_nos))
    if not nos:
        return []
    return cursor.execute(statements("read")["sheets"], {"nos": nos}).fetchall()


def some_products(cursor: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the ids of a shop's products; of a very large catalogue, of many."""
    rows = cursor.execute(statements("read")["some_products"], {"most": PRODUCTS_AT_ONCE})
    return {product_id for (product_id,) in rows.fetchall()}


def read_products(
    cursor: duckdb.DuckDBPyConnection, ids: Set[str], known: dict[str, Product]
) -> None:
    """Add what is not known yet of these products."""
    missing = sorted(ids - known.keys())
    if not missing:
        return
    if len(known) + len(missing) > PRODUCTS_MAX:
        known.clear()
        missing = sorted(ids)
    sql, asked = statements("read"), {"products": missing}
    rows = {row[0]: row[1:] for row in cursor.execute(sql["products"], asked).fetchall()}
    tags, collections = (
        _grouped(cursor.execute(sql[name], asked).fetchall())
        for name in ("product_tags", "product_collections")
    )
    for product_id in missing:
        product_type, category_id = rows.get(product_id, (None, None))
        known[product_id] = Product(
            product_type,
            category_id,
            frozenset(tags.get(product_id, ())),
            frozenset(collections.get(product_id, ())),
        )


def _grouped(rows: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    """Return second values by the first."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for key, value in rows:
        found[key].append(value)
    return found
