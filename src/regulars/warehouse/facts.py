"""Facts on their way into the warehouse: from bulk load, webhook, catch-up or file.

A field left UNSET says "not told": the stored value stays. None says "known to be missing".
Instants are aware UTC datetimes, money is whole minor units of the shop's currency, ids are the
numbers at the end of Shopify's global ids, as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """The type of UNSET."""

    TOKEN = 0


UNSET: Final = Unset.TOKEN
Maybe = Literal[Unset.TOKEN]


@dataclass(frozen=True, slots=True)
class AddressFact:
    """One address of a customer. `city` is the plain name; the warehouse makes the city key."""

    country_code: str | None = None
    region_code: str | None = None
    city: str | None = None
    zip: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class MetafieldFact:
    """One metafield; `key` is "namespace.key", `value` Shopify's text."""

    key: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class StoreCreditFact:
    """One store credit account; `balance` is a decimal text in `currency`."""

    balance: str
    currency: str
    next_expiry_at: datetime | None = None
    last_credit_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFact:
    """What was told about one customer. Newest `updated_at` wins, field by field.

    `tags` replaces the whole set; `tags_added` and `tags_removed` change it (their own webhooks
    tell only the change). `tags_at`, `consent_at` and `figures_at` say when those were true;
    without them `updated_at` does, and without that the instant of applying.
    """

    customer_id: str
    updated_at: datetime | None = None
    display_name: str | Maybe | None = UNSET
    email: str | Maybe | None = UNSET
    phone: str | Maybe | None = UNSET
    language: str | Maybe | None = UNSET
    note: str | Maybe | None = UNSET
    account_status: str | Maybe | None = UNSET
    email_subscription_status: str | Maybe | None = UNSET
    sms_subscription_status: str | Maybe | None = UNSET
    product_subscription_status: str | Maybe | None = UNSET
    predicted_spend_tier: str | Maybe | None = UNSET
    rfm_group: str | Maybe | None = UNSET
    added_at: datetime | Maybe | None = UNSET
    #: Shopify's own lifetime figures; the warehouse keeps the difference to its order rows.
    shopify_order_count: int | Maybe = UNSET
    shopify_spent_amount: int | Maybe = UNSET
    tags: tuple[str, ...] | Maybe = UNSET
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()
    tags_at: datetime | None = None
    consent_at: datetime | None = None
    #: When Shopify's lifetime figures were true; without it `updated_at` does.
    figures_at: datetime | None = None
    addresses: tuple[AddressFact, ...] | Maybe = UNSET
    company_ids: tuple[str, ...] | Maybe = UNSET
    metafields: tuple[MetafieldFact, ...] | Maybe = UNSET
    store_credit: tuple[StoreCreditFact, ...] | Maybe = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFact:
    """One line of an order; `amount` is the line's total after line discounts."""

    product_id: str | None
    quantity: int
    amount: int
    variant_id: str | None = None
    title: str | None = None
    vendor: str | None = None
    sku: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFact:
    """One refund of an order; `amount` is positive."""

    refund_id: str
    refunded_at: datetime
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFact:
    """One order as it stands at `updated_at`; replaces what was stored under its id if newer.

    `total_amount`: with tax and shipping, after discounts, before refunds, in shop currency.
    """

    order_id: str
    customer_id: str | None
    processed_at: datetime
    total_amount: int
    updated_at: datetime | None = None
    name: str | None = None
    cancelled_at: datetime | None = None
    is_test: bool = False
    source_name: str | None = None
    app_id: str | None = None
    location_id: str | None = None
    referrer: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    tags: tuple[str, ...] = ()
    discount_codes: tuple[str, ...] = ()
    lines: tuple[LineFact, ...] = ()
    refunds: tuple[RefundFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundChange:
    """A refund told by itself (webhook), before the order's own update arrives."""

    order_id: str
    refund: RefundFact


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFact:
    """One product as it stands at `updated_at`."""

    product_id: str
    updated_at: datetime | None = None
    title: str | None = None
    vendor: str | None = None
    product_type: str | None = None
    category_id: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    collections: tuple[tuple[str, str], ...] | Maybe = UNSET


@dataclass(frozen=True, slots=True)
class CustomerDeleted:
    """The customer is gone; the orders stay, without a person."""

    customer_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CustomerRedacted:
    """The customer's personal data must go; order sums stay."""

    customer_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CustomersMerged:
    """`removed_id` was merged into `kept_id`; the orders move."""

    kept_id: str
    removed_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderDeleted:
    """The order no longer exists."""

    order_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ProductDeleted:
    """The product no longer exists; lines that name it stay."""

    product_id: str
    at: datetime


Fact = (
    CustomerFact
    | OrderFact
    | RefundChange
    | ProductFact
    | CustomerDeleted
    | CustomerRedacted
    | CustomersMerged
    | OrderDeleted
    | ProductDeleted
)
