"""Tags that an earlier system gave to static segments: listed, and removable by the operator only.

Nobody knows who had such a tag before it was given, so the app takes none off by itself. The
operator's removal goes through an assignment that stands for what was given, and so spares
everybody for whom one of ours wants the tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from regulars.errors import ConflictError, NotFoundError, problem
from regulars.office import Shop
from regulars.office.models.statics import StaticSegment, StaticTag
from regulars.office.models.tags import TagAssignment, TagAudience, TagLedger, TagRemoval
from regulars.tags.acts import demand_connected, remove
from regulars.tags.ledger import parts
from regulars.tags.names import tag_key


def list_tags(session: Session, shop: Shop) -> Sequence[tuple[StaticTag, str]]:
    """Return the tags of static segments, with the segment's name, newest first."""
    rows = session.execute(
        select(StaticTag, StaticSegment.name)
        .join(StaticSegment, StaticSegment.id == StaticTag.static_segment_id)
        .where(StaticTag.shop_id == shop.id)
        .order_by(StaticTag.given_on.desc(), StaticTag.id)
    )
    return [(row, name) for row, name in rows]


def find_tag(session: Session, shop: Shop, tag_id: int) -> tuple[StaticTag, StaticSegment]:
    """Return a tag of a static segment; raises NotFoundError for any other."""
    row = session.get(StaticTag, tag_id)
    if row is None or row.shop_id != shop.id:
        raise NotFoundError(
            problem(
                "no_legacy_tag",
                "There is no tag {id} of a static segment in shop {shop}.",
                command="regulars tags legacy --shop {shop}",
                field="id",
                id=tag_id,
                shop=shop.name,
            )
        )
    return row, session.get_one(StaticSegment, row.static_segment_id)


def remove_tag(
    session: Session,
    shop: Shop,
    tag_id: int,
    customer_ids: Iterable[str],
    *,
    author: str,
    now: datetime,
) -> TagRemoval:
    """Order that a static segment's tag is taken from its customers.

    Raises ConflictError where that was ordered before.
    """
    demand_connected(shop)
    row, segment = find_tag(session, shop, tag_id)
    audience = sorted(set(customer_ids))
    key = tag_key(row.tag)
    before = session.scalar(
        select(TagAssignment.id).where(
            TagAssignment.shop_id == shop.id,
            TagAssignment.kind == "legacy",
            TagAssignment.segment_id == segment.id,
            TagAssignment.tag_key == key,
        )
    )
    if before is not None:
        raise ConflictError(
            problem(
                "legacy_removed",
                'The tag "{tag}" of "{segment}" was removed before, see assignment {id}.',
                tag=row.tag,
                segment=segment.name,
                id=before,
            )
        )
    assignment = TagAssignment(
        shop_id=shop.id,
        segment_id=segment.id,
        segment_name=segment.name,
        tag=row.tag[:40],
        tag_key=key,
        kind="legacy",
        status="assigned",
        targeted_count=len(audience),
        holdout_count=0,
        author=author,
        created_at=now,
    )
    session.add(assignment)
    session.flush()
    _take_over(session, assignment, audience)
    return remove(session, assignment, author=author, now=now)


def _take_over(session: Session, assignment: TagAssignment, audience: Sequence[str]) -> None:
    """Store the customers as if this assignment had given them the tag; the ledger's word stays."""
    key = assignment.tag_key
    shared = {"shop_id": assignment.shop_id, "tag_key": key}
    for part in parts(audience):
        rows = [
            {
                **shared,
                "assignment_id": assignment.id,
                "customer_id": one,
                "wanted": True,
                "outcome": "given",
            }
            for one in part
        ]
        session.execute(insert(TagAudience), rows)
        known = select(TagLedger.customer_id).where(
            TagLedger.shop_id == assignment.shop_id,
            TagLedger.tag_key == key,
            TagLedger.customer_id.in_(part),
        )
        seen = set(session.scalars(known))
        new = [
            {**shared, "customer_id": one, "had_before": False, "told": "given", "told_at": None}
            for one in part
            if one not in seen
        ]
        if new:
            session.execute(insert(TagLedger), new)
