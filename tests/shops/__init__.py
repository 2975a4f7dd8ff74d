"""Small shops as readable data: TOML files beside this one, as facts or loaded in a warehouse."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from regulars.warehouse.facts import (
    AddressFact,
    CustomerFact,
    Fact,
    LineFact,
    MetafieldFact,
    OrderFact,
    ProductFact,
    RefundFact,
    StoreCreditFact,
)
from regulars.warehouse.warehouse import Warehouse, WarehouseSettings

HERE = Path(__file__).parent
#: When the facts of a shop were told, unless a customer or order says otherwise.
TOLD_AT = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TestShop:
    """A shop's data as written in its file."""

    __test__ = False
    name: str
    zone: ZoneInfo
    currency: str
    facts: tuple[Fact, ...]

    def warehouse(self, folder: Path, until: datetime | None = None) -> Warehouse:
        """Make a warehouse of this shop."""
        warehouse = Warehouse(folder / f"{self.name}.duckdb", WarehouseSettings(threads=1))
        warehouse.apply(self.facts, at=until or TOLD_AT)
        return warehouse


@cache
def shop(name: str) -> TestShop:
    """Read a shop's file."""
    told = tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))
    zone = ZoneInfo(told["zone"])
    facts: list[Fact] = [product_fact(row) for row in told.get("products", ())]
    for row in told["customers"]:
        facts.append(customer_fact(row, zone))
        facts.extend(order_fact(order, row["name"], zone) for order in row.get("orders", ()))
    return TestShop(name, zone, told["currency"], tuple(facts))


def instant(text: str | None, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def product_fact(row: Mapping[str, Any]) -> ProductFact:
    return ProductFact(
        product_id=row["id"],
        updated_at=TOLD_AT,
        title=row.get("title"),
        vendor=row.get("vendor"),
        product_type=row.get("type"),
        category=row.get("category"),
        category_id=row.get("category_id"),
        tags=tuple(row.get("tags", ())),
        collections=tuple((one, one) for one in row.get("collections", ())),
    )


def customer_fact(row: Mapping[str, Any], zone: ZoneInfo) -> CustomerFact:
    return CustomerFact(
        customer_id=row["name"],
        updated_at=TOLD_AT,
        display_name=row["name"].title(),
        email=row.get("email"),
        language=row.get("language"),
        account_status=row.get("account_status"),
        email_subscription_status=row.get("email_status"),
        sms_subscription_status=row.get("sms_status"),
        product_subscription_status=row.get("subscription"),
        predicted_spend_tier=row.get("tier"),
        rfm_group=row.get("rfm"),
        added_at=instant(row.get("added"), zone),
        tags=tuple(row.get("tags", ())),
        addresses=tuple(addresses(row)),
        company_ids=tuple(row.get("companies", ())),
        metafields=tuple(MetafieldFact(*one) for one in row.get("metafields", ())),
        store_credit=tuple(
            StoreCreditFact(
                one["balance"],
                one["currency"],
                instant(one.get("expires"), zone),
                instant(one.get("credited"), zone),
            )
            for one in row.get("credit", ())
        ),
    )


def addresses(row: Mapping[str, Any]) -> Iterator[AddressFact]:
    for one in row.get("addresses", ()):
        latitude, longitude = one.get("at", (None, None))
        yield AddressFact(
            one.get("country"), one.get("region"), one.get("city"), None, latitude, longitude
        )


def order_fact(row: Mapping[str, Any], customer_id: str, zone: ZoneInfo) -> OrderFact:
    source, medium, campaign = row.get("utm", (None, None, None))
    processed_at = instant(row["at"], zone)
    assert processed_at is not None
    return OrderFact(
        order_id=row["id"],
        customer_id=customer_id,
        processed_at=processed_at,
        total_amount=row["total"],
        updated_at=TOLD_AT,
        name=f"#{row['id']}",
        cancelled_at=instant(row.get("cancelled"), zone),
        is_test=row.get("test", False),
        source_name=row.get("source"),
        app_id=row.get("app"),
        location_id=row.get("location"),
        referrer=row.get("referrer"),
        utm_source=source,
        utm_medium=medium,
        utm_campaign=campaign,
        tags=tuple(row.get("tags", ())),
        discount_codes=tuple(row.get("codes", ())),
        lines=tuple(
            LineFact(
                product_id=one.get("product"),
                variant_id=one.get("variant"),
                vendor=one.get("vendor"),
                quantity=one["quantity"],
                amount=one["amount"],
            )
            for one in row.get("lines", ())
        ),
        refunds=tuple(
            RefundFact(
                refund_id=one["id"],
                refunded_at=instant(one["at"], zone) or processed_at,
                amount=one["amount"],
            )
            for one in row.get("refunds", ())
        ),
    )
