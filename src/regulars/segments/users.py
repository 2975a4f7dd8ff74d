"""Users of a segment: what would break, or stand still, without it.

The one place that says what counts as a user; deleting and the save preview both ask here. A
tracking is a user that goes on without its segment: the rule is kept for it (decision 0021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from regulars.engine.days import local_day
from regulars.language import parse
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment, TagRule
from regulars.office.models.trackings import RevenueTracking
from regulars.segments import graph

#: Tag work in these states has something left to do.
OPEN_TAG_STATUSES = (
    "waiting",
    "assigning",
    "paused",
    "cancelling",
    "removing",
    # Of rules that keep a tag equal to the segment.
    "syncing",
    "in_sync",
)


@dataclass(frozen=True, slots=True)
class User:
    """One thing that uses a segment."""

    #: "tag" is an assignment that is worked on, "rule" one that keeps a tag equal to the segment.
    kind: Literal["segment", "tag", "rule", "tracking"]
    id: int
    name: str


def is_followed(shop: Shop) -> ColumnElement[bool]:
    """Return the condition that a segment's members are kept up to date.

    It is there, or in the trash while a tracking that was not cancelled measures it.
    """
    measured = select(RevenueTracking.segment_id).where(
        RevenueTracking.shop_id == shop.id,
        RevenueTracking.kind == "segment",
        RevenueTracking.cancelled_at.is_(None),
    )
    in_trash = Segment.purged_at.is_(None) & Segment.id.in_(measured)
    return Segment.deleted_at.is_(None) | in_trash


def users_of(session: Session, shop: Shop, segment: Segment) -> Sequence[Segment]:
    """Return the segments whose query names this one."""
    others = select(Segment).where(
        Segment.shop_id == shop.id, Segment.id != segment.id, is_followed(shop)
    )
    return [
        other
        for other in session.scalars(others.order_by(Segment.name_key))
        if segment.name_key in graph.references(parse(other.query))
    ]


def all_users(session: Session, shop: Shop, segment: Segment, *, now: datetime) -> Sequence[User]:
    """Return all that uses a segment: segments, and what acts by its members."""
    return [
        *(User("segment", one.id, one.name) for one in users_of(session, shop, segment)),
        *acting_users(session, shop, segment.id, now=now),
    ]


def acting_users(session: Session, shop: Shop, segment_id: int, *, now: datetime) -> Sequence[User]:
    """Return what acts by a segment's members: tag rules, unfinished tag work, trackings."""
    rules = select(TagRule.id, TagRule.tag).where(
        TagRule.shop_id == shop.id, TagRule.segment_id == segment_id, TagRule.is_on
    )
    told = session.execute(rules).all()
    tags = select(TagAssignment.id, TagAssignment.tag).where(
        TagAssignment.shop_id == shop.id,
        TagAssignment.segment_id == segment_id,
        TagAssignment.status.in_(OPEN_TAG_STATUSES),
        TagAssignment.rule_id.is_(None)
        | TagAssignment.rule_id.not_in([number for number, _tag in told]),
    )
    return [
        *(User("rule", number, tag) for number, tag in told),
        *(User("tag", number, tag) for number, tag in session.execute(tags)),
        *_trackings(session, shop, segment_id, now),
    ]


def running_trackings(
    session: Session, shop: Shop, segment: Segment, *, now: datetime
) -> Sequence[User]:
    """Return the trackings of a segment that have not ended."""
    return _trackings(session, shop, segment.id, now)


def _trackings(session: Session, shop: Shop, segment_id: int, now: datetime) -> Sequence[User]:
    rows = session.execute(
        select(RevenueTracking.id, RevenueTracking.name).where(
            RevenueTracking.shop_id == shop.id,
            RevenueTracking.segment_id == segment_id,
            RevenueTracking.ends_on >= local_day(now, shop.zone),
            RevenueTracking.cancelled_at.is_(None),
        )
    )
    return [User("tracking", number, name) for number, name in rows]
