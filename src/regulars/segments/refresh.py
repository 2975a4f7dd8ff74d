"""Refresh: evaluate segments in full and bring log, sets and office rows to the result."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from regulars.engine.days import day_start, local_day
from regulars.office import Office, Shop
from regulars.office.models.segments import Segment
from regulars.segments.definitions import definitions
from regulars.segments.memberships import Changes, Memberships
from regulars.warehouse import Warehouse

# Of all segments that an order moved, most have as many members as before.
_COUNT = (
    update(Segment)
    .where(Segment.id == bindparam("segment"), Segment.member_count != bindparam("count"))
    .values(member_count=bindparam("count"))
)


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
    *,
    also: Callable[[Session], object] | None = None,
) -> None:
    """Write counts, states and the instant of exactness to the segments' rows.

    `also` writes what else belongs into the same commit.
    """
    anew = {*changes.evaluated, *changes.broken}
    counts = [
        {"segment": segment_id, "count": memberships.count(segment_id)}
        for segment_id in sorted({*changes.by_segment, *anew})
    ]
    if not counts and also is None:
        return
    with office.session() as session:
        if counts:
            session.connection().execute(_COUNT, counts)
        if also is not None:
            also(session)
        if not anew:
            return
        rows = select(Segment).where(Segment.shop_id == shop.id, Segment.id.in_(anew))
        for segment in session.scalars(rows):
            if segment.id in changes.broken:
                segment.state, segment.problem = "broken", changes.broken[segment.id]
            elif segment.id in changes.evaluated:
                segment.evaluated_at = now
                segment.evaluated_version = changes.evaluated[segment.id]
                is_newest = segment.evaluated_version == segment.version
                segment.state, segment.problem = ("ready" if is_newest else "building"), None
