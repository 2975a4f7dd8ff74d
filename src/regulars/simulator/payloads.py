"""Webhook payloads in the shapes of API 2025-01 and later.

Older family: snake case, numeric ids beside `admin_graphql_api_id`, times with the shop's offset.
Newer family (tags, purchasing summary): camel case, global ids, times in UTC. Customers carry no
tags, sums or consent.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import orjson

from regulars.simulator.models import (
    Address,
    Customer,
    Line,
    Order,
    Product,
    Refund,
    RefundLine,
    Segment,
)
from regulars.simulator.money import api_amount, fixed_amount, milli_instant, shop_instant

if TYPE_CHECKING:
    from regulars.simulator.bulk_operation import BulkOperation
    from regulars.simulator.shop import Event, Shop

Json = dict[str, Any]

#: What the simulator always tells in the same way, mostly nothing, by kind of thing.
CONSTANTS: dict[str, Json] = orjson.loads(
    Path(__file__).with_name("payload_constants.json").read_bytes()
)


class Writer:
    """Writes the shop's things as webhook payloads."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.zone = shop.zone

    def instant(self, seconds: int | None) -> str | None:
        """Write an instant with the shop's offset."""
        return None if seconds is None else shop_instant(seconds, self.zone)

    def money(self, minor: int) -> str:
        """Write an amount with all its decimals."""
        return fixed_amount(minor, self.shop.currency)

    def money_set(self, minor: int) -> Json:
        """Write an amount in shop and presentment currency, which are the same here."""
        told = {"amount": self.money(minor), "currency_code": self.shop.currency}
        return {"shop_money": told, "presentment_money": dict(told)}

    def prices(self, prefix: str, minor: int) -> Json:
        """Write an amount as Shopify repeats it: plain and as a set."""
        return {prefix: self.money(minor), f"{prefix}_set": self.money_set(minor)}

    def place(self, address: Address) -> Json:
        """Write an address as orders carry it."""
        return {
            "first_name": address.first_name,
            "address1": address.address1,
            "phone": address.phone,
            "city": address.city,
            "zip": address.zip,
            "province": address.province,
            "country": address.country,
            "last_name": address.last_name,
            "address2": address.address2,
            "company": address.company,
            "latitude": address.latitude,
            "longitude": address.longitude,
            "name": f"{address.first_name or ''} {address.last_name or ''}".strip(),
            "country_code": address.country_code,
            "province_code": address.province_code,
        }

    def address(self, address: Address, customer: Customer) -> Json:
        """Write an address as customers carry it."""
        told = self.place(address)
        del told["latitude"], told["longitude"]
        return told | {
            "id": address.id,
            "customer_id": customer.id,
            "country_name": address.country,
            "default": address is customer.addresses[0],
        }

    def person(self, customer: Customer) -> Json:
        """Write a customer as it stands inside an order."""
        told: Json = {
            "id": customer.id,
            "created_at": self.instant(customer.created),
            "updated_at": self.instant(customer.updated),
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "state": customer.state.lower(),
            "note": customer.note,
            "verified_email": customer.verified_email,
            "multipass_identifier": None,
            "tax_exempt": customer.tax_exempt,
            "email": customer.email,
            "phone": customer.phone,
            "currency": self.shop.currency,
            "tax_exemptions": [],
            "admin_graphql_api_id": f"gid://shopify/Customer/{customer.id}",
        }
        if customer.addresses:
            told["default_address"] = self.address(customer.addresses[0], customer)
        return told

    def customer(self, customer: Customer) -> Json:
        """Write a customer."""
        addresses = [self.address(address, customer) for address in customer.addresses]
        return self.person(customer) | {"addresses": addresses}

    def line(self, line: Line, order: Order) -> Json:
        """Write what orders and refunds both tell of a line."""
        exists = line.product is not None and line.product.id in self.shop.products
        return {
            **deepcopy(CONSTANTS["line"]),
            "id": line.id,
            "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}",
            "fulfillment_status": None if order.cancelled else "fulfilled",
            "gift_card": line.is_gift_card,
            "name": line.title,
            "price": self.money(line.unit_price),
            "price_set": self.money_set(line.unit_price),
            "product_exists": exists,
            "product_id": line.product.id if line.product is not None and exists else None,
            "quantity": line.quantity,
            "requires_shipping": not line.is_gift_card,
            "sku": line.sku,
            "title": line.title,
            **self.prices("total_discount", line.discount),
            "variant_id": line.variant.id if line.variant and exists else None,
            "vendor": line.vendor,
        }

    def order_line(self, line: Line, order: Order) -> Json:
        """Write a line as orders carry it."""
        return self.line(line, order) | {
            "attributed_staffs": [],
            "current_quantity": line.quantity - line.returned,
            "sales_line_item_group_id": None,
        }

    def refund_line(self, part: RefundLine, order: Order) -> Json:
        """Write what came back of one line."""
        return {
            "id": part.id,
            "quantity": part.quantity,
            "line_item_id": part.line.id,
            "location_id": None,
            "restock_type": part.restock_type.lower(),
            "subtotal": float(api_amount(part.amount, self.shop.currency)),
            "total_tax": 0,
            "subtotal_set": self.money_set(part.amount),
            "total_tax_set": self.money_set(0),
            "line_item": self.line(part.line, order),
        }

    def refund(self, refund: Refund, order: Order) -> Json:
        """Write a refund."""
        return {
            **deepcopy(CONSTANTS["refund"]),
            "id": refund.id,
            "order_id": order.id,
            "created_at": self.instant(refund.created),
            "note": refund.note,
            "processed_at": self.instant(refund.created),
            "total_duties_set": self.money_set(0),
            "admin_graphql_api_id": f"gid://shopify/Refund/{refund.id}",
            "refund_line_items": [self.refund_line(part, order) for part in refund.lines],
            "transactions": [self.refund_payment(refund, order)],
        }

    def refund_payment(self, refund: Refund, order: Order) -> Json:
        """Write the payment that carried a refund."""
        number = refund.id * 10 + 1
        unsettled = {"amount": self.money(0), "currency": self.shop.currency}
        return {
            **deepcopy(CONSTANTS["refund_payment"]),
            "id": number,
            "order_id": order.id,
            "created_at": self.instant(refund.created),
            "test": order.test,
            "parent_id": order.id * 10,
            "processed_at": self.instant(refund.created),
            "source_name": order.source_name,
            "amount": self.money(refund.amount),
            "currency": self.shop.currency,
            "payment_id": f"#{order.number}.2",
            "total_unsettled_set": {"presentment_money": unsettled, "shop_money": unsettled},
            "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{number}",
        }

    def order(self, order: Order) -> Json:
        """Write an order."""
        customer = order.customer
        place = self.place(customer.addresses[0]) if customer and customer.addresses else None
        told: Json = self.order_head(order) | self.order_sums(order)
        told["line_items"] = [self.order_line(line, order) for line in order.lines]
        told["refunds"] = [self.refund(refund, order) for refund in order.refunds]
        told["shipping_lines"] = [self.shipping(order)] if order.shipping else []
        if place is not None:
            told["billing_address"] = place
            told["shipping_address"] = dict(place)
        if customer is not None:
            told["customer"] = self.person(customer)
        return told

    def order_head(self, order: Order) -> Json:
        """Write what an order is, without its sums."""
        from regulars.simulator.resolvers.orders import payment_state

        customer = order.customer
        subscribed = customer is not None and customer.email_consent.state == "SUBSCRIBED"
        return {
            **deepcopy(CONSTANTS["order"]),
            "id": order.id,
            "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
            "app_id": order.app_id,
            "buyer_accepts_marketing": subscribed,
            "cancel_reason": order.cancel_reason.lower() if order.cancel_reason else None,
            "cancelled_at": self.instant(order.cancelled),
            "closed_at": self.instant(order.closed),
            "contact_email": order.email,
            "created_at": self.instant(order.created),
            "currency": self.shop.currency,
            "customer_locale": order.locale,
            "discount_codes": [
                {"code": code, "amount": self.money(order.discount), "type": "percentage"}
                for code in order.discount_codes
            ],
            "email": order.email,
            "financial_status": payment_state(order).lower(),
            "fulfillment_status": None if order.cancelled else "fulfilled",
        } | self.order_origin(order)

    def order_origin(self, order: Order) -> Json:
        """Write where an order came from and how it is referred to."""
        customer, visit = order.customer, order.visit
        url = f"https://{self.shop.domain}/{self.shop.id}/orders/{order.id:x}/authenticate"
        return {
            "landing_site": visit.landing_page if visit else None,
            "location_id": order.location_id,
            "name": f"#{order.number}",
            "number": order.number - 1000,
            "order_number": order.number,
            "order_status_url": url,
            "payment_gateway_names": ["shopify_payments"],
            "phone": customer.phone if customer else None,
            "presentment_currency": self.shop.currency,
            "processed_at": self.instant(order.processed),
            "referring_site": visit.referrer if visit else None,
            "source_name": order.source_name,
            "tags": ", ".join(order.tags),
            "test": order.test,
            "token": f"{order.id:x}",
            "updated_at": self.instant(order.updated),
        }

    def order_sums(self, order: Order) -> Json:
        """Write the sums of an order."""
        now_total = order.total - order.refunded
        now_subtotal = max(order.subtotal - order.refunded, 0)
        now_tax = order.tax if now_total else 0
        listed = sum(line.quantity * line.unit_price for line in order.lines)
        return {
            "current_shipping_price_set": self.money_set(order.shipping if now_total else 0),
            **self.prices("current_subtotal_price", now_subtotal),
            **self.prices("current_total_discounts", order.discount),
            **self.prices("current_total_price", now_total),
            **self.prices("current_total_tax", now_tax),
            **self.prices("subtotal_price", order.subtotal),
            "total_cash_rounding_payment_adjustment_set": self.money_set(0),
            "total_cash_rounding_refund_adjustment_set": self.money_set(0),
            **self.prices("total_discounts", order.discount),
            **self.prices("total_line_items_price", listed),
            "total_outstanding": self.money(0),
            **self.prices("total_price", order.total),
            "total_shipping_price_set": self.money_set(order.shipping),
            **self.prices("total_tax", order.tax),
            "total_tip_received": self.money(0),
        }

    def shipping(self, order: Order) -> Json:
        """Write what sending the order cost."""
        return {
            **deepcopy(CONSTANTS["shipping"]),
            "id": order.id * 10 + 2,
            "current_discounted_price_set": self.money_set(order.shipping),
            **self.prices("discounted_price", order.shipping),
            **self.prices("price", order.shipping),
        }

    def product(self, product: Product) -> Json:
        """Write a product with its variants."""
        category = None
        if product.category is not None:
            number, full_name = product.category
            category = {
                "admin_graphql_api_id": f"gid://shopify/TaxonomyCategory/{number}",
                "name": full_name.rsplit(" > ", 1)[-1],
                "full_name": full_name,
            }
        return {
            **deepcopy(CONSTANTS["product"]),
            "admin_graphql_api_id": f"gid://shopify/Product/{product.id}",
            "created_at": self.instant(product.created),
            "handle": product.handle,
            "id": product.id,
            "product_type": product.product_type,
            "published_at": self.instant(product.created),
            "title": product.title,
            "updated_at": self.instant(product.updated),
            "vendor": product.vendor,
            "status": product.status.lower(),
            "tags": ", ".join(product.tags),
            "variants": [self.variant(product, number) for number in range(len(product.variants))],
            "variant_gids": [
                {
                    "admin_graphql_api_id": f"gid://shopify/ProductVariant/{variant.id}",
                    "updated_at": milli_instant(product.updated),
                }
                for variant in product.variants
            ],
            "category": category,
        }

    def variant(self, product: Product, number: int) -> Json:
        """Write the n-th variant of a product."""
        variant = product.variants[number]
        return {
            **deepcopy(CONSTANTS["variant"]),
            "admin_graphql_api_id": f"gid://shopify/ProductVariant/{variant.id}",
            "created_at": self.instant(product.created),
            "id": variant.id,
            "position": number + 1,
            "price": self.money(variant.price),
            "product_id": product.id,
            "sku": variant.sku,
            "title": variant.title,
            "updated_at": self.instant(product.updated),
            "option1": variant.title,
            "inventory_quantity": 100,
            "old_inventory_quantity": 100,
        }

    # What an event tells beyond the thing itself

    def deleted_customer(self, event: Event) -> Json:
        """Return little more than the id."""
        customer = cast(Customer, event.subject)
        return {
            "id": customer.id,
            "tax_exemptions": [],
            "admin_graphql_api_id": f"gid://shopify/Customer/{customer.id}",
        }

    def merged(self, event: Event) -> Json:
        """Return which customer stays and which one went."""
        kept = cast(Customer, event.subject)
        return {
            "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept.id}",
            "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{event.detail[0]}",
            "admin_graphql_api_job_id": None,
            "status": "completed",
            "errors": [],
        }

    def tag_change(self, event: Event) -> Json:
        """Return only the tags that were given or taken."""
        customer = cast(Customer, event.subject)
        return {
            "customerId": f"gid://shopify/Customer/{customer.id}",
            "tags": list(event.detail),
            "occurredAt": milli_instant(self.shop.now()),
        }

    def purchasing_summary(self, event: Event) -> Json:
        """Return the customer's lifetime figures."""
        customer = cast(Customer, event.subject)
        last = customer.last_order
        return {
            "customerId": f"gid://shopify/Customer/{customer.id}",
            "numberOfOrders": len(customer.counted_orders()),
            "amountSpent": {
                "amount": self.money(customer.spent),
                "currencyCode": self.shop.currency,
            },
            "lastOrderId": f"gid://shopify/Order/{last.id}" if last else None,
            "occurredAt": milli_instant(self.shop.now()),
        }

    def email_consent(self, event: Event) -> Json:
        """Return the answer to e-mail marketing."""
        customer = cast(Customer, event.subject)
        consent = customer.email_consent
        return {
            "customer_id": customer.id,
            "email_address": customer.email,
            "email_marketing_consent": {
                "state": consent.state.lower(),
                "opt_in_level": consent.level.lower() if consent.level else None,
                "consent_updated_at": self.instant(consent.updated),
            },
        }

    def sms_consent(self, event: Event) -> Json:
        """Return the answer to SMS marketing."""
        customer = cast(Customer, event.subject)
        consent = customer.sms_consent
        return {
            "id": customer.id,
            "phone": customer.phone,
            "sms_marketing_consent": {
                "state": consent.state.lower(),
                "opt_in_level": consent.level.lower() if consent.level else None,
                "consent_updated_at": self.instant(consent.updated),
                "consent_collected_from": "other",
            },
        }

    def new_refund(self, event: Event) -> Json:
        """Return the refund that the event names."""
        order = cast(Order, event.subject)
        number = int(event.detail[0])
        refund = next(each for each in order.refunds if each.id == number)
        return self.refund(refund, order)

    def only_id(self, event: Event) -> Json:
        """Return the id: a deletion tells nothing else."""
        return {"id": event.subject.id}  # type: ignore[attr-defined]

    def segment(self, event: Event) -> Json:
        """Return a segment with its query."""
        segment = cast(Segment, event.subject)
        return {
            "id": segment.id,
            "name": segment.name,
            "query": segment.query,
            "creationDate": milli_instant(segment.created),
            "lastEditDate": milli_instant(segment.edited),
        }

    def bulk_finish(self, event: Event) -> Json:
        """Return how a bulk operation ended, in lower case."""
        operation: BulkOperation = event.subject  # type: ignore[assignment]
        code = operation.error_code
        return {
            "admin_graphql_api_id": f"gid://shopify/BulkOperation/{operation.id}",
            "completed_at": self.instant(operation.completed),
            "created_at": self.instant(operation.created),
            "error_code": code.lower() if code else None,
            "status": operation.status.lower(),
            "type": operation.type.lower(),
        }

    def compliance(self, event: Event) -> Json:
        """Return who asks to be told or forgotten."""
        told: Json = {"shop_id": self.shop.id, "shop_domain": self.shop.domain}
        customer = event.subject
        if not isinstance(customer, Customer):
            return told
        told["customer"] = {
            "id": customer.id,
            "email": customer.email,
            "phone": customer.phone,
        }
        orders = [order.id for order in customer.orders]
        if event.topic == "customers/redact":
            return told | {"orders_to_redact": orders}
        return told | {"orders_requested": orders, "data_request": {"id": self.shop.new_id()}}

    def shop_itself(self, _event: Event) -> Json:
        """Return the shop, in the parts that the simulator has."""
        return {
            "id": self.shop.id,
            "name": self.shop.name,
            "email": self.shop.email,
            "domain": self.shop.domain,
            "myshopify_domain": self.shop.domain,
            "currency": self.shop.currency,
            "iana_timezone": self.shop.time_zone,
            "plan_display_name": self.shop.plan,
        }


#: What each topic's payload is made by.
MAKERS: dict[str, Callable[[Writer, Event], Json]] = {
    "customers/delete": Writer.deleted_customer,
    "customers/merge": Writer.merged,
    "customers/purchasing_summary": Writer.purchasing_summary,
    "customers_email_marketing_consent/update": Writer.email_consent,
    "customers_marketing_consent/update": Writer.sms_consent,
    "customer.tags_added": Writer.tag_change,
    "customer.tags_removed": Writer.tag_change,
    "refunds/create": Writer.new_refund,
    "orders/delete": Writer.only_id,
    "products/delete": Writer.only_id,
    "segments/delete": Writer.only_id,
    "segments/create": Writer.segment,
    "segments/update": Writer.segment,
    "bulk_operations/finish": Writer.bulk_finish,
    "customers/data_request": Writer.compliance,
    "customers/redact": Writer.compliance,
    "shop/redact": Writer.compliance,
    "app/uninstalled": Writer.shop_itself,
    "shop/update": Writer.shop_itself,
}


def payload_of(event: Event, shop: Shop) -> bytes:
    """Return the body that tells an event."""
    writer, subject = Writer(shop), event.subject
    maker = MAKERS.get(event.topic)
    if maker is not None:
        return orjson.dumps(maker(writer, event))
    if isinstance(subject, Customer):
        return orjson.dumps(writer.customer(subject))
    if isinstance(subject, Order):
        return orjson.dumps(writer.order(subject))
    if isinstance(subject, Product):
        return orjson.dumps(writer.product(subject))
    raise KeyError(f"no payload is known for {event.topic}")
