"""Reading single customers with everything known about them, many at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import duckdb

from regulars.warehouse.columns import Shape, given, outside
from regulars.warehouse.record import (
    CustomerRecord,
    LineRecord,
    OrderRecord,
    PlaceRecord,
    RefundRecord,
    StoreCreditRecord,
)
from regulars.warehouse.sql import statements

_NOS: Final[Shape] = {"customer_no": "customer"}
_ORDERS: Final[Shape] = {"order_id": "text"}
_PRODUCTS: Final[Shape] = {"product_id": "text"}

Rows = Mapping[Any, list[tuple[Any, ...]]]


@dataclass(slots=True)
class _Product:
    """What lines need to know of a product."""

    product_type: str | None = None
    category_id: str | None = None
    tag_keys: set[str] = field(default_factory=set)
    collection_ids: set[str] = field(default_factory=set)


def read_records(
    cursor: duckdb.DuckDBPyConnection, customer_nos: Iterable[int]
) -> list[CustomerRecord]:
    """Return the records of these customers, by number; unknown numbers are left out."""
    nos = sorted(set(customer_nos))
    if not nos:
        return []
    sql = statements("read")
    with given(cursor, "given_nos", _NOS, [(no,) for no in nos]):
        cursor.execute(sql["customers"])
        names = [column[0] for column in cursor.description or ()]
        customers = cursor.fetchall()
        tags, places, companies, metafields, credit, order_rows = (
            _grouped(cursor.execute(sql[name]).fetchall())
            for name in (
                "customer_tags",
                "places",
                "companies",
                "metafields",
                "store_credit",
                "orders",
            )
        )
        lines = _grouped(cursor.execute(sql["lines"]).fetchall())
    orders = _orders(cursor, order_rows, lines)
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


def _values(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    return {
        name: outside(value) if isinstance(value, datetime) else value
        for name, value in zip(names, row, strict=True)
    }


def _orders(
    cursor: duckdb.DuckDBPyConnection, order_rows: Rows, lines: Rows
) -> dict[int, tuple[OrderRecord, ...]]:
    if not order_rows:
        return {}
    sql = statements("read")
    ids = [(row[0],) for rows in order_rows.values() for row in rows]
    with given(cursor, "given_orders", _ORDERS, ids):
        refunds = _grouped(cursor.execute(sql["refunds"]).fetchall())
        tags = _grouped(cursor.execute(sql["order_tags"]).fetchall())
        codes = _grouped(cursor.execute(sql["order_discount_codes"]).fetchall())
    products = _products(cursor, lines)
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


def _line(row: tuple[Any, ...], products: Mapping[str, _Product]) -> LineRecord:
    product_id, variant_id, title, vendor, quantity, amount = row
    product = products.get(product_id, _Product())
    return LineRecord(
        product_id=product_id,
        variant_id=variant_id,
        title=title,
        vendor=vendor,
        product_type=product.product_type,
        category_id=product.category_id,
        product_tag_keys=frozenset(product.tag_keys),
        collection_ids=frozenset(product.collection_ids),
        quantity=quantity,
        amount=amount,
    )


def _products(cursor: duckdb.DuckDBPyConnection, lines: Rows) -> dict[str, _Product]:
    ids = sorted({row[0] for rows in lines.values() for row in rows if row[0] is not None})
    if not ids:
        return {}
    sql = statements("read")
    with given(cursor, "given_products", _PRODUCTS, [(i,) for i in ids]):
        found = {
            product_id: _Product(product_type, category_id)
            for product_id, product_type, category_id in cursor.execute(sql["products"]).fetchall()
        }
        for product_id, key in cursor.execute(sql["product_tags"]).fetchall():
            found.setdefault(product_id, _Product()).tag_keys.add(key)
        for product_id, collection in cursor.execute(sql["product_collections"]).fetchall():
            found.setdefault(product_id, _Product()).collection_ids.add(collection)
    return found
