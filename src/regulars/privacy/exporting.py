"""Everything that is kept about one customer, as one file that a person can read and pass on."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment, TagAudience, TagHoldout, TagLedger
from regulars.warehouse import Warehouse
from regulars.warehouse.personal import rows_about


def export(
    session: Session, warehouse: Warehouse, shop: Shop, customer_id: str, now: datetime
) -> dict[str, Any]:
    """Return all that is known about a customer; `known` is false where that is nothing."""
    found = warehouse.customer_nos([customer_id])
    rows: dict[str, Any] = {}
    if found:
        with warehouse.reader() as cursor:
            rows = rows_about(cursor, found[customer_id])
    names = dict(
        session.execute(select(Segment.id, Segment.name).where(Segment.shop_id == shop.id)).all()
    )
    for entry in rows.get("membership_log", ()):
        entry["segment"] = names.get(entry["segment_id"])
    return {
        "shop": shop.domain or shop.name,
        "customer_id": customer_id,
        "written_at": now,
        "currency": shop.currency,
        "amounts": "whole minor units of the currency",
        "times": "UTC",
        "known": bool(found),
        "data": rows,
        "tags": _tags(session, shop, customer_id),
    }


def file_of(told: dict[str, Any]) -> bytes:
    """Return an export as JSON."""
    return orjson.dumps(told, default=_plain, option=orjson.OPT_INDENT_2)


def _plain(value: object) -> str:
    if isinstance(value, Decimal | date):
        return str(value)
    raise TypeError(type(value).__name__)


def _tags(session: Session, shop: Shop, customer_id: str) -> dict[str, Any]:
    given = session.execute(
        select(TagAssignment.tag, TagAssignment.segment_name, TagAudience.outcome)
        .join(TagAssignment, TagAssignment.id == TagAudience.assignment_id)
        .where(TagAudience.shop_id == shop.id, TagAudience.customer_id == customer_id)
    ).all()
    known = session.scalars(
        select(TagLedger.tag_key).where(
            TagLedger.shop_id == shop.id, TagLedger.customer_id == customer_id
        )
    ).all()
    left_out = session.scalars(
        select(TagHoldout.since).where(
            TagHoldout.shop_id == shop.id, TagHoldout.customer_id == customer_id
        )
    ).all()
    return {
        "assignments": [
            {"tag": tag, "segment": segment, "outcome": outcome} for tag, segment, outcome in given
        ],
        "known_at_shopify": list(known),
        "left_out_since": list(left_out),
    }
