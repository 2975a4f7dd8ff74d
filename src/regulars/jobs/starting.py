"""The start of trackings: who belonged at the first midnight, where the log does not tell (0020).

Asked when a tracking is made for today, and when a new segment was first counted after a tracking
on it had begun.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from regulars import tracking
from regulars.language import parse
from regulars.office import Shop
from regulars.office.models.trackings import RevenueTracking
from regulars.runtime import Runtime


def look_back(runtime: Runtime, shop: Shop, row: RevenueTracking, now: datetime) -> bytes | None:
    """Return who belonged since the first day's midnight; None where the log tells."""
    start, warehouse = tracking.period_of(row).starts_at, runtime.warehouse(shop)
    if start > tracking.reached(shop, now):
        return None
    if tracking.log_begins(warehouse, row.segment_id, start):
        return None
    memberships = runtime.memberships(shop)
    before = tracking.look_back(
        warehouse,
        runtime.evaluator(shop),
        parse(row.query),
        context_at=lambda instant: memberships.context(shop, instant),
        start=start,
        # Whatever is told of this day counts, however late our clock is.
        now=memberships.live_context(shop, now).as_of,
    )
    return before.to_bytes()


def follow_first_count(runtime: Runtime, shop: Shop, segment_id: int) -> None:
    """Keep who belonged at the start with the trackings that began before a segment was counted."""
    now = runtime.clock()
    waiting = select(RevenueTracking).where(
        RevenueTracking.shop_id == shop.id,
        RevenueTracking.segment_id == segment_id,
        RevenueTracking.kind == "segment",
        RevenueTracking.members_before.is_(None),
    )
    with runtime.office.reading() as session:
        found = {one.id: look_back(runtime, shop, one, now) for one in session.scalars(waiting)}
    for tracking_id, before in found.items():
        if before is not None:
            with runtime.office.session() as session:
                session.get_one(RevenueTracking, tracking_id).members_before = before
