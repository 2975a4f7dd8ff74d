"""Fields of orders, lines, refunds, payments and left baskets.

`totalPriceSet` is the total before returns, `currentTotalPriceSet` after them; a line's discounted
total leaves out discounts by code unless they are asked for.
"""

from __future__ import annotations

from typing import Any

from regulars.simulator.models import Line, Order, Refund
from regulars.simulator.money import api_instant, fixed_amount
from regulars.simulator.resolvers.base import (
    Args,
    Resolver,
    Source,
    World,
    at,
    fields,
    gid,
    moment,
    money,
)
from regulars.simulator.shop import POINT_OF_SALE_APP

APP_NAMES = {POINT_OF_SALE_APP: "Point of Sale"}


def payment_state(order: Order) -> str:
    """Return the order's payment state."""
    if order.total and order.refunded >= order.total:
        return "REFUNDED"
    if order.cancelled is not None and not order.refunded:
        return "VOIDED"
    return "PARTIALLY_REFUNDED" if order.refunded else "PAID"


def fulfillment_state(order: Order, _args: Args, _world: World) -> str:
    """Orders are sent out at once here; what came back whole is put into stock again."""
    return "UNFULFILLED" if order.cancelled is not None else "FULFILLED"


def code_discount(order: Order) -> int:
    """Return the part of the discount that came by code."""
    return order.discount - sum(line.discount for line in order.lines)


def with_order(order: Order) -> list[tuple[Order, Line]]:
    """Return the lines beside their order, which they need to know for shares of discounts."""
    return [(order, line) for line in order.lines]


def share(pair: tuple[Order, Line]) -> int:
    """Return the line's share of the discount by code; the last line takes what is left over."""
    order, line = pair
    whole = sum(each.total for each in order.lines)
    discount = code_discount(order)
    if not whole or not discount:
        return 0
    if line is order.lines[-1]:
        return discount - sum(each.total * discount // whole for each in order.lines[:-1])
    return line.total * discount // whole


def discounted_total(pair: tuple[Order, Line], args: Args, _world: World) -> int:
    """Return the line's total, with discounts by code only when asked for."""
    return pair[1].total - (share(pair) if args.get("withCodeDiscounts") else 0)


def discount_allocations(pair: tuple[Order, Line], _args: Args, _world: World) -> list[int]:
    """Return what each discount took off the line."""
    return [amount for amount in (pair[1].discount, share(pair)) if amount]


def refunds(order: Order, args: Args, _world: World) -> list[tuple[Order, Refund]]:
    """Return the refunds, oldest first."""
    first = args.get("first")
    return [(order, refund) for refund in order.refunds][:first]


def transactions(order: Order, args: Args, _world: World) -> list[Any]:
    """Return the payment, then the money given back."""
    sale = ("SALE", order.id * 10, order.created, order.total)
    back = [refund_payment(refund) for refund in order.refunds]
    return [sale, *back][: args.get("first")]


def refund_payment(refund: Refund) -> tuple[str, int, int, int]:
    """Return the payment that carried a refund."""
    return ("REFUND", refund.id * 10 + 1, refund.created, refund.amount)


def part(index: int) -> Resolver:
    """Read the n-th part of a pair, or of a payment."""
    return lambda pair, _args, _world: pair[index]


def inner(name: str, index: int = 1) -> Resolver:
    """Read an attribute of one part of a pair."""
    return lambda pair, _args, _world: getattr(pair[index], name)


def inner_moment(name: str) -> Resolver:
    """Read an instant of the second part of a pair."""
    return lambda pair, _args, _world: api_instant(getattr(pair[1], name))


def days_to_conversion(_order: Order, _args: Args, _world: World) -> int:
    """Visits are noted on the day of the order here."""
    return 0


fields(
    "Order",
    id=lambda o, _a, _w: gid("Order", o.id),
    legacyResourceId=lambda o, _a, _w: str(o.id),
    name=lambda o, _a, _w: f"#{o.number}",
    test=at("test"),
    confirmed=lambda _o, _a, _w: True,
    createdAt=moment("created"),
    processedAt=moment("processed"),
    updatedAt=moment("updated"),
    cancelledAt=moment("cancelled"),
    closedAt=moment("closed"),
    cancelReason=at("cancel_reason"),
    currencyCode=lambda _o, _a, w: w.shop.currency,
    presentmentCurrencyCode=lambda _o, _a, w: w.shop.currency,
    taxesIncluded=lambda _o, _a, _w: True,
    displayFinancialStatus=lambda o, _a, _w: payment_state(o),
    displayFulfillmentStatus=fulfillment_state,
    fullyPaid=lambda _o, _a, _w: True,
    sourceName=at("source_name"),
    app=lambda o, _a, _w: o.app_id,
    retailLocation=lambda o, _a, w: w.shop.locations.get(o.location_id or 0),
    tags=lambda o, _a, _w: list(o.tags),
    discountCodes=lambda o, _a, _w: list(o.discount_codes),
    customer=at("customer"),
    customerAcceptsMarketing=lambda o, _a, _w: (
        o.customer is not None and o.customer.email_consent.state == "SUBSCRIBED"
    ),
    customerLocale=at("locale"),
    email=at("email"),
    phone=lambda o, _a, _w: o.customer.phone if o.customer else None,
    note=lambda _o, _a, _w: None,
    currentTotalPriceSet=money(lambda o: o.total - o.refunded),
    currentSubtotalPriceSet=money(lambda o: max(o.subtotal - o.refunded, 0)),
    totalPriceSet=money(lambda o: o.total),
    originalTotalPriceSet=money(lambda o: o.total),
    totalReceivedSet=money(lambda o: o.total),
    totalRefundedSet=money(lambda o: o.refunded),
    netPaymentSet=money(lambda o: o.total - o.refunded),
    totalOutstandingSet=money(lambda _o: 0),
    currentTotalTaxSet=money(lambda o: o.tax if o.refunded < o.total else 0),
    totalShippingPriceSet=money(lambda o: o.shipping),
    totalDiscountsSet=money(lambda o: o.discount),
    refunds=refunds,
    transactions=transactions,
    lineItems=lambda o, a, _w: Source(
        with_order(o),
        key=lambda pair: pair[1].id,
        id=lambda pair: pair[1].id,
        reverse=bool(a.get("reverse")),
    ),
    customerJourneySummary=lambda o, _a, _w: o if o.visit else None,
)
fields(
    "OrderApp",
    id=lambda app, _a, _w: gid("App", app),
    name=lambda app, _a, _w: APP_NAMES.get(app, "Online Store"),
)
fields("Location", id=lambda p, _a, _w: gid("Location", p.id), name=at("name"))
fields(
    "CustomerJourneySummary",
    ready=lambda _o, _a, _w: True,
    customerOrderIndex=lambda o, _a, _w: o.customer.orders.index(o) if o.customer else None,
    daysToConversion=days_to_conversion,
    firstVisit=lambda o, _a, _w: o,
    lastVisit=lambda o, _a, _w: o,
)
fields(
    "CustomerVisit",
    id=lambda o, _a, _w: gid("CustomerVisit", o.id),
    landingPage=lambda o, _a, _w: o.visit.landing_page,
    occurredAt=moment("created"),
    referrerUrl=lambda o, _a, _w: o.visit.referrer,
    source=lambda o, _a, _w: o.visit.source,
    sourceType=lambda o, _a, _w: "NEWSLETTER" if o.visit.utm_medium == "email" else None,
    utmParameters=lambda o, _a, _w: o.visit if o.visit.utm_source else None,
)
fields(
    "UTMParameters",
    source=at("utm_source"),
    medium=at("utm_medium"),
    campaign=at("utm_campaign"),
    content=lambda _v, _a, _w: None,
    term=lambda _v, _a, _w: None,
)
fields(
    "LineItem",
    id=lambda pair, _a, _w: gid("LineItem", pair[1].id),
    title=inner("title"),
    name=inner("title"),
    variantTitle=lambda _p, _a, _w: None,
    sku=inner("sku"),
    vendor=inner("vendor"),
    quantity=inner("quantity"),
    currentQuantity=lambda pair, _a, _w: pair[1].quantity - pair[1].returned,
    isGiftCard=inner("is_gift_card"),
    product=lambda pair, _a, w: existing(pair[1].product, w),
    variant=lambda pair, _a, w: pair[1].variant if existing(pair[1].product, w) else None,
    originalUnitPriceSet=money(lambda pair: pair[1].unit_price),
    discountedTotalSet=discounted_total,
    discountAllocations=discount_allocations,
)
fields("DiscountAllocation", allocatedAmountSet=money(lambda amount: amount))
fields(
    "Refund",
    id=lambda pair, _a, _w: gid("Refund", pair[1].id),
    legacyResourceId=lambda pair, _a, _w: str(pair[1].id),
    createdAt=inner_moment("created"),
    processedAt=inner_moment("created"),
    updatedAt=inner_moment("created"),
    note=inner("note"),
    totalRefundedSet=money(lambda pair: pair[1].amount),
    refundLineItems=lambda pair, _a, _w: Source(
        [(pair[0], line) for line in pair[1].lines],
        key=lambda line: line[1].id,
        id=lambda line: line[1].id,
    ),
    transactions=lambda pair, _a, _w: Source(
        [refund_payment(pair[1])], key=lambda payment: payment[1], id=lambda payment: payment[1]
    ),
)
fields(
    "RefundLineItem",
    id=lambda pair, _a, _w: gid("RefundLineItem", pair[1].id),
    lineItem=lambda pair, _a, _w: (pair[0], pair[1].line),
    quantity=inner("quantity"),
    restockType=inner("restock_type"),
    subtotalSet=money(lambda pair: pair[1].amount),
)
fields(
    "OrderTransaction",
    id=lambda payment, _a, _w: gid("OrderTransaction", payment[1]),
    kind=part(0),
    status=lambda _p, _a, _w: "SUCCESS",
    gateway=lambda _p, _a, _w: "shopify_payments",
    createdAt=lambda payment, _a, _w: api_instant(payment[2]),
    processedAt=lambda payment, _a, _w: api_instant(payment[2]),
    amountSet=money(lambda payment: payment[3]),
)
fields(
    "AbandonedCheckout",
    id=lambda c, _a, _w: gid("AbandonedCheckout", c.id),
    createdAt=moment("created"),
    updatedAt=moment("updated"),
    completedAt=lambda _c, _a, _w: None,
    customer=at("customer"),
)


def existing(product: Any, world: World) -> Any:
    """Return a product while it is in the shop."""
    return product if product is not None and product.id in world.shop.products else None


fields(
    "Product",
    id=lambda p, _a, _w: gid("Product", p.id),
    legacyResourceId=lambda p, _a, _w: str(p.id),
    title=at("title"),
    handle=at("handle"),
    status=at("status"),
    vendor=at("vendor"),
    productType=at("product_type"),
    tags=lambda p, _a, _w: list(p.tags),
    createdAt=moment("created"),
    updatedAt=moment("updated"),
    category=at("category"),
    variants=lambda p, _a, _w: Source(p.variants),
    collections=lambda p, _a, _w: Source(sorted(p.collections, key=lambda c: c.id)),
)
fields(
    "TaxonomyCategory",
    id=lambda c, _a, _w: f"gid://shopify/TaxonomyCategory/{c[0]}",
    fullName=lambda c, _a, _w: c[1],
    name=lambda c, _a, _w: c[1].rsplit(" > ", 1)[-1],
)
fields(
    "ProductVariant",
    id=lambda v, _a, _w: gid("ProductVariant", v.id),
    title=at("title"),
    sku=at("sku"),
    price=lambda v, _a, w: fixed_amount(v.price, w.shop.currency),
)
fields(
    "Collection",
    id=lambda c, _a, _w: gid("Collection", c.id),
    title=at("title"),
    handle=at("handle"),
)
