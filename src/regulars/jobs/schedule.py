"""What time alone makes due: a shop's midnight, looks for missed changes, nightly comparisons."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.clock import is_over
from regulars.jobs import alarms, comparing, keeping, proving, queue, tagging, telling
from regulars.office import signing_in
from regulars.office.models.shops import Shop
from regulars.segments import day_of
from regulars.settings import Settings


def enqueue_due(session: Session, now: datetime, settings: Settings) -> None:
    """Enqueue for each shop what its calendar and clock ask for; asking twice adds nothing."""
    queue.follow_clock(session, now)
    signing_in.follow_clock(session, now)
    pause = timedelta(minutes=settings.catch_up_minutes)
    alarms.enqueue_due(session, now, settings)
    keeping.enqueue_due(session, now, settings)
    for shop in session.scalars(select(Shop)):
        if shop.day_changed_on != day_of(shop, now):
            queue.enqueue(session, shop_id=shop.id, kind="day_change", now=now)
        tagging.enqueue_due(session, shop, now)
        proving.enqueue_due(session, shop, now)
        telling.enqueue_due(session, shop, now)
        if shop.kind != "shopify" or shop.disconnected_at or shop.loaded_at is None:
            continue
        if is_over(shop.caught_up_at, pause, now):
            queue.enqueue(session, shop_id=shop.id, kind="catch_up", now=now)
        comparing.enqueue_due(session, shop, now)
