"""What a shop has after a month: forty segments, thirty given tags, thirty trackings."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy.orm import Session

from regulars import segments, tags, tracking
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.segments.templates import TEMPLATES, fill
from tests.web.world import CAST, World

SEGMENTS = 40
#: Days on which tags are given and trackings begin, three of each.
DAYS = range(0, 30, 3)


def live_a_month(world: World) -> None:
    """Have segments of the templates, and tags, trackings and orders on different days."""
    rows = _segments(world)
    for day in DAYS:
        world.runtime.clock.instant += timedelta(days=DAYS.step)  # type: ignore[attr-defined]
        today = world.now.astimezone(world.shop.zone).date()
        with world.runtime.office.session() as session:
            shop = session.get_one(Shop, world.shop.id)
            shop.domain = "demo.myshopify.com"
            for number, segment_id in enumerate(rows[day : day + DAYS.step]):
                _begin(world, session, session.get_one(Segment, segment_id), today, number)
        for number, name in enumerate(CAST):
            world.order(name, 1_250 * (day + number + 1), order_id=f"{day}-{number}")


def _segments(world: World) -> list[int]:
    runtime, shop = world.runtime, world.shop
    with runtime.office.session() as session:
        rows = [
            segments.create_segment(
                session,
                shop,
                name=one.name,
                query=fill(one.pattern, shop.currency, {}),
                author="Owner",
                now=world.now,
            ).id
            for one in list(TEMPLATES.values())[:SEGMENTS]
        ]
    parts = runtime.office, runtime.warehouse(shop), runtime.memberships(shop), shop
    segments.refresh(*parts, rows, cause="created", now=world.now)
    return rows


def _begin(world: World, session: Session, segment: Segment, today: date, number: int) -> None:
    """Give a tag to customers of the segment, and measure what they buy."""
    shop = session.get_one(Shop, world.shop.id)
    everybody = [name.lower() for name in CAST][number:]
    tag = f"{today:%Y-%m} {segment.name}".lower()[:40].strip()
    given = tags.assign(session, shop, segment, tag, everybody, author="Owner", now=world.now)
    given.status = "assigned"
    tracking.create_tracking(
        session,
        shop,
        segment,
        starts_on=today,
        ends_on=today + timedelta(days=10 + number * 7),
        author="Owner",
        now=world.now,
    )
