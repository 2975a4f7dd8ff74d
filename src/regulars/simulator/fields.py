"""Which fields each resource of the pretend shop can be searched by, from Shopify's reference."""

from __future__ import annotations

from pathlib import Path

import orjson

from regulars.simulator.money import exponent
from regulars.simulator.search import Searchable, unmodelled
from regulars.simulator.shop import Shop

Fields = dict[str, Searchable]

#: Fields that Shopify has and the simulator does not, by resource.
NOT_MODELLED: dict[str, list[str]] = orjson.loads(
    Path(__file__).with_name("unmodelled_fields.json").read_bytes()
)


def financial_status(order: object) -> str:
    """Return the order's payment state as the search names it."""
    from regulars.simulator.resolvers.orders import payment_state

    return payment_state(order).lower()  # type: ignore[arg-type]


def customer_fields(shop: Shop) -> Fields:
    """Return what customers can be searched by."""
    scale = 10 ** exponent(shop.currency)
    fields: Fields = dict(unmodelled(NOT_MODELLED["customers"]))
    fields |= {
        "default": Searchable("text", lambda c: f"{c.display_name} {c.email} {c.phone}"),
        "id": Searchable("id", lambda c: c.id),
        # Shopify: "matching a whole day".
        "updated_at": Searchable("day", lambda c: c.updated),
        "customer_date": Searchable("instant", lambda c: c.created),
        "created_at": Searchable("instant", lambda c: c.created),
        "email": Searchable("text", lambda c: c.email),
        "phone": Searchable("text", lambda c: c.phone),
        "first_name": Searchable("text", lambda c: c.first_name),
        "last_name": Searchable("text", lambda c: c.last_name),
        "country": Searchable(
            "word", lambda c: c.addresses[0].country_code if c.addresses else None
        ),
        "state": Searchable("word", lambda c: c.state),
        "tag": Searchable("tags", lambda c: c.tags),
        "tag_not": Searchable("not_tags", lambda c: c.tags),
        "orders_count": Searchable("number", lambda c: len(c.counted_orders())),
        "total_spent": Searchable("number", lambda c: c.spent / scale),
    }
    return fields


#: `customersCount` honours these three only, and still answers EXACT (measured).
COUNTED_FIELDS = ("created_at", "id", "updated_at")


def order_fields(shop: Shop) -> Fields:
    """Return what orders can be searched by."""
    scale = 10 ** exponent(shop.currency)
    fields: Fields = dict(unmodelled(NOT_MODELLED["orders"]))
    fields |= {
        "default": Searchable("text", lambda o: f"#{o.number} {o.email}"),
        "id": Searchable("id", lambda o: o.id),
        "name": Searchable("text", lambda o: f"#{o.number}"),
        "updated_at": Searchable("instant", lambda o: o.updated),
        "created_at": Searchable("instant", lambda o: o.created),
        "processed_at": Searchable("instant", lambda o: o.processed),
        "customer_id": Searchable("id", lambda o: o.customer.id if o.customer else -1),
        "email": Searchable("text", lambda o: o.email),
        "test": Searchable("word", lambda o: o.test),
        "status": Searchable("word", order_status),
        "financial_status": Searchable("word", financial_status),
        "discount_code": Searchable("tags", lambda o: o.discount_codes[:1]),
        "source_name": Searchable("word", lambda o: o.source_name),
        "location_id": Searchable("id", lambda o: o.location_id or -1),
        "tag": Searchable("tags", lambda o: o.tags),
        "tag_not": Searchable("not_tags", lambda o: o.tags),
        "current_total_price": Searchable("number", lambda o: (o.total - o.refunded) / scale),
        "total_price": Searchable("number", lambda o: o.total / scale),
    }
    return fields


def order_status(order: object) -> str:
    """Return open, closed or cancelled."""
    if getattr(order, "cancelled", None) is not None:
        return "cancelled"
    return "open" if getattr(order, "closed", None) is None else "closed"


def product_fields(_shop: Shop) -> Fields:
    """Return what products can be searched by."""
    fields: Fields = dict(unmodelled(NOT_MODELLED["products"]))
    fields |= {
        "default": Searchable("text", lambda p: f"{p.title} {p.vendor} {p.product_type}"),
        "id": Searchable("id", lambda p: p.id),
        "title": Searchable("text", lambda p: p.title),
        "handle": Searchable("word", lambda p: p.handle),
        "vendor": Searchable("word", lambda p: p.vendor),
        "product_type": Searchable("word", lambda p: p.product_type),
        "status": Searchable("word", lambda p: p.status),
        "updated_at": Searchable("instant", lambda p: p.updated),
        "created_at": Searchable("instant", lambda p: p.created),
        "tag": Searchable("tags", lambda p: p.tags),
        "tag_not": Searchable("not_tags", lambda p: p.tags),
        "sku": Searchable("tags", lambda p: [v.sku for v in p.variants]),
        "category_id": Searchable("word", lambda p: p.category[0] if p.category else None),
        "collection_id": Searchable("tags", lambda p: [str(c.id) for c in p.collections]),
    }
    return fields


COMMON: Fields = {
    "default": Searchable("text", lambda x: getattr(x, "name", "")),
    "id": Searchable("id", lambda x: x.id),
}
#: What the smaller resources are searched by.
OTHER_FIELDS: dict[str, Fields] = {
    "bulkOperations": COMMON
    | {
        "created_at": Searchable("instant", lambda o: o.created),
        "operation_type": Searchable("word", lambda o: o.type),
        "status": Searchable("word", lambda o: o.status),
    },
    "segments": COMMON | {"name": Searchable("text", lambda s: s.name)},
    "abandonedCheckouts": COMMON
    | {
        "created_at": Searchable("instant", lambda c: c.created),
        "updated_at": Searchable("instant", lambda c: c.updated),
    },
}
