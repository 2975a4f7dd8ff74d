"""Where a shop keeps the values that queries name: its tags, places, products, channels and so on.

What is done with them (whether one was ever seen, which there are and who has them) is others'
work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from regulars.language.catalogue import (
    CATALOGUE,
    Annual,
    Events,
    Labels,
    Metafield,
    StoreCredit,
    Value,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A column that holds values. All texts here are parts of statements, none is a shop's."""

    table: str
    text: str
    #: What is compared where letter case does not count.
    key: str
    #: The tables to read so that each value stands beside its `customer_no`.
    owned: str
    #: What people call the value, where that is something else.
    name: str


def _place(table: str, text: str, key: str = "", *, owned: str = "", name: str = "NULL") -> Place:
    return Place(table, text, key or text, owned or _OWNED.get(table, table), name)


#: Tables without customers of their own, joined to those that have them.
_OWNED: Final[Mapping[str, str]] = {
    "order_tags": "orders JOIN order_tags USING (order_id)",
    "order_discount_codes": "orders JOIN order_discount_codes USING (order_id)",
    "products": "lines JOIN products USING (product_id)",
    "product_tags": "lines JOIN product_tags USING (product_id)",
    "product_collections": "lines JOIN product_collections USING (product_id)",
}
#: What a parameter looks at → where such values are kept. What was bought may no longer be listed,
#: so it stands last.
_OF_ROWS: Final[Mapping[str, tuple[Place, ...]]] = {
    "app_id": (_place("orders", "app_id"),),
    "location_id": (_place("orders", "location_id"),),
    "source_name": (_place("orders", "source_name"),),
    "referrer": (_place("orders", "referrer"),),
    "utm_source": (_place("orders", "utm_source"),),
    "utm_medium": (_place("orders", "utm_medium"),),
    "utm_campaign": (_place("orders", "utm_campaign"),),
    "tag_keys": (_place("order_tags", "tag", "tag_key"),),
    "discount_code_keys": (_place("order_discount_codes", "code", "code_key"),),
    "product_id": (
        _place("products", "product_id"),
        _place(
            "lines",
            "product_id",
            owned="lines LEFT JOIN products USING (product_id)",
            name="coalesce(products.title, lines.title)",
        ),
    ),
    "variant_id": (_place("lines", "variant_id", name="title"),),
    "vendor": (_place("products", "vendor"), _place("lines", "vendor")),
    "product_type": (_place("products", "product_type"),),
    "category_id": (_place("products", "category_id", name="category"),),
    "product_tag_keys": (_place("product_tags", "tag", "tag_key"),),
    "collection_ids": (
        _place("product_collections", "collection_id", name="product_collections.title"),
    ),
    "currency": (_place("store_credit_accounts", "currency"),),
}


def places_of(attribute: str, parameter: str | None) -> tuple[Place, ...]:
    """Return where the values of an attribute, or of a parameter of it, are kept.

    Of a metafield the value is its key. Nowhere for what no value of the shop is compared with.
    """
    row = CATALOGUE.get(attribute)
    match row.source if row else None:
        case Value(column=column):
            return (_place("customers", column),)
        case Labels(table="customer_tags"):
            return (_place("customer_tags", "tag", "tag_key"),)
        case Labels(table=table, column=column, fold=fold):
            return (_place(table, column, f"lower({column})" if fold else ""),)
        case Events() | StoreCredit():
            known = row.parameter(parameter or "") if row else None
            return _OF_ROWS.get(known.column.rpartition(".")[2], ()) if known else ()
        case Metafield() | Annual():
            return (_place("metafields", "key"),)
    return ()
