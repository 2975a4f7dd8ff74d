"""Refresh: evaluate segments in full and bring log, sets and office rows to the result."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from regulars.engine.days import day_start, local_day
from regulars.office import Office, Shop
from regulars.office.models.segments import Segment
from regulars.segments.definitions import definitions
from regulars.segments.memberships import Changes, Memberships
from regulars.warehouse import Warehouse


def refresh(
    office: Office,
    warehouse: Warehouse,
    memberships: Memberships,
    shop: Shop,
    segment_ids: Collection[int],
    *,
    cause: str,
    now: datetime,
) -> Changes:
    """Evaluate these segments and those made of them, from their newest queries.

    Log and facts agree at each instant: no fact is written while the evaluation runs.
    """
    with memberships.held():
        with office.reading() as session:
            current = definitions(session, shop)
        with (
            memberships.changing(shop, now) as changing,
            warehouse.transaction(changes_facts=False) as cursor,
        ):
            changing.refresh(cursor, current, segment_ids, cause)
        record_changes(office, memberships, shop, changing.changes, now)
    return changing.changes


def refresh_all(
    office: Office,
    warehouse: Warehouse,
    memberships: Memberships,
    shop: Shop,
    *,
    cause: str,
    now: datetime,
) -> Changes:
    """Evaluate every segment of the shop."""
    with office.reading() as session:
        everything = {one.segment_id for one in definitions(session, shop)}
    return refresh(office, warehouse, memberships, shop, everything, cause=cause, now=now)


def refresh_day(
    office: Office, warehouse: Warehouse, memberships: Memberships, shop: Shop, *, now: datetime
) -> Changes:
    """Evaluate the segments whose members may change because a new day began.

    These are the ones that mention time; all of them where facts of days to come are known.
    """
    until = warehouse.facts_until()
    is_ahead = until is not None and until >= day_start(local_day(now, shop.zone), shop.zone)
    with office.reading() as session:
        timed = {
            one.segment_id for one in definitions(session, shop) if is_ahead or one.mentions_time
        }
    return refresh(office, warehouse, memberships, shop, timed, cause="day_change", now=now)


def refresh_products(
    office: Office, warehouse: Warehouse, memberships: Memberships, shop: Shop, *, now: datetime
) -> Changes:
    """Evaluate the segments that look at what was bought: products changed, buyers did not."""
    with office.reading() as session:
        about = {one.segment_id for one in definitions(session, shop) if one.mentions_products}
    return refresh(office, warehouse, memberships, shop, about, cause="product", now=now)


def record_changes(
    office: Office,
    memberships: Memberships,
    shop: Shop,
    changes: Changes,
    now: datetime,
) -> None:
    """Write counts, states and the instant of exactness to the segments' rows."""
    touched = {*changes.by_segment, *changes.evaluated, *changes.broken}
    if not touched:
        return
    with office.session() as session:
        rows = select(Segment).where(Segment.shop_id == shop.id, Segment.id.in_(touched))
        for segment in session.scalars(rows):
            segment.member_count = memberships.count(segment.id)
            if segment.id in changes.broken:
                segment.state, segment.problem = "broken", changes.broken[segment.id]
            elif segment.id in changes.evaluated:
                segment.evaluated_at = now
                segment.evaluated_version = changes.evaluated[segment.id]
                is_newest = segment.evaluated_version == segment.version
                segment.state, segment.problem = ("ready" if is_newest else "building"), None
