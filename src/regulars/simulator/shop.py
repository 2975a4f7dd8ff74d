"""The pretend shop: everything in it, and the acts that change it.

Each act moves `updated` on what it touched and tells the listeners an Event; what goes out over
webhooks is decided elsewhere. All acts are safe to call from several threads.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from regulars.clock import Clock, system_clock
from regulars.simulator import tags as tag_rules
from regulars.simulator.models import (
    AbandonedCheckout,
    Collection,
    Consent,
    Customer,
    Line,
    Location,
    Metafield,
    MetafieldDefinition,
    Order,
    Product,
    Refund,
    RefundLine,
    Segment,
    Variant,
)

P = ParamSpec("P")
R = TypeVar("R")

#: Shopify's own channels: the online shop and point of sale.
ONLINE_STORE_APP = 580111
POINT_OF_SALE_APP = 129785
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened in the shop: a webhook topic, what it is about, and what only it knows."""

    topic: str
    subject: object
    detail: tuple[str, ...] = ()


class MovableClock:
    """A clock that runs with another one, ahead of it by what it was moved."""

    def __init__(self, base: Clock = system_clock) -> None:
        self.base = base
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """Return the present instant of the shop."""
        return self.base() + self.ahead

    def move(self, step: timedelta) -> None:
        """Move forward; a shop's time never runs backwards."""
        if step < timedelta():
            raise ValueError("the shop's clock only moves forward")
        self.ahead += step


def act(
    method: Callable[Concatenate[Shop, P], R],
) -> Callable[Concatenate[Shop, P], R]:
    """Run one act of the shop under its lock."""

    @functools.wraps(method)
    def guarded(self: Shop, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            return method(self, *args, **kwargs)

    return guarded


@dataclass(eq=False)
class Shop:
    """One pretend shop. Dictionaries are by id, in order of creation."""

    clock: Clock
    domain: str = "regulars-demo.myshopify.com"
    name: str = "Regulars Demo"
    email: str = "owner@regulars-demo.example"
    currency: str = "JPY"
    time_zone: str = "Asia/Tokyo"
    plan: str = "Basic"
    id: int = 61_000_000_001
    created: int = 0
    customers: dict[int, Customer] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    products: dict[int, Product] = field(default_factory=dict)
    collections: dict[int, Collection] = field(default_factory=dict)
    segments: dict[int, Segment] = field(default_factory=dict)
    abandoned_checkouts: dict[int, AbandonedCheckout] = field(default_factory=dict)
    metafield_definitions: dict[int, MetafieldDefinition] = field(default_factory=dict)
    locations: dict[int, Location] = field(default_factory=dict)
    #: The next id of anything; ids of a real shop are long numbers too.
    next_id: int = 7_000_000_000_001
    next_order_number: int = 1001
    listeners: list[Callable[[Event], None]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def zone(self) -> ZoneInfo:
        """Return the shop's time zone."""
        return ZoneInfo(self.time_zone)

    def now(self) -> int:
        """Return the shop's present second."""
        return int((self.clock() - EPOCH).total_seconds())

    def new_id(self) -> int:
        """Return an id that nothing else in the shop has."""
        with self.lock:
            self.next_id += 1
            return self.next_id

    def tell(self, topic: str, subject: object, *detail: str) -> None:
        """Let the listeners know what happened."""
        for listener in self.listeners:
            listener(Event(topic, subject, detail))

    # Customers

    @act
    def create_customer(self, /, **values: object) -> Customer:
        """Add a customer; `values` are fields of Customer."""
        now = self.now()
        customer = Customer(id=self.new_id(), created=now, updated=now, **values)  # type: ignore[arg-type]
        self.customers[customer.id] = customer
        self.tell("customers/create", customer)
        return customer

    @act
    def update_customer(self, /, customer: Customer, **values: object) -> None:
        """Change fields of a customer other than tags and consent."""
        for name, value in values.items():
            setattr(customer, name, value)
        customer.updated = self.now()
        self.tell("customers/update", customer)

    @act
    def delete_customer(self, customer: Customer) -> None:
        """Take a customer out; the orders stay, without a person."""
        self.customers.pop(customer.id, None)
        for order in customer.orders:
            order.customer = None
        self.tell("customers/delete", customer)

    @act
    def merge_customers(self, kept: Customer, removed: Customer) -> None:
        """Fold one customer into another: orders, tags and metafields move."""
        for order in removed.orders:
            order.customer = kept
            order.updated = self.now()
        kept.orders = sorted([*kept.orders, *removed.orders], key=lambda order: order.processed)
        removed.orders = []
        kept.tags, _ = tag_rules.added(kept.tags, removed.tags, {})
        kept.updated = self.now()
        self.customers.pop(removed.id, None)
        self.tell("customers/merge", kept, str(removed.id))
        self.tell("customers/delete", removed)

    @act
    def redact_customer(self, customer: Customer) -> None:
        """Ask the apps to forget a customer, then take the person out."""
        self.tell("customers/redact", customer)
        self.delete_customer(customer)

    @act
    def set_email_consent(self, customer: Customer, state: str) -> None:
        """Change the answer to e-mail marketing; this is told apart from the profile."""
        customer.email_consent = Consent(state, "SINGLE_OPT_IN", self.now())
        customer.updated = self.now()
        self.tell("customers_email_marketing_consent/update", customer)

    @act
    def set_sms_consent(self, customer: Customer, state: str) -> None:
        """Change the answer to SMS marketing."""
        customer.sms_consent = Consent(state, "SINGLE_OPT_IN", self.now())
        customer.updated = self.now()
        self.tell("customers_marketing_consent/update", customer)

    @act
    def add_tags(self, customer: Customer, tags: Iterable[str]) -> None:
        """Give tags by the recorded rules; raises TooManyTagsError and then changes nothing."""
        after, new = tag_rules.added(customer.tags, tags, self.tag_casing())
        if not new:
            return
        customer.tags = after
        customer.updated = self.now()
        for tag in new:
            self.tag_casing().setdefault(tag_rules.key(tag), tag)
        self.tell("customer.tags_added", customer, *new)

    @act
    def remove_tags(self, customer: Customer, tags: Iterable[str]) -> None:
        """Take tags off, whatever their casing; tags that are not there are no error."""
        after, gone = tag_rules.removed(customer.tags, tags)
        if not gone:
            return
        customer.tags = after
        customer.updated = self.now()
        self.tell("customer.tags_removed", customer, *gone)

    def tag_casing(self) -> dict[str, str]:
        """Return how each customer tag of the shop is written, by its case-free form."""
        casing = self.__dict__.get("_tag_casing")
        if casing is None:
            casing = {}
            for customer in self.customers.values():
                for tag in customer.tags:
                    casing.setdefault(tag_rules.key(tag), tag)
            self.__dict__["_tag_casing"] = casing
        known: dict[str, str] = casing
        return known

    @act
    def set_metafield(
        self, customer: Customer, namespace: str, key: str, type_: str, value: str
    ) -> Metafield:
        """Write one metafield of a customer, making it where it is new."""
        now = self.now()
        customer.updated = now
        for metafield in customer.metafields:
            if (metafield.namespace, metafield.key) == (namespace, key):
                metafield.value, metafield.type, metafield.updated = value, type_, now
                self.tell("customers/update", customer)
                return metafield
        made = Metafield(self.new_id(), namespace, key, type_, value, now, now)
        customer.metafields = (*customer.metafields, made)
        self.tell("customers/update", customer)
        return made

    # Orders

    def line(self, product: Product, quantity: int, amount: int | None = None) -> Line:
        """Make a line of the product's first variant; `amount` is the whole line's price."""
        variant: Variant | None = product.variants[0] if product.variants else None
        price = variant.price if variant is not None else 0
        unit, left = (price, 0) if amount is None else divmod(amount, quantity)
        # A price that does not divide is rounded up and the difference given as a discount.
        unit, discount = (unit + 1, quantity - left) if left else (unit, 0)
        return Line(
            id=self.new_id(),
            product=product,
            variant=variant,
            title=product.title,
            quantity=quantity,
            unit_price=unit,
            discount=discount,
            vendor=product.vendor,
            sku=variant.sku if variant else None,
        )

    @act
    def place_order(
        self, /, customer: Customer | None, lines: Sequence[Line], **values: object
    ) -> Order:
        """Place a paid order now; `values` are further fields of Order."""
        now = self.now()
        subtotal = sum(line.total for line in lines)
        order = Order(
            id=self.new_id(),
            number=self.next_order_number,
            customer=customer,
            created=now,
            processed=now,
            updated=now,
            lines=tuple(lines),
            subtotal=subtotal,
            shipping=0,
            # Ten in a hundred of the price, already inside it.
            tax=subtotal // 11,
            discount=sum(line.discount for line in lines),
            total=subtotal,
            email=customer.email if customer else None,
            locale=customer.locale if customer else "en",
        )
        for name, value in values.items():
            setattr(order, name, value)
        self.next_order_number += 1
        self.orders[order.id] = order
        if customer is not None:
            customer.orders.append(order)
        self.tell("orders/create", order)
        self.tell("orders/paid", order)
        self.touched(order)
        return order

    def touched(self, order: Order) -> None:
        """Tell the order's update and what it does to the customer's lifetime figures."""
        self.tell("orders/updated", order)
        if order.customer is not None:
            order.customer.updated = self.now()
            self.tell("customers/purchasing_summary", order.customer)

    @act
    def refund_order(self, order: Order, amount: int | None = None, note: str = "") -> Refund:
        """Give money back, all that is left when no amount is given."""
        left = order.total - order.refunded
        amount = left if amount is None else amount
        if not 0 < amount <= left:
            raise ValueError(f"an order with {left} left cannot give back {amount}")
        lines: tuple[RefundLine, ...] = ()
        if amount == left and not order.refunds:
            lines = tuple(
                RefundLine(self.new_id(), line, line.quantity, line.total, "RETURN")
                for line in order.lines
            )
            for line in order.lines:
                line.returned = line.quantity
        refund = Refund(self.new_id(), self.now(), amount, note or None, lines)
        order.refunds = (*order.refunds, refund)
        order.updated = self.now()
        self.tell("refunds/create", order, str(refund.id))
        self.touched(order)
        return refund

    @act
    def cancel_order(self, order: Order, reason: str = "CUSTOMER") -> None:
        """Cancel an order; its money is given back where it was not yet."""
        if order.cancelled is not None:
            return
        if order.total > order.refunded:
            self.refund_order(order, note="cancelled")
        order.cancelled = order.closed = order.updated = self.now()
        order.cancel_reason = reason
        self.tell("orders/cancelled", order)
        self.touched(order)

    @act
    def delete_order(self, order: Order) -> None:
        """Take an order out as if it had never been."""
        self.orders.pop(order.id, None)
        if order.customer is not None:
            order.customer.orders.remove(order)
            order.customer.updated = self.now()
        self.tell("orders/delete", order)
        if order.customer is not None:
            self.tell("customers/purchasing_summary", order.customer)

    # Products and segments

    @act
    def create_product(self, /, title: str, price: int, **values: object) -> Product:
        """Add a product with one variant."""
        now, number = self.now(), self.new_id()
        product = Product(
            id=number,
            title=title,
            handle=title.lower().replace(" ", "-"),
            vendor=self.name,
            product_type="",
            category=None,
            created=now,
            updated=now,
            variants=(Variant(self.new_id(), "Default Title", f"SKU-{number}", price),),
        )
        for name, value in values.items():
            setattr(product, name, value)
        self.products[product.id] = product
        self.tell("products/create", product)
        return product

    @act
    def update_product(self, /, product: Product, **values: object) -> None:
        """Change fields of a product."""
        for name, value in values.items():
            setattr(product, name, value)
        product.updated = self.now()
        self.tell("products/update", product)

    @act
    def delete_product(self, product: Product) -> None:
        """Take a product out; lines of orders keep its title."""
        self.products.pop(product.id, None)
        self.tell("products/delete", product)

    @act
    def create_segment(self, name: str, query: str) -> Segment:
        """Keep a segment in the shop."""
        now = self.now()
        segment = Segment(self.new_id(), name, query, now, now)
        self.segments[segment.id] = segment
        self.tell("segments/create", segment)
        return segment

    @act
    def update_segment(self, segment: Segment, name: str | None, query: str | None) -> None:
        """Rename a segment or change its query."""
        segment.name = segment.name if name is None else name
        segment.query = segment.query if query is None else query
        segment.edited = self.now()
        self.tell("segments/update", segment)

    @act
    def delete_segment(self, segment: Segment) -> None:
        """Take a segment out."""
        self.segments.pop(segment.id, None)
        self.tell("segments/delete", segment)
