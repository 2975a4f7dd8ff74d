"""Save preview: what an edited query would change, worked out before anything is saved.

Reads only. The segments that are made of the edited one are evaluated over its new members, in the
order in which saving would change them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pyroaring import BitMap
from sqlalchemy.orm import Session

from regulars.engine import Context, SetEvaluator
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.segments.definitions import checked_query, definitions
from regulars.segments.memberships import Memberships
from regulars.segments.names import name_key
from regulars.segments.users import User, acting_users, all_users


@dataclass(frozen=True, slots=True)
class Effect:
    """Who would join and who would leave one segment."""

    segment_id: int
    name: str
    joined: BitMap
    left: BitMap
    #: Tag rules, unfinished tag work and trackings that go on with the new members.
    users: Sequence[User] = ()


@dataclass(frozen=True, slots=True)
class EditPreview:
    """What saving an edited query would do."""

    #: The members before and after.
    before: BitMap
    after: BitMap
    #: The segments made of the edited one whose members would change, in order.
    others: Sequence[Effect]
    #: What uses the edited segment and would go on with its new members.
    users: Sequence[User]

    @property
    def joined(self) -> BitMap:
        """Who would join."""
        return self.after - self.before

    @property
    def left(self) -> BitMap:
        """Who would leave."""
        return self.before - self.after


def preview_edit(
    session: Session,
    shop: Shop,
    segment: Segment,
    *,
    query: str,
    memberships: Memberships,
    evaluator: SetEvaluator,
    now: datetime,
) -> EditPreview:
    """Tell what saving `query` would do; raises QueryError with all its problems."""
    tree = checked_query(session, shop, query, key=segment.name_key, name=segment.name)
    changed: dict[str, BitMap] = {}
    context = _over(memberships.live_context(shop, now), changed)
    before, after = memberships.members(segment.id), evaluator.members(tree, context)
    others: list[Effect] = []
    if before != after:
        changed[segment.name_key] = after
    for one in definitions(session, shop):
        if one.segment_id == segment.id or not one.references & changed.keys():
            continue
        old, new = memberships.members(one.segment_id), evaluator.members(one.tree, context)
        if old != new:
            changed[one.key] = new
            users = acting_users(session, shop, one.segment_id, now=now)
            others.append(Effect(one.segment_id, one.name, new - old, old - new, users))
    return EditPreview(before, after, others, all_users(session, shop, segment, now=now))


def _over(context: Context, changed: dict[str, BitMap]) -> Context:
    """Return the context in which changed segments have their new members."""

    def named_set(of: str, name: str) -> BitMap:
        found = changed.get(name_key(name)) if of == "segment" else None
        return context.named_set(of, name) if found is None else found

    return replace(context, named_set=named_set)
