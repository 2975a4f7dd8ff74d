"""The log of an assignment: who ordered what, when work stood still, went on and ended.

For people who look back; nothing is decided from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.office.models.tags import HALT_CHARACTERS_MAX, TagEvent

#: Everything that can stand in the log. The words on screen belong to the web room.
KINDS = (
    "assigned",
    "started",
    "bulk_started",
    "bulk_over",
    "stood_still",
    "went_on",
    "paused",
    "resumed",
    "cancelled",
    "retried",
    "finished",
    "failed_in_part",
    "removal_ordered",
    "removal_started",
    "removal_undone",
    "removed",
    "switched_off",
    "switched_on",
    "merged",
)
#: What begins another work, with which the time worked starts anew.
_BEGINS = ("started", "removal_started", "removal_undone")
#: After these it is worked, after those it rests.
_WORKS = (*_BEGINS, "resumed", "went_on", "retried")
_RESTS = ("paused", "stood_still", "cancelled", "finished", "failed_in_part", "removed")
#: Events of one page.
PAGE_EVENTS = 100


def note(
    session: Session,
    assignment_id: int,
    kind: str,
    at: datetime,
    *,
    author: str = "",
    customers: int | None = None,
    told: str = "",
    reason: Mapping[str, object] | None = None,
) -> None:
    """Write one event of an assignment in the caller's transaction."""
    if kind not in KINDS:
        raise LookupError(f"there is no tag event {kind!r}")
    session.add(
        TagEvent(
            assignment_id=assignment_id,
            at=at,
            kind=kind,
            author=author,
            customer_count=customers,
            note=told[:HALT_CHARACTERS_MAX],
            reason=reason,
        )
    )


def events(session: Session, assignment_id: int, most: int = PAGE_EVENTS) -> Sequence[TagEvent]:
    """Return the latest events of an assignment, newest first."""
    return session.scalars(
        select(TagEvent)
        .where(TagEvent.assignment_id == assignment_id)
        .order_by(TagEvent.id.desc())
        .limit(most)
    ).all()


def worked_seconds(session: Session, assignment_id: int, now: datetime) -> float:
    """Return how long the work at hand has been worked, without the time in which it rested."""
    seconds, since = 0.0, None
    rows = session.execute(
        select(TagEvent.kind, TagEvent.at)
        .where(TagEvent.assignment_id == assignment_id, TagEvent.kind.in_((*_WORKS, *_RESTS)))
        .order_by(TagEvent.id)
    )
    for kind, at in rows:
        if kind in _BEGINS:
            seconds, since = 0.0, at
        elif kind in _WORKS:
            since = since or at
        elif since is not None:
            seconds, since = seconds + (at - since).total_seconds(), None
    return seconds + (now - since).total_seconds() if since is not None else seconds
