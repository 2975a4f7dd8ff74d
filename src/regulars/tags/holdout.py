"""Holdout: a stable random share of a segment that is left out on purpose, for comparison.

Who is left out depends on the customer and the segment only, so the same customers are left out of
every act for a segment, and a larger share contains a smaller one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from regulars.errors import InputError, problem
from regulars.office.models.tags import TagAssignment, TagHoldout
from regulars.tags.ledger import parts

#: Beyond this nothing is left to compare with.
SHARE_MAX = 0.9

_WHOLE = float(1 << 64)


def clean_share(share: float) -> float:
    """Return a share that can be left out; raises InputError for any other."""
    if not 0 <= share <= SHARE_MAX:
        raise InputError(
            problem(
                "holdout_share",
                "The share that is left out is between 0 and 90 percent.",
                field="holdout",
            )
        )
    return share


def is_held_out(customer_id: str, segment_id: int, share: float) -> bool:
    """Tell whether a customer belongs to the share that is left out.

    >>> is_held_out("1", 7, 0.0), is_held_out("1", 7, 1.0)
    (False, True)
    """
    digest = blake2b(f"{segment_id}:{customer_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _WHOLE < share


def split(ids: Iterable[str], segment_id: int, share: float) -> tuple[set[str], set[str]]:
    """Return who is given the tag, and who is left out."""
    everybody = set(ids)
    if not share:
        return everybody, set()
    out = {one for one in everybody if is_held_out(one, segment_id, share)}
    return everybody - out, out


def leave_out(
    session: Session, assignment: TagAssignment, ids: Iterable[str], now: datetime
) -> None:
    """Store that these customers are left out from now on."""
    wanted = sorted(ids)
    for part in parts(wanted):
        of = (TagHoldout.assignment_id == assignment.id, TagHoldout.customer_id.in_(part))
        known = set(session.scalars(select(TagHoldout.customer_id).where(*of)))
        session.execute(
            update(TagHoldout)
            .where(*of, TagHoldout.until.is_not(None))
            .values(since=now, until=None)
            .execution_options(synchronize_session=False)
        )
        shared = {"assignment_id": assignment.id, "shop_id": assignment.shop_id, "since": now}
        new = [{**shared, "customer_id": one} for one in part if one not in known]
        if new:
            session.execute(insert(TagHoldout), new)
    _count(session, assignment)


def let_in(
    session: Session, assignment: TagAssignment, ids: Iterable[str] | None, now: datetime
) -> None:
    """Store that these customers, or all, are not left out any longer."""
    query = (
        update(TagHoldout)
        .where(TagHoldout.assignment_id == assignment.id, TagHoldout.until.is_(None))
        .values(until=now)
        .execution_options(synchronize_session=False)
    )
    if ids is None:
        session.execute(query)
    else:
        for part in parts(sorted(ids)):
            session.execute(query.where(TagHoldout.customer_id.in_(part)))
    _count(session, assignment)


def held_out(session: Session, assignment: TagAssignment) -> set[str]:
    """Return who is left out now."""
    return set(
        session.scalars(
            select(TagHoldout.customer_id).where(
                TagHoldout.assignment_id == assignment.id, TagHoldout.until.is_(None)
            )
        )
    )


def _count(session: Session, assignment: TagAssignment) -> None:
    assignment.holdout_count = (
        session.scalar(
            select(func.count()).where(
                TagHoldout.assignment_id == assignment.id, TagHoldout.until.is_(None)
            )
        )
        or 0
    )
