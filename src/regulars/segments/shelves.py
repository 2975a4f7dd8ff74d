"""How segments are kept in order: description, icon, groups, a place on the home page, the trash.

Nothing here changes who belongs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from regulars.errors import InputError, problem
from regulars.office import Shop
from regulars.office.models.segments import (
    Segment,
    SegmentGroup,
    SegmentGroupEntry,
    SegmentVersion,
)
from regulars.segments.names import checked_name, name_key
from regulars.segments.users import running_trackings

TRASH_KEPT = timedelta(days=30)
DESCRIPTION_CHARACTERS_MAX = 2000
GROUPS_MAX = 20


def describe_segment(segment: Segment, text: str, now: datetime) -> None:
    """Give a segment a description."""
    clean = text.strip()
    if len(clean) > DESCRIPTION_CHARACTERS_MAX:
        template = "A description may have {most} characters; this one has {count}."
        raise InputError(
            problem(
                "description_long",
                template,
                most=DESCRIPTION_CHARACTERS_MAX,
                count=len(clean),
                field="description",
            )
        )
    segment.description, segment.updated_at = clean, now


def mark_segment(segment: Segment, icon: str, now: datetime) -> None:
    """Give a segment one sign as its icon, or none."""
    clean = icon.strip()
    # An emoji may be several characters that are drawn as one.
    joined = [sign for sign in clean if unicodedata.category(sign) not in {"Mn", "Me", "Cf", "Sk"}]
    if len(clean) > 8 or len(joined) > 4 or any(sign.isspace() for sign in clean):
        template = 'An icon is one sign, like an emoji or a letter; "{icon}" is more.'
        raise InputError(problem("icon_long", template, icon=clean[:20], field="icon"))
    segment.icon, segment.updated_at = clean, now


def put_into_groups(
    session: Session, shop: Shop, segment: Segment, names: Iterable[str]
) -> Sequence[str]:
    """Let a segment be in exactly these groups; groups come and go with their segments."""
    wanted = {name_key(clean): clean for clean in map(checked_name, names)}
    if len(wanted) > GROUPS_MAX:
        template = "A segment can be in {most} groups; these are {count}."
        raise InputError(
            problem("too_many_groups", template, most=GROUPS_MAX, count=len(wanted), field="groups")
        )
    of_shop = select(SegmentGroup).where(SegmentGroup.shop_id == shop.id)
    groups = {group.name_key: group for group in session.scalars(of_shop)}
    for key, name in wanted.items():
        if key not in groups:
            groups[key] = SegmentGroup(shop_id=shop.id, name=name, name_key=key)
            session.add(groups[key])
    session.flush()
    session.execute(delete(SegmentGroupEntry).where(SegmentGroupEntry.segment_id == segment.id))
    session.add_all(
        SegmentGroupEntry(group_id=groups[key].id, segment_id=segment.id) for key in wanted
    )
    session.flush()
    _drop_empty(session, shop)
    return sorted(groups[key].name for key in wanted)


def groups_of(session: Session, shop: Shop) -> Mapping[str, Sequence[int]]:
    """Return the shop's groups by name, each with its live segments by name."""
    rows = session.execute(
        select(SegmentGroup.name, Segment.id)
        .join(SegmentGroupEntry, SegmentGroupEntry.group_id == SegmentGroup.id)
        .join(Segment, Segment.id == SegmentGroupEntry.segment_id)
        .where(SegmentGroup.shop_id == shop.id, Segment.deleted_at.is_(None))
        .order_by(SegmentGroup.name_key, Segment.name_key)
    )
    found: dict[str, list[int]] = {}
    for name, segment_id in rows:
        found.setdefault(name, []).append(segment_id)
    return found


def empty_trash(session: Session, shop: Shop, now: datetime) -> int:
    """Empty the segments that have been in the trash for thirty days; return how many.

    Those that a tracking still measures wait for its end.
    The rows stay, so that no later segment gets a number that the membership log knows.
    """
    old = session.scalars(
        select(Segment).where(
            Segment.shop_id == shop.id,
            Segment.deleted_at <= now - TRASH_KEPT,
            Segment.purged_at.is_(None),
        )
    ).all()
    old = [one for one in old if not running_trackings(session, shop, one, now=now)]
    for segment in old:
        segment.purged_at, segment.query, segment.description = now, "", ""
        numbers = SegmentVersion.segment_id == segment.id
        session.execute(delete(SegmentVersion).where(numbers))
        entries = SegmentGroupEntry.segment_id == segment.id
        session.execute(delete(SegmentGroupEntry).where(entries))
    if old:
        session.flush()
        _drop_empty(session, shop)
    return len(old)


def _drop_empty(session: Session, shop: Shop) -> None:
    used = select(SegmentGroupEntry.group_id)
    session.execute(
        delete(SegmentGroup).where(SegmentGroup.shop_id == shop.id, SegmentGroup.id.not_in(used))
    )
