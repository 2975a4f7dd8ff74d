"""Objects of Shopify's GraphQL API, as our documents select them, to facts.

Only translates: asks nothing, decides nothing about what is newer. The texts and numbers that both
GraphQL and webhooks write are read here as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from regulars.money import minor_units
from regulars.warehouse.facts import (
    UNSET,
    AddressFact,
    CustomerFact,
    LineFact,
    Maybe,
    MetafieldFact,
    OrderFact,
    ProductFact,
    RefundFact,
    StoreCreditFact,
)
from regulars.warehouse.personal_names import family_first

Json = Mapping[str, Any]

_GID = re.compile(r"gid://shopify/\w+/([0-9]+)(?:\?.*)?", re.ASCII)

#: The segment language's words for two of GraphQL's states of product subscriptions.
_SUBSCRIPTION_WORDS = {"ACTIVE": "SUBSCRIBED", "CANCELLED": "CANCELED"}


def id_of(gid: str) -> str:
    """Return the number at the end of a global id, as text.

    >>> id_of("gid://shopify/MailingAddress/123?model_name=CustomerAddress")
    '123'
    """
    found = _GID.fullmatch(gid)
    if found is None:
        raise ValueError(f"{gid!r} is not a global id of Shopify")
    return found[1]


def gid_of(kind: str, number: str) -> str:
    """Return the global id of a number.

    >>> gid_of("Customer", "1")
    'gid://shopify/Customer/1'
    """
    return f"gid://shopify/{kind}/{number}"


def instant(text: str) -> datetime:
    """Return an instant in UTC from Shopify's writing, which always has an offset or Z."""
    told = datetime.fromisoformat(text)
    if told.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return told.astimezone(UTC)


def instant_or_none(text: str | None) -> datetime | None:
    """Return an instant in UTC, or None where nothing is told."""
    return instant(text) if text else None


def customer_fact(node: Json, currency: str) -> CustomerFact:
    """Return what a Customer node tells. Sets that were not selected stay untold."""
    email, phone = node.get("defaultEmailAddress") or {}, node.get("defaultPhoneNumber") or {}
    statistics = node.get("statistics") or {}
    spent = node.get("amountSpent")
    orders = node.get("numberOfOrders")
    return CustomerFact(
        customer_id=id_of(node["id"]),
        updated_at=instant_or_none(node.get("updatedAt")),
        display_name=family_first(node.get("displayName")),
        email=email.get("emailAddress"),
        phone=phone.get("phoneNumber"),
        language=node.get("locale"),
        note=node.get("note"),
        account_status=node.get("state"),
        email_subscription_status=email.get("marketingState"),
        sms_subscription_status=_sms_state(phone),
        product_subscription_status=_subscription(node.get("productSubscriberStatus")),
        predicted_spend_tier=statistics.get("predictedSpendTier"),
        rfm_group=statistics.get("rfmGroup"),
        added_at=instant_or_none(node.get("createdAt")),
        shopify_order_count=UNSET if orders is None else int(orders),
        shopify_spent_amount=UNSET if spent is None else minor_units(spent["amount"], currency),
        tags=UNSET if node.get("tags") is None else tuple(node["tags"]),
        company_ids=_company_ids(node),
        addresses=_addresses(node),
        metafields=_metafields(node),
        store_credit=_store_credit(node),
    )


def order_fact(node: Json, currency: str, lines: Sequence[Json] | None = None) -> OrderFact:
    """Return what an Order node tells; `lines` replaces the lines selected inside it."""
    visit = (node.get("customerJourneySummary") or {}).get("lastVisit") or {}
    utm = visit.get("utmParameters") or {}
    found = nodes(node.get("lineItems")) if lines is None else lines
    return OrderFact(
        order_id=id_of(node["id"]),
        customer_id=_id_inside(node.get("customer")),
        processed_at=instant(node["processedAt"]),
        total_amount=_shop_money(node["totalPriceSet"], currency),
        updated_at=instant_or_none(node.get("updatedAt")),
        name=node.get("name"),
        cancelled_at=instant_or_none(node.get("cancelledAt")),
        is_test=bool(node.get("test")),
        source_name=node.get("sourceName"),
        app_id=_id_inside(node.get("app")),
        location_id=_id_inside(node.get("retailLocation")),
        referrer=visit.get("referrerUrl"),
        utm_source=utm.get("source"),
        utm_medium=utm.get("medium"),
        utm_campaign=utm.get("campaign"),
        tags=tuple(node.get("tags") or ()),
        discount_codes=tuple(node.get("discountCodes") or ()),
        lines=tuple(_line(line, currency) for line in found),
        refunds=tuple(_refund(refund, currency) for refund in node.get("refunds") or ()),
    )


def product_fact(node: Json) -> ProductFact:
    """Return what a Product node tells."""
    category = node.get("category") or {}
    collections = node.get("collections")
    return ProductFact(
        product_id=id_of(node["id"]),
        updated_at=instant_or_none(node.get("updatedAt")),
        title=node.get("title"),
        vendor=node.get("vendor"),
        product_type=node.get("productType"),
        category_id=category_id(category.get("id")),
        category=category.get("fullName"),
        tags=tuple(node.get("tags") or ()),
        collections=UNSET
        if not _is_whole(collections)
        else tuple((id_of(each["id"]), each["title"]) for each in nodes(collections)),
    )


def category_id(gid: str | None) -> str | None:
    """Return the id of a taxonomy category, which is not a number: "aa-1-13-8"."""
    return gid.rpartition("/")[2] if gid else None


def nodes(connection: Json | None) -> list[Json]:
    """Return the nodes of a connection, whether it came with `nodes` or `edges`."""
    if connection is None:
        return []
    if "nodes" in connection:
        return [node for node in connection["nodes"] if node is not None]
    return [edge["node"] for edge in connection.get("edges") or ()]


def _is_whole(connection: Json | None) -> bool:
    """Return whether a connection was selected and its page holds all: a part replaces nothing."""
    return connection is not None and not connection.get("pageInfo", {}).get("hasNextPage")


def _sms_state(phone: Json) -> str | None:
    consent = phone.get("smsMarketingConsent")
    state: str | None = phone.get("marketingState") if consent is None else consent.get("state")
    return state


def _subscription(state: str | None) -> str | None:
    return None if state is None else _SUBSCRIPTION_WORDS.get(state, state)


def _company_ids(node: Json) -> tuple[str, ...] | Maybe:
    profiles = node.get("companyContactProfiles")
    if profiles is None:
        return UNSET
    return tuple(id_of(profile["company"]["id"]) for profile in profiles if profile.get("company"))


def _addresses(node: Json) -> tuple[AddressFact, ...] | Maybe:
    if not _is_whole(node.get("addressesV2")):
        return UNSET
    return tuple(
        AddressFact(
            country_code=place.get("countryCodeV2"),
            region_code=place.get("provinceCode"),
            city=place.get("city"),
            zip=place.get("zip"),
            latitude=place.get("latitude"),
            longitude=place.get("longitude"),
        )
        for place in nodes(node["addressesV2"])
    )


def _metafields(node: Json) -> tuple[MetafieldFact, ...] | Maybe:
    if not _is_whole(node.get("metafields")):
        return UNSET
    return tuple(
        MetafieldFact(f"{each['namespace']}.{each['key']}", each["type"], each["value"])
        for each in nodes(node["metafields"])
    )


def _store_credit(node: Json) -> tuple[StoreCreditFact, ...] | Maybe:
    if not _is_whole(node.get("storeCreditAccounts")):
        return UNSET
    return tuple(
        StoreCreditFact(each["balance"]["amount"], each["balance"]["currencyCode"])
        for each in nodes(node["storeCreditAccounts"])
    )


def _line(node: Json, currency: str) -> LineFact:
    return LineFact(
        product_id=_id_inside(node.get("product")),
        variant_id=_id_inside(node.get("variant")),
        title=node.get("title"),
        vendor=node.get("vendor"),
        sku=node.get("sku"),
        quantity=node["quantity"],
        amount=_shop_money(node["discountedTotalSet"], currency),
    )


def _refund(node: Json, currency: str) -> RefundFact:
    return RefundFact(
        refund_id=id_of(node["id"]),
        refunded_at=instant(node.get("processedAt") or node["createdAt"]),
        amount=_shop_money(node["totalRefundedSet"], currency),
    )


def _shop_money(bag: Json, currency: str) -> int:
    return minor_units(bag["shopMoney"]["amount"], currency)


def _id_inside(node: Json | None) -> str | None:
    return id_of(node["id"]) if node and node.get("id") else None


def comma_list(text: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return tags, which GraphQL tells as a list and webhooks as one text with commas."""
    if text is None:
        return ()
    pieces = text.split(",") if isinstance(text, str) else text
    return tuple(piece.strip() for piece in pieces if piece.strip())
