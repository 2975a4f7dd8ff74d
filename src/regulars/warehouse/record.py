"""One customer's facts in memory: what the customer evaluator looks at.

The same values as in the tables, for one customer at the present; looking at an earlier instant is
the reader's work (an order counts from `processed_at`, a refund from `refunded_at`, a cancellation
from `cancelled_at`). Instants are aware UTC datetimes. Rows are named tuples, which are made in a
fifth of a dataclass's time: a customer has dozens, and each order has them made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class LineRecord(NamedTuple):
    """One line of an order, with what is known about its product."""

    product_id: str | None
    variant_id: str | None
    title: str | None
    vendor: str | None
    product_type: str | None
    category_id: str | None
    product_tag_keys: frozenset[str]
    collection_ids: frozenset[str]
    quantity: int
    amount: int


class RefundRecord(NamedTuple):
    """One refund: money back at an instant."""

    refunded_at: datetime
    amount: int


class OrderRecord(NamedTuple):
    """One order with its lines and refunds; test orders are left out."""

    order_id: str
    name: str | None
    processed_at: datetime
    cancelled_at: datetime | None
    total_amount: int
    refunds: tuple[RefundRecord, ...]
    lines: tuple[LineRecord, ...]
    tag_keys: frozenset[str]
    discount_code_keys: frozenset[str]
    source_name: str | None
    app_id: str | None
    location_id: str | None
    referrer: str | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None


class PlaceRecord(NamedTuple):
    """One address."""

    country_code: str | None
    region_code: str | None
    city_key: str | None
    latitude: float | None
    longitude: float | None


class StoreCreditRecord(NamedTuple):
    """One store credit account."""

    balance: Decimal
    currency: str
    next_expiry_at: datetime | None
    last_credit_at: datetime | None


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """Everything known about one customer. `values` holds the columns of `customers` by name."""

    customer_no: int
    customer_id: str
    values: Mapping[str, str | int | datetime | None]
    tags: tuple[str, ...] = ()
    places: tuple[PlaceRecord, ...] = ()
    company_ids: frozenset[str] = frozenset()
    #: key → (type, value)
    metafields: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    store_credit: tuple[StoreCreditRecord, ...] = ()
    #: By processed_at, oldest first.
    orders: tuple[OrderRecord, ...] = ()
