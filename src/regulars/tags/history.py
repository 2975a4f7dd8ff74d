"""Tag work as people see it: what was assigned, how far it is, what a removal would do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.tags import (
    TagAssignment,
    TagAudience,
    TagBulk,
    TagHoldout,
    TagLedger,
    TagRemoval,
    TagRemovalRow,
)
from regulars.tags import acts, log
from regulars.tags.ledger import HOLDING, beside
from regulars.tags.names import tag_key

#: Outcomes of customers who are not through.
OPEN_OUTCOMES = ("waiting", "told", "leaving", "taking")

#: A removal that was undone is told by the log only.
_LIVE = TagRemoval.status != "undone"

#: Rows of one page of the history, and of customers with problems.
PAGE_ROWS = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the history: an assignment, its removal if any, and the customers by outcome."""

    assignment: TagAssignment
    removal: TagRemoval | None = None
    #: Customers by outcome, of the removal where there is one.
    counts: Mapping[str, int] = field(default_factory=dict)
    #: Customers that a running bulk mutation is through with, not yet in `counts`.
    bulk_done_count: int = 0
    #: The segment was deleted since; its audience stays.
    is_segment_deleted: bool = False

    @property
    def is_working(self) -> bool:
        """Whether it goes on by itself."""
        return self.assignment.status in {
            "waiting", "assigning", "cancelling", "removing", "syncing"
        }  # fmt: skip

    @property
    def done_count(self) -> int:
        """Customers that are through, whatever came of it."""
        open_count = sum(self.counts.get(one, 0) for one in OPEN_OUTCOMES)
        return min(self.total_count, self.total_count - open_count + self.bulk_done_count)

    @property
    def total_count(self) -> int:
        """Customers that the work at hand is about."""
        return sum(self.counts.values()) or self.assignment.targeted_count

    @property
    def progress(self) -> float:
        """The share that is through, from 0 to 1."""
        return self.done_count / max(self.total_count, 1)

    @property
    def problem(self) -> str | None:
        """Why the work stands still, if it does."""
        return self.halted.problem if self.halted else None

    @property
    def halted(self) -> TagAssignment | TagRemoval | None:
        """The row that says why the work stands still, if it does."""
        rows = (self.assignment, self.removal)
        return next((row for row in rows if row is not None and row.problem), None)

    @property
    def orders(self) -> Collection[str]:
        """What a person can order now: "pause", "resume", "cancel", "retry", "undo_removal"."""
        one, is_once = self.assignment, self.assignment.rule_id is None
        found = set()
        if one.status in {"waiting", "assigning", "syncing", "in_sync", "removing"}:
            found.add("pause")
        if one.status == "paused":
            found.add("resume")
        takes = self.removal is not None
        if is_once and one.status in {"waiting", "assigning", "paused"} and not takes:
            found.add("cancel")
        if one.status in {"partly_failed", "failed", "partly_removed"} or (
            not is_once and self.counts.get("failed")
        ):
            found.add("retry")
        if takes and is_once and one.kind != "legacy":
            found.add("undo_removal")
        return found

    @property
    def is_removable(self) -> bool:
        """Whether the tag can be taken back."""
        is_open = acts.is_removable(self.assignment) and self.removal is None
        return is_open and self.assignment.kind != "legacy"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the work at hand goes, by the time that was worked; None while that says nothing."""

    customers_per_second: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """What a removal would do now."""

    removed: int
    #: Had the tag before this assignment.
    kept_before: int
    #: Another live assignment holds it for them.
    kept_wanted: int
    #: Never got it.
    not_given: int


def list_entries(
    session: Session,
    shop: Shop,
    *,
    segment_id: int | None = None,
    status: str | None = None,
    kind: str | None = None,
    tag: str | None = None,
    since: date | None = None,
    until: date | None = None,
    words: str = "",
    before_id: int | None = None,
    most: int = PAGE_ROWS,
) -> list[Entry]:
    """Return assignments of a shop, newest first; filters that are given narrow them.

    `since` and `until` are days of the shop, both included.
    """
    query = select(TagAssignment).where(TagAssignment.shop_id == shop.id)
    if kind is not None:
        query = query.where(TagAssignment.kind == kind)
    if tag is not None:
        query = query.where(TagAssignment.tag_key == tag_key(tag))
    if since is not None:
        start = datetime.combine(since, time(), shop.zone).astimezone(UTC)
        query = query.where(TagAssignment.created_at >= start)
    if until is not None and until < date.max:
        end = datetime.combine(until + timedelta(days=1), time(), shop.zone).astimezone(UTC)
        query = query.where(TagAssignment.created_at < end)
    if segment_id is not None:
        query = query.where(TagAssignment.segment_id == segment_id)
    if status is not None:
        query = query.where(TagAssignment.status == status)
    if words:
        like = f"%{_escaped(words)}%"
        query = query.where(
            or_(
                TagAssignment.tag.ilike(like, escape="\\"),
                TagAssignment.segment_name.ilike(like, escape="\\"),
            )
        )
    if before_id is not None:
        query = query.where(TagAssignment.id < before_id)
    found = session.scalars(query.order_by(TagAssignment.id.desc()).limit(most)).all()
    return _entries(session, found)


def entry_of(session: Session, assignment: TagAssignment) -> Entry:
    """Return one assignment with everything counted."""
    return _entries(session, [assignment], count_all=True)[0]


def pace_of(session: Session, entry: Entry, now: datetime) -> Pace:
    """Tell how fast an assignment is carried out, or taken back, and how long the rest takes.

    Time in which it was paused, or stood still for Shopify's sake, is no work.
    """
    is_once = entry.assignment.rule_id is None
    if not (entry.is_working and is_once and entry.done_count):
        return Pace()
    seconds = log.worked_seconds(session, entry.assignment.id, now)
    if seconds < 1:
        return Pace()
    rate = entry.done_count / seconds
    return Pace(rate, (entry.total_count - entry.done_count) / rate)


def problem_rows(
    session: Session, entry: Entry, most: int = PAGE_ROWS
) -> Sequence[tuple[str, str]]:
    """Return customers whose tag could not be changed, with the reason."""
    table: type[TagAudience | TagRemovalRow] = TagAudience
    of = TagAudience.assignment_id == entry.assignment.id
    if entry.removal is not None:
        table, of = TagRemovalRow, TagRemovalRow.removal_id == entry.removal.id
    rows = session.execute(
        select(table.customer_id, table.problem)
        .where(of, table.outcome == "failed")
        .order_by(table.customer_id)
        .limit(most)
    )
    return [(one, problem or "") for one, problem in rows]


def outcome_rows(
    session: Session, assignment: TagAssignment
) -> Iterator[tuple[str, str, datetime | None, str | None]]:
    """Yield every customer of an assignment, or of its removal: outcome, when, and problem.

    Who was left out for comparison comes last, as "held_out".
    """
    table: Any = TagAudience
    of = TagAudience.assignment_id == assignment.id
    removal = session.scalar(
        select(TagRemoval).where(TagRemoval.assignment_id == assignment.id, _LIVE)
    )
    if removal is not None:
        table, of = TagRemovalRow, TagRemovalRow.removal_id == removal.id
    rows = session.execute(
        select(table.customer_id, table.outcome, table.told_at, table.problem)
        .where(of)
        .order_by(table.customer_id)
        .execution_options(yield_per=10_000)
    )
    for one, outcome, told_at, problem in rows:
        yield one, outcome, told_at, problem
    out = select(TagHoldout.customer_id, TagHoldout.since).where(
        TagHoldout.assignment_id == assignment.id, TagHoldout.until.is_(None)
    )
    for one, since in session.execute(out.order_by(TagHoldout.customer_id)):
        yield one, "held_out", since, None


def plan_removal(session: Session, assignment: TagAssignment) -> RemovalPlan:
    """Count what removing an assignment's tag would do now."""
    other = aliased(TagAudience)
    wanted = exists().where(
        other.shop_id == TagAudience.shop_id,
        other.tag_key == TagAudience.tag_key,
        other.customer_id == TagAudience.customer_id,
        other.wanted,
        other.outcome.in_(HOLDING),
        other.assignment_id != TagAudience.assignment_id,
    )
    had_before = beside(TagLedger.had_before)
    given = acts.maybe_given()
    before = or_(TagAudience.outcome == "had_before", and_(given, had_before))
    counts = session.execute(
        select(
            func.count().filter(and_(given, ~wanted, ~had_before)),
            func.count().filter(before),
            func.count().filter(and_(given, wanted, ~had_before)),
            func.count().filter(and_(~given, TagAudience.outcome != "had_before")),
        ).where(TagAudience.assignment_id == assignment.id)
    ).one()
    return RemovalPlan(*counts)


def _entries(
    session: Session, assignments: Sequence[TagAssignment], *, count_all: bool = False
) -> list[Entry]:
    ids = [one.id for one in assignments]
    removals = {
        one.assignment_id: one
        for one in session.scalars(
            select(TagRemoval).where(TagRemoval.assignment_id.in_(ids), _LIVE)
        )
    }
    # What is whole is not counted again for a list: a hundred rows may mean millions of customers.
    whole = set() if count_all else {"assigned", "removed"}
    there = _segments_there(session, assignments)
    return [
        Entry(
            one,
            removals.get(one.id),
            {} if one.status in whole else _counts(session, one, removals.get(one.id)),
            _bulk_done(session, one, removals.get(one.id)) if one.status not in whole else 0,
            # Those of an earlier system were given to static segments, which are not looked for.
            one.kind != "legacy" and one.segment_id not in there,
        )
        for one in assignments
    ]


def _segments_there(session: Session, assignments: Sequence[TagAssignment]) -> set[int]:
    """Return the ids of the assignments' segments that were not deleted."""
    asked = {one.segment_id for one in assignments}
    query = select(Segment.id).where(Segment.id.in_(asked), Segment.deleted_at.is_(None))
    return set(session.scalars(query))


def _counts(
    session: Session, assignment: TagAssignment, removal: TagRemoval | None
) -> dict[str, int]:
    table: type[TagAudience | TagRemovalRow] = TagAudience
    of = TagAudience.assignment_id == assignment.id
    if removal is not None:
        table, of = TagRemovalRow, TagRemovalRow.removal_id == removal.id
    rows = session.execute(select(table.outcome, func.count()).where(of).group_by(table.outcome))
    return {outcome: count for outcome, count in rows}  # noqa: C416 - rows are not pairs to mypy


def _bulk_done(session: Session, assignment: TagAssignment, removal: TagRemoval | None) -> int:
    work, work_id = ("removal", removal.id) if removal else ("assignment", assignment.id)
    found = session.scalar(
        select(func.sum(TagBulk.done_count)).where(
            TagBulk.work == work, TagBulk.work_id == work_id, TagBulk.state == "running"
        )
    )
    return int(found or 0)


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
