"""Products of a batch: the newest state wins; collections keep an instant of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import duckdb

from regulars.warehouse.columns import inside
from regulars.warehouse.facts import UNSET, Fact, ProductDeleted, ProductFact
from regulars.warehouse.orders import TOMBSTONE
from regulars.warehouse.places import folded
from regulars.warehouse.sql import statements
from regulars.warehouse.writing import Writer

_PRODUCT: Final = (
    "product_id",
    "title",
    "vendor",
    "product_type",
    "category_id",
    "category",
    "updated_at",
    "collections_at",
)
_TAG: Final = ("product_id", "tag", "tag_key")
_DATE: Final = ("product_id", "collections_at")
_COLLECTION: Final = ("product_id", "collection_id", "title")


@dataclass(slots=True)
class _Told:
    """What a batch tells of products, the newest of each."""

    products: dict[str, tuple[datetime, ProductFact]] = field(default_factory=dict)
    collections: dict[str, tuple[datetime, dict[str, str]]] = field(default_factory=dict)
    deleted: dict[str, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class _Stored:
    """What stands in the tables: (updated_at, collections_at) by product, and tombstones."""

    products: dict[str, tuple[datetime | None, datetime | None]]
    buried: dict[str, datetime]

    def lets(self, product_id: str, version: datetime, stored: datetime | None) -> bool:
        """Whether something told at `version` is news."""
        tombstone = self.buried.get(product_id)
        if tombstone is not None and version <= tombstone:
            return False
        return stored is None or version >= stored


def apply_products(writer: Writer, facts: Sequence[Fact], at: datetime) -> set[str]:
    """Write what the batch tells of products; return the ids of those that changed."""
    told = _told(facts, at)
    if not told.products and not told.deleted:
        return set()
    cursor = writer.cursor
    stored = _read(cursor, told)
    gone, emptied = _bury(writer, told, stored)
    absent = (None, None)
    written = {
        i: fact
        for i, (version, fact) in told.products.items()
        if stored.lets(i, version, stored.products.get(i, absent)[0])
    }
    grouped = {
        i: (version, titles)
        for i, (version, titles) in told.collections.items()
        if stored.lets(i, version, stored.products.get(i, absent)[1])
    }
    _drop(cursor, (written.keys() | gone) & stored.products.keys(), "products", "product_tags")
    _drop(cursor, (grouped.keys() | gone | emptied) & stored.products.keys(), "product_collections")
    dates: dict[str, datetime | None] = {
        i: None if i in emptied else at for i, (_, at) in stored.products.items() if i not in gone
    }
    dates |= {i: version for i, (version, _) in grouped.items()}
    versions = {i: version for i, (version, _) in told.products.items()}
    _write(writer, written, versions, dates)
    # What was written just now has its date already.
    others = {i: at for i, at in dates.items() if i not in written}
    again = {i: at for i, at in others.items() if at != stored.products.get(i, absent)[1]}
    _group(writer, {i: titles for i, (_, titles) in grouped.items()}, again)
    return written.keys() | gone | grouped.keys() | emptied


def _told(facts: Sequence[Fact], at: datetime) -> _Told:
    told = _Told()
    for fact in facts:
        if isinstance(fact, ProductFact):
            version = inside(fact.updated_at or at)
            if fact.product_id not in told.products or (
                version >= told.products[fact.product_id][0]
            ):
                told.products[fact.product_id] = (version, fact)
            if fact.collections is not UNSET and (
                fact.product_id not in told.collections
                or version >= told.collections[fact.product_id][0]
            ):
                told.collections[fact.product_id] = (version, dict(fact.collections))
        elif isinstance(fact, ProductDeleted):
            deleted_at = inside(fact.at)
            last = told.deleted.get(fact.product_id, deleted_at)
            told.deleted[fact.product_id] = max(last, deleted_at)
    return told


def _read(cursor: duckdb.DuckDBPyConnection, told: _Told) -> _Stored:
    sql = statements("apply")
    ids = sorted({*told.products, *told.deleted})
    rows = cursor.execute(sql["products_by_id"], {"ids": ids}).fetchall()
    buried = cursor.execute(sql["tombstones"], {"kind": "product", "ids": ids}).fetchall()
    return _Stored({row[0]: row[1:] for row in rows}, dict(buried))


def _bury(writer: Writer, told: _Told, stored: _Stored) -> tuple[set[str], set[str]]:
    """Keep new tombstones; return the products that go and those whose collections go."""
    new = {
        i: at for i, at in told.deleted.items() if i not in stored.buried or at > stored.buried[i]
    }
    writer.add("tombstones", TOMBSTONE, [("product", i, at) for i, at in new.items()])
    stored.buried |= new
    gone, emptied = set(), set()
    for i, at in new.items():
        updated_at, collections_at = stored.products.get(i, (None, None))
        if i in stored.products and (updated_at is None or updated_at <= at):
            gone.add(i)
        elif collections_at is not None and collections_at <= at:
            emptied.add(i)
    return gone, emptied


def _drop(cursor: duckdb.DuckDBPyConnection, ids: set[str], *tables: str) -> None:
    if not ids:
        return
    for table in tables:
        cursor.execute(statements("apply")[f"drop_{table}"], {"ids": sorted(ids)})


def _write(
    writer: Writer,
    written: dict[str, ProductFact],
    versions: dict[str, datetime],
    dates: dict[str, datetime | None],
) -> None:
    rows = [
        (
            i,
            fact.title,
            fact.vendor,
            fact.product_type,
            fact.category_id,
            fact.category,
            versions[i],
            dates.get(i),
        )
        for i, fact in written.items()
    ]
    tags = [
        (i, tag, key)
        for i, fact in written.items()
        for key, tag in {folded(tag): tag for tag in reversed(fact.tags)}.items()
    ]
    writer.add("products", _PRODUCT, rows)
    writer.add("product_tags", _TAG, tags)


def _group(
    writer: Writer, titles: dict[str, dict[str, str]], dates: dict[str, datetime | None]
) -> None:
    """Write the told collections, and when they were told."""
    rows = [(i, c, title) for i, by_id in titles.items() for c, title in by_id.items()]
    writer.add("product_collections", _COLLECTION, rows)
    writer.update("products", _DATE, list(dates.items()))
