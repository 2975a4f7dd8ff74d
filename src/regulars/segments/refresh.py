"""Refresh: evaluate segments in full and bring log, sets and office rows to the result."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from regulars.engine import Context
from regulars.office import Office, Shop
from regulars.office.models.segments import Segment
from regulars.segments.day_change import few_moved, last_of_day, up_to_date
from regulars.segments.definitions import definitions
from regulars.segments.memberships import Changes, Few, Memberships
from regulars.warehouse import Warehouse

# Of all segments that an order moved, most have as many members as before.
_COUNT = (
    update(Segment)
    .where(Segment.id == bindparam("segment"), Segment.member_count != bindparam("count"))
    .values(member_count=bindparam("count"))
)


#: Tells who alone can have moved, in the context at hand.
FewOf = Callable[[Context], AbstractContextManager[Few | None]]


def _everybody(_: Context) -> AbstractContextManager[None]:
    return nullcontext()


def refresh(
    office: Office,
    warehouse: Warehouse,
    memberships: Memberships,
    shop: Shop,
    segment_ids: Collection[int],
    *,
    cause: str,
    now: datetime,
    few_of: FewOf = _everybody,
) -> Changes:
    """Evaluate these segments and those made of them, from their newest queries.

    Log and facts agree at each instant: no fact is written while the evaluation runs. `few_of`
    may tell who alone can have moved.
    """
    with memberships.held():
        with office.reading() as session:
            current = definitions(session, shop)
        with (
            memberships.changing(shop, now) as changing,
            warehouse.transaction(changes_facts=False) as cursor,
            few_of(changing.context) as few,
        ):
            changing.refresh(cursor, current, segment_ids, cause, few=few)
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

    These are the ones that mention time; all of them where facts of days to come are known. Only
    the customers whom the days since the shop's last day change may move are asked.
    """
    evaluator, live = memberships.evaluator, memberships.live_context(shop, now)
    before = last_of_day(shop.day_changed_on, live)
    is_ahead = evaluator.knows_later(before)
    with office.reading() as session:
        every = definitions(session, shop)
        # What holds for no earlier day is found out anew.
        is_later = shop.day_changed_on is not None and shop.day_changed_on < live.today
        ready = up_to_date(session, shop) if is_later else frozenset[int]()

    ids = {one.segment_id for one in every if is_ahead or one.mentions_time}
    # What is made of segments moves with them.
    concerned = [one for one in every if one.segment_id in ids or one.references]

    def few_of(context: Context) -> AbstractContextManager[Few | None]:
        return few_moved(evaluator, concerned, ready, before, context)

    return refresh(
        office, warehouse, memberships, shop, ids, cause="day_change", now=now, few_of=few_of
    )


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
