"""Customers who were merged: what was done to the one who is gone is the other's from now on.

At Shopify the kept customer has the tags of both. So the ledger's word and the rows of assignments
and removals move over; where the tag may have been the kept customer's own, it is never taken off,
unless Shopify was taking it already: a bulk operation under way cannot be called back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from regulars.office.models.tags import (
    TagAssignment,
    TagAudience,
    TagBulk,
    TagHoldout,
    TagLedger,
    TagRemoval,
    TagRemovalRow,
    TagRule,
)
from regulars.tags import log
from regulars.tags.ledger import parts
from regulars.tags.names import tag_key
from regulars.tags.rules import counted

#: Outcomes by which a customer has the tag through an assignment, or may have it.
_HAVING = ("told", "given", "held", "leaving", "taking")
#: What the ledger says of two, the surest first: a doubt stays a doubt.
_STRONGER = ("before", "removing", "giving", "given", "removed")


@dataclass(frozen=True, slots=True)
class Merge:
    """One customer was merged into another."""

    removed_id: str
    kept_id: str
    #: The tags of each just before; None where nobody knows.
    kept_tags: Collection[str] | None = None
    removed_tags: Collection[str] | None = None


def follow_merge(session: Session, shop_id: int, merge: Merge, now: datetime) -> bool:
    """Move everything over; return whether there was anything."""
    rows = _ledger(session, shop_id, merge.removed_id)
    told = {row.tag_key: row.told for row in rows}
    for kept in _ledger(session, shop_id, merge.kept_id):
        if _is_own(merge.removed_tags, kept.tag_key, told.get(kept.tag_key)):
            kept.had_before, kept.told = True, "before"
    for row in rows:
        _move_ledger(session, row, merge)
    _doubt_bulks(session, shop_id, merge)
    touched = _move_audience(session, shop_id, merge) | _move_removals(session, shop_id, merge)
    _move_holdouts(session, shop_id, merge)
    for assignment_id in sorted(touched):
        log.note(session, assignment_id, "merged", now, customers=1)
    # Who belongs to what may be another by now: rules compare everybody.
    if touched:
        session.execute(
            update(TagRule)
            .where(TagRule.shop_id == shop_id)
            .values(followed_key=None)
            .execution_options(synchronize_session=False)
        )
    return bool(rows or touched)


def _ledger(session: Session, shop_id: int, customer_id: str) -> Sequence[TagLedger]:
    of = (TagLedger.shop_id == shop_id, TagLedger.customer_id == customer_id)
    return session.scalars(select(TagLedger).where(*of)).all()


def _is_own(tags: Collection[str] | None, key: str, told: str | None) -> bool:
    """Whether a customer's tag is not ours, by the tags just before and what we last told of it.

    Where we never had to do with it and nobody knows the tags, it may be the customer's own.
    """
    if tags is None:
        return told is None
    return told in {None, "removed"} and key in map(tag_key, tags)


def _move_ledger(session: Session, row: TagLedger, merge: Merge) -> None:
    kept = session.get(TagLedger, (row.shop_id, row.tag_key, merge.kept_id))
    session.delete(row)
    is_own = _is_own(merge.kept_tags, row.tag_key, kept.told if kept else None)
    if kept is not None:
        kept.had_before = kept.had_before or row.had_before or is_own
        kept.told = _told_of_both(kept.told, row.told)
        kept.told_at = max(filter(None, (kept.told_at, row.told_at)), default=None)
    elif row.told != "removed":
        kept = TagLedger(
            shop_id=row.shop_id,
            tag_key=row.tag_key,
            customer_id=merge.kept_id,
            had_before=row.had_before or is_own,
            told=row.told,
            told_at=row.told_at,
        )
        session.add(kept)
    if kept is not None and kept.had_before:
        kept.told = "before"
    session.flush()


def _told_of_both(kept: str, removed: str) -> str:
    """Return what the ledger says of the kept customer where it knew both.

    Where our tag was being taken off the one, it may have come along with the other: the answer to
    that does not settle it, and the removal is done once more.
    """
    if "removing" in {kept, removed} <= {"giving", "given", "removing"}:
        return "giving"
    return min(kept, removed, key=_STRONGER.index)


def _doubt_bulks(session: Session, shop_id: int, merge: Merge) -> None:
    """Have bulk work decided anew for the kept customer, unless it runs at Shopify already.

    A reading may tell the tags before the merge: who is taken out of it stays open, and is done
    after the others. What was decided and may be on its way is looked for before it is sent.
    """
    early = select(TagBulk).where(
        TagBulk.shop_id == shop_id, TagBulk.state.in_(("reading", "made"))
    )
    for bulk in session.scalars(early):
        if bulk.state == "reading":
            bulk.customer_ids = [one for one in bulk.customer_ids if one != merge.kept_id]
        elif not {merge.kept_id, merge.removed_id}.isdisjoint(bulk.customer_ids):
            bulk.state = "doubted"


def _move_audience(session: Session, shop_id: int, merge: Merge) -> set[int]:
    """Move the rows of assignments and rules; return whose they are."""
    rows = session.scalars(
        select(TagAudience).where(
            TagAudience.shop_id == shop_id, TagAudience.customer_id == merge.removed_id
        )
    ).all()
    both = {merge.kept_id, merge.removed_id}
    for row in rows:
        assignment = session.get_one(TagAssignment, row.assignment_id)
        with counted(session, assignment, both):
            _move_row(session, row, merge)
    return {row.assignment_id for row in rows}


def _move_row(session: Session, row: TagAudience, merge: Merge) -> None:
    kept = session.get(TagAudience, (row.assignment_id, merge.kept_id))
    if kept is None:
        row.customer_id = merge.kept_id
        return
    if row.outcome in _HAVING and kept.outcome not in _HAVING:
        is_wanted = kept.wanted or row.wanted
        kept.outcome = row.outcome if row.wanted == is_wanted else "waiting"
        kept.wanted, kept.told_at, kept.problem = is_wanted, row.told_at, None
    row.wanted, row.outcome, row.leaves_at = False, "gone", None


def _move_removals(session: Session, shop_id: int, merge: Merge) -> set[int]:
    rows = session.execute(
        select(TagRemovalRow, TagRemoval.assignment_id)
        .join(TagRemoval, TagRemoval.id == TagRemovalRow.removal_id)
        .where(TagRemoval.shop_id == shop_id, TagRemovalRow.customer_id == merge.removed_id)
    ).all()
    for row, _assignment_id in rows:
        kept = session.get(TagRemovalRow, (row.removal_id, merge.kept_id))
        if kept is None:
            row.customer_id = merge.kept_id
            continue
        if row.outcome in {"waiting", "told", "failed"} and kept.outcome != "told":
            kept.outcome = "waiting"
        row.outcome = "gone"
    return {assignment_id for _row, assignment_id in rows}


def _move_holdouts(session: Session, shop_id: int, merge: Merge) -> None:
    rows = session.scalars(
        select(TagHoldout).where(
            TagHoldout.shop_id == shop_id, TagHoldout.customer_id == merge.removed_id
        )
    ).all()
    for row in rows:
        if session.get(TagHoldout, (row.assignment_id, merge.kept_id)) is None:
            row.customer_id = merge.kept_id
        else:
            session.delete(row)
    session.flush()


def concerned(session: Session, shop_id: int, removed_ids: Iterable[str]) -> Iterator[str]:
    """Yield those of these customers of whom anything is still to be moved."""
    for part in parts(sorted(removed_ids)):
        for table in (TagLedger, TagAudience):
            yield from session.scalars(
                select(table.customer_id)
                .where(
                    table.shop_id == shop_id,
                    table.customer_id.in_(part),
                    *([TagAudience.outcome != "gone"] if table is TagAudience else []),
                )
                .distinct()
            )
