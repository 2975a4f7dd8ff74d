"""Webhooks: whether Shopify sent them, and what facts they tell.

Payload shapes are those since API 2025-01: a customer's tags, spend and consent come by topics of
their own. Storing deliveries, dropping repeated ones and applying facts is others' work.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from regulars.errors import InputError, problem
from regulars.money import minor_units
from regulars.shopify.reading import (
    category_id,
    comma_list,
    gid_of,
    id_of,
    instant,
    instant_or_none,
)
from regulars.warehouse.facts import (
    UNSET,
    CustomerDeleted,
    CustomerFact,
    CustomerRedacted,
    CustomersMerged,
    Fact,
    LineFact,
    Maybe,
    OrderDeleted,
    OrderFact,
    ProductDeleted,
    ProductFact,
    RefundChange,
    RefundFact,
)
from regulars.warehouse.personal_names import family_first

log = logging.getLogger(__name__)

Json = Mapping[str, Any]
_Reader = Callable[[Json, datetime, str], list[Fact]]

#: Kinds of objects that a webhook tells too little of, to be read again by their global id.
Reread = tuple[Literal["Customer", "Order"], str]


# For more at once Python gives its turn away, and beside a batch that is being applied getting it
# back takes longer than all the rest.
TURN_BYTES = 2047


def verify(raw_body: bytes, header: str | None, secrets: Sequence[str]) -> bool:
    """Return whether the signature in `header` was made over these bytes with one of the secrets.

    All secrets are tried, so that the time taken does not tell which one fits.
    """
    try:
        told = base64.b64decode(header or "", validate=True)
    except (binascii.Error, ValueError):
        return False
    fits = [
        hmac.compare_digest(_signature(secret.encode(), raw_body), told)
        for secret in secrets
        if secret
    ]
    return any(fits)


def _signature(secret: bytes, raw_body: bytes) -> bytes:
    signed = hmac.new(secret, digestmod=hashlib.sha256)
    for start in range(0, len(raw_body), TURN_BYTES):
        signed.update(raw_body[start : start + TURN_BYTES])
    return signed.digest()


def is_known_topic(topic: str) -> bool:
    """Return whether we know what a topic tells, facts or not."""
    return topic in _READERS or topic in WITHOUT_FACTS


def facts_from_webhook(
    topic: str, payload: Json, triggered_at: datetime, currency: str
) -> list[Fact]:
    """Return the facts of one webhook; none for topics that tell no facts.

    An unknown topic gives none either, and says so in the log: `is_known_topic` asks beforehand.
    Raises InputError for a payload whose parts cannot be read.
    """
    reader = _READERS.get(topic)
    if reader is None:
        if topic not in WITHOUT_FACTS:
            log.warning("No facts are read from the unknown webhook topic %s.", topic)
        return []
    try:
        return reader(payload, triggered_at, currency)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(
            problem(
                "unreadable_webhook",
                "A webhook of the topic {topic} cannot be read: {reason}.",
                topic=topic,
                reason=f"{type(error).__name__} {error}"[:200],
            )
        ) from error


def to_read_again(topic: str, payload: Json) -> Reread | None:
    """Return the object that should be read again, since the webhook does not tell all of it.

    A customer's payload has no coordinates of addresses; an edit of an order tells differences.
    """
    customer_gid = None
    if topic in {"customers/create", "customers/update"}:
        customer_gid = gid_of("Customer", _id(payload))
    elif topic == "customers/merge" and payload.get("status") == "completed":
        customer_gid = str(payload["admin_graphql_api_customer_kept_id"])
    if customer_gid is not None:
        return "Customer", customer_gid
    if topic == "orders/edited":
        return "Order", gid_of("Order", _number(payload["order_edit"]["order_id"]))
    return None


def _customer(payload: Json, triggered_at: datetime, _currency: str) -> list[Fact]:
    updated_at = instant_or_none(payload.get("updated_at")) or triggered_at
    return [
        CustomerFact(
            customer_id=_id(payload),
            updated_at=updated_at,
            display_name=_display_name(payload),
            email=_told_text(payload, "email"),
            phone=_told_text(payload, "phone"),
            note=_told_text(payload, "note"),
            account_status=_upper(payload, "state"),
            added_at=_told_instant(payload, "created_at"),
        )
    ]


def _display_name(payload: Json) -> str | Maybe | None:
    """Return the name as Shopify shows it: the full name, else the e-mail, else the phone."""
    if "first_name" not in payload and "last_name" not in payload:
        return UNSET
    full = " ".join(part for key in ("first_name", "last_name") if (part := _text(payload, key)))
    return family_first(full) or _text(payload, "email") or _text(payload, "phone")


def _customer_deleted(payload: Json, triggered_at: datetime, _currency: str) -> list[Fact]:
    return [CustomerDeleted(_id(payload), triggered_at)]


def _customer_redacted(payload: Json, triggered_at: datetime, _currency: str) -> list[Fact]:
    return [CustomerRedacted(_id(payload["customer"]), triggered_at)]


def _customers_merged(payload: Json, triggered_at: datetime, _currency: str) -> list[Fact]:
    if payload.get("status") != "completed":
        return []
    kept = id_of(payload["admin_graphql_api_customer_kept_id"])
    removed = id_of(payload["admin_graphql_api_customer_deleted_id"])
    return [CustomersMerged(kept_id=kept, removed_id=removed, at=triggered_at)]


def _tags_added(payload: Json, triggered_at: datetime, _currency: str) -> list[Fact]:
    at = instant_or_none(payload.get("occurredAt")) or triggered_at
    tags = comma_list(payload["tags"])
    return [CustomerFact(customer_id=id_of(payload["customerId"]), tags_added=tags, tags_at=at)]


def _tags_removed(payload: Json, triggered_at: datetime, _currency: str) -> list[Fact]:
    at = instant_or_none(payload.get("occurredAt")) or triggered_at
    tags = comma_list(payload["tags"])
    return [CustomerFact(customer_id=id_of(payload["customerId"]), tags_removed=tags, tags_at=at)]


def _purchasing_summary(payload: Json, triggered_at: datetime, currency: str) -> list[Fact]:
    spent, count = payload.get("amountSpent"), payload.get("numberOfOrders")
    return [
        CustomerFact(
            customer_id=id_of(payload["customerId"]),
            shopify_order_count=UNSET if count is None else int(count),
            shopify_spent_amount=UNSET
            if spent is None
            else minor_units(str(spent["amount"]), currency),
            figures_at=instant_or_none(payload.get("occurredAt")) or triggered_at,
        )
    ]


def _email_consent(payload: Json, triggered_at: datetime, _currency: str) -> list[Fact]:
    state = _upper(payload["email_marketing_consent"] or {}, "state")
    customer_id = _number(payload["customer_id"])
    return [
        CustomerFact(
            customer_id=customer_id, email_subscription_status=state, consent_at=triggered_at
        )
    ]


def _sms_consent(payload: Json, triggered_at: datetime, _currency: str) -> list[Fact]:
    state = _upper(payload["sms_marketing_consent"] or {}, "state")
    return [
        CustomerFact(
            customer_id=_id(payload), sms_subscription_status=state, consent_at=triggered_at
        )
    ]


def _order(payload: Json, triggered_at: datetime, currency: str) -> list[Fact]:
    customer = payload.get("customer")
    utm = parse_qs(urlsplit(payload.get("landing_site") or "").query)
    return [
        OrderFact(
            order_id=_id(payload),
            customer_id=_id(customer) if customer else None,
            processed_at=instant(payload.get("processed_at") or payload["created_at"]),
            total_amount=_shop_amount(payload, "total_price", currency),
            updated_at=instant_or_none(payload.get("updated_at")) or triggered_at,
            name=_text(payload, "name"),
            cancelled_at=instant_or_none(payload.get("cancelled_at")),
            is_test=bool(payload.get("test")),
            source_name=_text(payload, "source_name"),
            app_id=_number_or_none(payload.get("app_id")),
            location_id=_number_or_none(payload.get("location_id")),
            referrer=_text(payload, "referring_site"),
            utm_source=_first(utm, "utm_source"),
            utm_medium=_first(utm, "utm_medium"),
            utm_campaign=_first(utm, "utm_campaign"),
            tags=comma_list(payload.get("tags")),
            discount_codes=tuple(str(each["code"]) for each in payload.get("discount_codes") or ()),
            lines=_lines(payload, currency),
            refunds=tuple(_refund(each, currency) for each in payload.get("refunds") or ()),
        )
    ]


def _lines(payload: Json, currency: str) -> tuple[LineFact, ...]:
    applications = payload.get("discount_applications") or ()
    return tuple(
        LineFact(
            product_id=_number_or_none(line.get("product_id")),
            variant_id=_number_or_none(line.get("variant_id")),
            title=_text(line, "title"),
            vendor=_text(line, "vendor"),
            sku=_text(line, "sku"),
            quantity=int(line["quantity"]),
            amount=_shop_amount(line, "price", currency) * int(line["quantity"])
            - _line_discount(line, applications, currency),
        )
        for line in payload.get("line_items") or ()
    )


def _line_discount(line: Json, applications: Sequence[Json], currency: str) -> int:
    """Return the discounts of one line, without codes and without its share of the order's.

    The same sum that GraphQL's `discountedTotalSet` takes off.
    """
    allocations = line.get("discount_allocations") or ()
    if not all(each["discount_application_index"] < len(applications) for each in allocations):
        return _amount_if_told(line, "total_discount", currency)
    return sum(
        _shop_amount(each, "amount", currency)
        for each in allocations
        if _is_of_line(applications[each["discount_application_index"]])
    )


def _is_of_line(application: Json) -> bool:
    is_of_order = (
        application.get("target_selection") == "all"
        and application.get("allocation_method") == "across"
    )
    return application.get("type") != "discount_code" and not is_of_order


def _refund_created(payload: Json, _triggered_at: datetime, currency: str) -> list[Fact]:
    return [RefundChange(order_id=_number(payload["order_id"]), refund=_refund(payload, currency))]


def _refund(payload: Json, currency: str) -> RefundFact:
    return RefundFact(
        refund_id=_id(payload),
        refunded_at=instant(payload.get("processed_at") or payload["created_at"]),
        amount=_refunded_amount(payload, currency),
    )


def _refunded_amount(payload: Json, currency: str) -> int:
    """Return the money that went back, in the shop's currency.

    Transactions are told in the currency the customer paid in. Where that is another one, the sum
    is taken from the refunded lines, shipping and adjustments, which have both.
    """
    transactions = [
        each
        for each in payload.get("transactions") or ()
        if each.get("kind") == "refund" and each.get("status") == "success"
    ]
    if all(each.get("currency") in {None, currency} for each in transactions):
        return sum(minor_units(str(each["amount"]), currency) for each in transactions)
    lines = payload.get("refund_line_items") or ()
    shipping = payload.get("refund_shipping_lines") or ()
    adjustments = payload.get("order_adjustments") or ()
    given = sum(
        _shop_amount(each, "subtotal", currency) + _amount_if_told(each, "total_tax", currency)
        for each in lines
    )
    given += sum(_amount_if_told(each, "subtotal_amount", currency) for each in shipping)
    # Adjustments are written as what the shop gives away, so they are negative.
    kept = sum(
        _shop_amount(each, "amount", currency) + _amount_if_told(each, "tax_amount", currency)
        for each in adjustments
    )
    return given - kept


def _order_deleted(payload: Json, triggered_at: datetime, _currency: str) -> list[Fact]:
    return [OrderDeleted(_id(payload), triggered_at)]


def _product(payload: Json, triggered_at: datetime, _currency: str) -> list[Fact]:
    category = payload.get("category") or {}
    return [
        ProductFact(
            product_id=_id(payload),
            updated_at=instant_or_none(payload.get("updated_at")) or triggered_at,
            title=_text(payload, "title"),
            vendor=_text(payload, "vendor"),
            product_type=_text(payload, "product_type"),
            category_id=category_id(category.get("admin_graphql_api_id")),
            category=_text(category, "full_name"),
            tags=comma_list(payload.get("tags")),
        )
    ]


def _product_deleted(payload: Json, triggered_at: datetime, _currency: str) -> list[Fact]:
    return [ProductDeleted(_id(payload), triggered_at)]


_READERS: dict[str, _Reader] = {
    "customers/create": _customer,
    "customers/update": _customer,
    "customers/enable": _customer,
    "customers/disable": _customer,
    "customers/delete": _customer_deleted,
    "customers/redact": _customer_redacted,
    "customers/merge": _customers_merged,
    "customers/purchasing_summary": _purchasing_summary,
    "customer.tags_added": _tags_added,
    "customer.tags_removed": _tags_removed,
    "customers_email_marketing_consent/update": _email_consent,
    "customers_marketing_consent/update": _sms_consent,
    "orders/create": _order,
    "orders/updated": _order,
    "orders/paid": _order,
    "orders/cancelled": _order,
    "orders/fulfilled": _order,
    "orders/partially_fulfilled": _order,
    "orders/delete": _order_deleted,
    "refunds/create": _refund_created,
    "products/create": _product,
    "products/update": _product,
    "products/delete": _product_deleted,
}

#: Topics that wake work or tell staff something, and change no fact by themselves.
WITHOUT_FACTS = frozenset({
    "app/scopes_update", "app/uninstalled", "bulk_operations/finish", "customer.joined_segment",
    "customer.left_segment", "customers/data_request", "order_transactions/create", "orders/edited",
    "customers_whats_app_marketing_consent/update", "segments/create", "segments/delete",
    "segments/update", "shop/redact", "shop/update",
})  # fmt: skip

#: Topics that are subscribed to through the API, and the scope each one needs. Compliance topics
#: are set in the app's configuration instead.
SUBSCRIBED: dict[str, str | None] = {
    "customers/create": "read_customers",
    "customers/update": "read_customers",
    "customers/enable": "read_customers",
    "customers/disable": "read_customers",
    "customers/delete": "read_customers",
    "customers/merge": "read_customer_merge",
    "customers/purchasing_summary": "read_customers",
    "customer.tags_added": "read_customers",
    "customer.tags_removed": "read_customers",
    "customers_email_marketing_consent/update": "read_customers",
    "customers_marketing_consent/update": "read_customers",
    "orders/create": "read_orders",
    "orders/updated": "read_orders",
    "orders/cancelled": "read_orders",
    "orders/delete": "read_orders",
    "orders/edited": "read_orders",
    "refunds/create": "read_orders",
    "products/create": "read_products",
    "products/update": "read_products",
    "products/delete": "read_products",
    "bulk_operations/finish": None,
    "app/uninstalled": None,
    "app/scopes_update": None,
    "shop/update": None,
}


def topic_enum(topic: str) -> str:
    """Return a topic's name in GraphQL.

    >>> topic_enum("customer.tags_added")
    'CUSTOMER_TAGS_ADDED'
    """
    return topic.upper().replace("/", "_").replace(".", "_")


def _id(payload: Json) -> str:
    gid = payload.get("admin_graphql_api_id")
    return id_of(gid) if gid else _number(payload["id"])


def _number(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return str(value)
    if isinstance(value, str):
        return id_of(value) if value.startswith("gid://") else str(int(value))
    raise ValueError(f"{value!r} is not an id")


def _number_or_none(value: object) -> str | None:
    return None if value is None else _number(value)


def _shop_amount(payload: Json, key: str, currency: str) -> int:
    """Return an amount in the shop's currency, from `key_set` or else from `key`."""
    bag = payload.get(f"{key}_set") or {}
    told = (bag.get("shop_money") or {}).get("amount", payload.get(key))
    if told is None:
        raise KeyError(key)
    return minor_units(str(told), currency)


def _amount_if_told(payload: Json, key: str, currency: str) -> int:
    is_told = payload.get(f"{key}_set") or payload.get(key) is not None
    return _shop_amount(payload, key, currency) if is_told else 0


def _text(payload: Json, key: str) -> str | None:
    value = payload.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} is not a text")
    return value


def _told_text(payload: Json, key: str) -> str | Maybe | None:
    return _text(payload, key) if key in payload else UNSET


def _upper(payload: Json, key: str) -> str | Maybe | None:
    if key not in payload:
        return UNSET
    value = payload[key]
    return None if value is None else str(value).upper()


def _told_instant(payload: Json, key: str) -> datetime | Maybe | None:
    return instant_or_none(payload[key]) if key in payload else UNSET


def _first(values: Mapping[str, list[str]], key: str) -> str | None:
    return values[key][0] if values.get(key) else None
