"""What lives in the pretend shop: customers, orders, products and what hangs on them.

Instants are whole seconds since 1970 in UTC (Shopify tells no finer), money is whole minor units of
the shop's currency, ids are Shopify's numbers. Nothing here changes by itself: see shop.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Seconds = int
RestockType = Literal["NO_RESTOCK", "CANCEL", "RETURN"]


@dataclass(slots=True)
class Address:
    """One address of a customer."""

    id: int
    first_name: str | None
    last_name: str | None
    address1: str | None
    city: str | None
    province: str | None
    province_code: str | None
    country: str
    country_code: str
    zip: str | None
    latitude: float | None = None
    longitude: float | None = None
    phone: str | None = None
    company: str | None = None
    address2: str | None = None


@dataclass(slots=True)
class Consent:
    """What a customer said about marketing on one channel; `state` is Shopify's enum."""

    state: str = "NOT_SUBSCRIBED"
    level: str | None = None
    updated: Seconds | None = None


@dataclass(slots=True)
class Metafield:
    """One metafield of a customer."""

    id: int
    namespace: str
    key: str
    type: str
    value: str
    created: Seconds
    updated: Seconds


@dataclass(slots=True)
class Credit:
    """One credit given to a store credit account; `expires` is None when it stays for good."""

    id: int
    amount: int
    created: Seconds
    expires: Seconds | None


@dataclass(slots=True)
class CreditAccount:
    """A customer's store credit in one currency."""

    id: int
    balance: int
    credits: tuple[Credit, ...] = ()


@dataclass(slots=True, eq=False)
class Company:
    """A business that buys through its people."""

    id: int
    name: str


@dataclass(slots=True, eq=False)
class Customer:
    """One person in the shop's customer list. Personal fields may all be None."""

    id: int
    created: Seconds
    updated: Seconds
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str = "en"
    note: str | None = None
    state: str = "DISABLED"
    tags: tuple[str, ...] = ()
    tax_exempt: bool = False
    verified_email: bool = True
    email_consent: Consent = field(default_factory=Consent)
    sms_consent: Consent = field(default_factory=Consent)
    addresses: tuple[Address, ...] = ()
    orders: list[Order] = field(default_factory=list)
    metafields: tuple[Metafield, ...] = ()
    credit_accounts: tuple[CreditAccount, ...] = ()
    company: Company | None = None
    subscriber_status: str = "NEVER_SUBSCRIBED"

    @property
    def display_name(self) -> str:
        """Return the name Shopify shows: the person's, else the address to reach them."""
        name = " ".join(part for part in (self.first_name, self.last_name) if part)
        return name or self.email or self.phone or ""

    def counted_orders(self) -> list[Order]:
        """Return the orders that Shopify's lifetime figures count."""
        return [order for order in self.orders if not order.test and order.cancelled is None]

    @property
    def spent(self) -> int:
        """Return the lifetime sum less refunds."""
        return sum(order.total - order.refunded for order in self.counted_orders())

    @property
    def last_order(self) -> Order | None:
        """Return the newest order that counts."""
        return max(self.counted_orders(), key=lambda order: order.processed, default=None)


@dataclass(slots=True, eq=False)
class Collection:
    """A named group of products."""

    id: int
    title: str
    handle: str


@dataclass(slots=True, eq=False)
class Variant:
    """One sellable form of a product."""

    id: int
    title: str
    sku: str
    price: int


@dataclass(slots=True, eq=False)
class Product:
    """One product."""

    id: int
    title: str
    handle: str
    vendor: str
    product_type: str
    category: tuple[str, str] | None
    created: Seconds
    updated: Seconds
    tags: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    collections: tuple[Collection, ...] = ()
    status: str = "ACTIVE"


@dataclass(slots=True, eq=False)
class Line:
    """One line of an order; `discount` is the line's own, `returned` the units given back."""

    id: int
    product: Product | None
    variant: Variant | None
    title: str
    quantity: int
    unit_price: int
    discount: int = 0
    returned: int = 0
    vendor: str | None = None
    sku: str | None = None
    is_gift_card: bool = False

    @property
    def total(self) -> int:
        """Units times price less the line's own discount."""
        return self.quantity * self.unit_price - self.discount


@dataclass(slots=True, eq=False)
class RefundLine:
    """Units of one line that came back."""

    id: int
    line: Line
    quantity: int
    amount: int
    restock_type: RestockType = "NO_RESTOCK"


@dataclass(slots=True, eq=False)
class Refund:
    """Money given back."""

    id: int
    created: Seconds
    amount: int
    note: str | None = None
    lines: tuple[RefundLine, ...] = ()


@dataclass(slots=True, frozen=True)
class Visit:
    """How the customer came: shared between orders, since few kinds of visits exist."""

    source: str
    referrer: str | None = None
    landing_page: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None


@dataclass(slots=True, eq=False)
class Order:
    """One order. `total` never moves: with tax and shipping, after discounts, before refunds."""

    id: int
    number: int
    customer: Customer | None
    created: Seconds
    processed: Seconds
    updated: Seconds
    lines: tuple[Line, ...]
    subtotal: int
    shipping: int
    tax: int
    discount: int
    total: int
    refunds: tuple[Refund, ...] = ()
    cancelled: Seconds | None = None
    cancel_reason: str | None = None
    closed: Seconds | None = None
    test: bool = False
    source_name: str = "web"
    app_id: int = 580111
    location_id: int | None = None
    tags: tuple[str, ...] = ()
    discount_codes: tuple[str, ...] = ()
    visit: Visit | None = None
    email: str | None = None
    locale: str = "en"

    @property
    def refunded(self) -> int:
        """Return the sum of the refunds."""
        return sum(refund.amount for refund in self.refunds)


@dataclass(slots=True, eq=False)
class Segment:
    """A customer segment kept in the shop itself."""

    id: int
    name: str
    query: str
    created: Seconds
    edited: Seconds


@dataclass(slots=True, eq=False)
class AbandonedCheckout:
    """A basket that was left."""

    id: int
    customer: Customer | None
    created: Seconds
    updated: Seconds


@dataclass(slots=True, frozen=True)
class MetafieldDefinition:
    """A metafield that the shop has declared for customers."""

    id: int
    name: str
    namespace: str
    key: str
    type: str
    category: str


@dataclass(slots=True, frozen=True)
class Location:
    """A place where the shop sells in person."""

    id: int
    name: str
