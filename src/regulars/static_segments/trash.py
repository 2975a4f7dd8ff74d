"""Deleted static segments: kept for thirty days as deleted customer segments are, then emptied."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.errors import NotFoundError, problem
from regulars.office import Shop
from regulars.office.models.statics import StaticSegment
from regulars.segments import name_key, uploads
from regulars.segments.names import checked_name, trash_key
from regulars.segments.shelves import TRASH_KEPT
from regulars.static_segments.statics import demand_unconverted, detail_of, find_static
from regulars.warehouse.lists import ListRows


def delete_static(
    parts: uploads.Parts, static_id: int, *, author: str, now: datetime
) -> StaticSegment:
    """Put a list that nobody needs into the trash: its tag history and its trackings stay.

    ConflictError once it was converted: its rows are those of the customer segment then.
    """
    with parts.office.session() as session:
        static = find_static(session, parts.shop, static_id)
        demand_unconverted(static)
        static.deleted_at, static.deleted_by = now, author
        static.name_key = trash_key(static.id)
    return static


def list_deleted(session: Session, shop: Shop) -> Sequence[StaticSegment]:
    """Return the static segments in the trash, the last deleted first."""
    rows = select(StaticSegment).where(
        StaticSegment.shop_id == shop.id,
        StaticSegment.deleted_at.is_not(None),
        StaticSegment.purged_at.is_(None),
    )
    return session.scalars(rows.order_by(StaticSegment.deleted_at.desc(), StaticSegment.id)).all()


def restore_static(session: Session, shop: Shop, static_id: int) -> StaticSegment:
    """Take a list out of the trash, under another name where its own is taken by now."""
    found = [one for one in list_deleted(session, shop) if one.id == static_id]
    if not found:
        template = "There is no static segment {segment} in the trash."
        raise NotFoundError(problem("no_static_in_trash", template, segment=static_id))
    (static,) = found
    of_shop = select(StaticSegment.name_key).where(StaticSegment.shop_id == shop.id)
    taken = set(session.scalars(of_shop))
    name, number = static.name, 2
    while name_key(name) in taken:
        name, number = checked_name(f"{static.name[:110]} ({number})"), number + 1
    static.name, static.name_key = name, name_key(name)
    static.deleted_at = static.deleted_by = None
    return static


def empty_trash(parts: uploads.Parts, now: datetime) -> int:
    """Empty the lists that have been in the trash for thirty days; return how many."""
    with parts.office.reading() as session:
        old = [
            (one.id, one.list_id, bool(detail_of(session, one).tags))
            for one in list_deleted(session, parts.shop)
            if one.deleted_at is not None and one.deleted_at <= now - TRASH_KEPT
        ]
    for static_id, list_id, has_tags in old:
        if not has_tags:
            # With tags the rows stay: an operator may have to take them off these customers.
            with parts.warehouse.transaction(changes_facts=False) as cursor:
                ListRows(cursor).drop(list_id)
        with parts.office.session() as session:
            session.get_one(StaticSegment, static_id).purged_at = now
    return len(old)
