"""Reading single customers with everything known about them, many at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import duckdb

from regulars.warehouse.columns import outside
from regulars.warehouse.record import (
    CustomerRecord,
    LineRecord,
    OrderRecord,
    PlaceRecord,
    RefundRecord,
    StoreCreditRecord,
)
from regulars.warehouse.sql import statements

Rows = Mapping[Any, list[tuple[Any, ...]]]

# So many products are kept known between two reads; beyond it they are read anew.
PRODUCTS_MAX: Final = 50_000


@dataclass(frozen=True, slots=True)
class Product:
    """What lines need to know of a product."""

    product_type: str | None = None
    category_id: str | None = None
    tag_keys: frozenset[str] = frozenset()
    collection_ids: frozenset[str] = frozenset()


_UNKNOWN: Final = Product()


def read_records(
    cursor: duckdb.DuckDBPyConnection,
    customer_nos: Iterable[int],
    products: dict[str, Product] | None = None,
) -> list[CustomerRecord]:
    """Return the records of these customers, by number; unknown numbers are left out.

    `products` holds what is known of products in the very state that the cursor sees; what is
    missing there is read and added.
    """
    nos = sorted(set(customer_nos))
    if not nos:
        return []
    sql, asked = statements("read"), {"nos": nos}
    cursor.execute(sql["customers"], asked)
    names = [column[0] for column in cursor.description or ()]
    customers = cursor.fetchall()
    tags, places, companies, metafields, credit, order_rows, lines = (
        _grouped(cursor.execute(sql[name], asked).fetchall())
        for name in (
            "customer_tags",
            "places",
            "companies",
            "metafields",
            "store_credit",
            "orders",
            "lines",
        )
    )
    order_rows = _without_tests(order_rows)
    orders = _orders(cursor, order_rows, lines, {} if products is None else products)
    return [
        CustomerRecord(
            customer_no=no,
            customer_id=customer_id,
            values=_values(names, (no, customer_id, *rest)),
            tags=tuple(tag for (tag,) in tags.get(no, ())),
            places=tuple(PlaceRecord(*row) for row in places.get(no, ())),
            company_ids=frozenset(company for (company,) in companies.get(no, ())),
            metafields={key: (type_, value) for key, type_, value in metafields.get(no, ())},
            store_credit=tuple(
                StoreCreditRecord(balance, currency, outside(expiry), outside(credited))
                for balance, currency, expiry, credited in credit.get(no, ())
            ),
            orders=orders.get(no, ()),
        )
        for no, customer_id, *rest in sorted(customers)
    ]


def _grouped(rows: Iterable[tuple[Any, ...]]) -> Rows:
    """Return the rows by their first column, without it."""
    found: defaultdict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    for key, *rest in rows:
        found[key].append(tuple(rest))
    return found


def _without_tests(rows: Rows) -> Rows:
    """Return the rows of orders without test orders, and without that column."""
    return {no: [tuple(row) for is_test, *row in some if not is_test] for no, some in rows.items()}


def _values(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    return {
        name: outside(value) if isinstance(value, datetime) else value
        for name, value in zip(names, row, strict=True)
    }


def _orders(
    cursor: duckdb.DuckDBPyConnection, order_rows: Rows, lines: Rows, products: dict[str, Product]
) -> dict[int, tuple[OrderRecord, ...]]:
    if not order_rows:
        return {}
    sql = statements("read")
    asked = {"orders": [row[0] for rows in order_rows.values() for row in rows]}
    refunds, tags, codes = (
        _grouped(cursor.execute(sql[name], asked).fetchall())
        for name in ("refunds", "order_tags", "order_discount_codes")
    )
    _read_products(cursor, lines, products)
    return {
        no: tuple(
            OrderRecord(
                order_id=order_id,
                name=name,
                processed_at=processed_at.replace(tzinfo=UTC),
                cancelled_at=outside(cancelled_at),
                total_amount=total,
                refunds=tuple(
                    RefundRecord(refunded_at.replace(tzinfo=UTC), amount)
                    for refunded_at, amount in refunds.get(order_id, ())
                ),
                lines=tuple(_line(row, products) for row in lines.get(order_id, ())),
                tag_keys=frozenset(key for (key,) in tags.get(order_id, ())),
                discount_code_keys=frozenset(key for (key,) in codes.get(order_id, ())),
                source_name=source,
                app_id=app,
                location_id=location,
                referrer=referrer,
                utm_source=utm_source,
                utm_medium=utm_medium,
                utm_campaign=utm_campaign,
            )
            for (
                order_id,
                name,
                processed_at,
                cancelled_at,
                total,
                source,
                app,
                location,
                referrer,
                utm_source,
                utm_medium,
                utm_campaign,
            ) in rows
        )
        for no, rows in order_rows.items()
    }


def _line(row: tuple[Any, ...], products: Mapping[str, Product]) -> LineRecord:
    product_id, variant_id, title, vendor, quantity, amount = row
    product = products.get(product_id, _UNKNOWN)
    return LineRecord(
        product_id=product_id,
        variant_id=variant_id,
        title=title,
        vendor=vendor,
        product_type=product.product_type,
        category_id=product.category_id,
        product_tag_keys=product.tag_keys,
        collection_ids=product.collection_ids,
        quantity=quantity,
        amount=amount,
    )


def _read_products(
    cursor: duckdb.DuckDBPyConnection, lines: Rows, known: dict[str, Product]
) -> None:
    """Add what is not known yet of the products of these lines."""
    ids = {row[0] for rows in lines.values() for row in rows if row[0] is not None}
    missing = sorted(ids - known.keys())
    if not missing:
        return
    if len(known) + len(missing) > PRODUCTS_MAX:
        known.clear()
        missing = sorted(ids)
    sql, asked = statements("read"), {"products": missing}
    rows = {row[0]: row[1:] for row in cursor.execute(sql["products"], asked).fetchall()}
    tags = _grouped(cursor.execute(sql["product_tags"], asked).fetchall())
    collections = _grouped(cursor.execute(sql["product_collections"], asked).fetchall())
    for product_id in missing:
        product_type, category_id = rows.get(product_id, (None, None))
        known[product_id] = Product(
            product_type,
            category_id,
            frozenset(key for (key,) in tags.get(product_id, ())),
            frozenset(one for (one,) in collections.get(product_id, ())),
        )
