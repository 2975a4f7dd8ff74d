"""Tasks: what there is to do with the tags of one shop, in which order, and how it ends.

A task is an assignment's giving, its removal, or the leaving of a rule's customers. What rules ask
for comes first, since it is small and people watch it; giving comes before taking off, so that a
renamed tag is there before the old one goes. The rest comes in the order in which it was ordered.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from regulars.errors import ShopifyError
from regulars.office.models.tags import (
    HALT_CHARACTERS_MAX,
    PROBLEM_CHARACTERS_MAX,
    TagAssignment,
    TagAudience,
    TagBulk,
    TagRemoval,
    TagRemovalRow,
    TagRule,
)
from regulars.tags import log

#: Assignments in these states have customers to be told.
OPEN_STATUSES = ("waiting", "assigning", "cancelling")


@dataclass(frozen=True, slots=True)
class Task:
    """One assignment, removal or leaving being worked."""

    kind: Literal["assignment", "removal", "leaving"]
    #: Of the assignment, or of the removal.
    id: int
    assignment_id: int
    tag: str
    key: str
    #: It stood still for a person's sake when it was taken up again.
    has_problem: bool = False

    @property
    def adds(self) -> bool:
        """Whether the tag is given rather than taken off."""
        return self.kind == "assignment"

    @property
    def table(self) -> Any:
        """The table of its customers."""
        return TagRemovalRow if self.kind == "removal" else TagAudience

    @property
    def of(self) -> Any:
        """The condition that picks its rows."""
        if self.kind == "removal":
            return TagRemovalRow.removal_id == self.id
        return TagAudience.assignment_id == self.id

    @property
    def waiting(self) -> str:
        """The outcome of rows that nothing was done for yet."""
        return "leaving" if self.kind == "leaving" else "waiting"

    @property
    def told(self) -> str:
        """The outcome of rows whose effect may have happened."""
        return "taking" if self.kind == "leaving" else "told"

    @property
    def done(self) -> str:
        """The outcome of rows that Shopify did."""
        return "given" if self.adds else "removed"


def _built_once() -> tuple[Any, Any, Any]:
    """Return the statements that every step runs: of rules, of assignments, of removals."""
    free = TagAssignment.tag_key.not_in(bindparam("busy", expanding=True))
    syncing = (
        select(TagAssignment)
        .where(TagAssignment.shop_id == bindparam("shop"), TagAssignment.status == "syncing", free)
        .order_by(TagAssignment.id)
        .limit(1)
    )
    giving = (
        select(TagAssignment)
        .where(
            TagAssignment.shop_id == bindparam("shop"),
            TagAssignment.status.in_(OPEN_STATUSES),
            free,
        )
        .order_by(TagAssignment.created_at, TagAssignment.id)
        .limit(1)
    )
    removing = (
        select(TagRemoval)
        .join(TagAssignment, TagAssignment.id == TagRemoval.assignment_id)
        .where(
            TagRemoval.shop_id == bindparam("shop"),
            TagRemoval.status.in_(("waiting", "removing")),
            free,
        )
        .order_by(TagRemoval.created_at, TagRemoval.id)
        .limit(1)
    )
    return syncing, giving, removing


_SYNCING, _GIVING, _REMOVING = _built_once()


def next_task(session: Session, shop_id: int, now: datetime, busy: Collection[str]) -> Task | None:
    """Return what is to be done next; tags in `busy` are left alone."""
    found = _of_rules(session, shop_id, busy)
    if found is not None:
        return found
    asked = {"shop": shop_id, "busy": list(busy)}
    assignment = session.scalar(_GIVING, asked)
    removal = session.scalar(_REMOVING, asked)
    if removal and (assignment is None or removal.created_at <= assignment.created_at):
        return _start_removal(session, removal, now)
    return _start_assignment(session, assignment, now) if assignment else None


def task_of_bulk(session: Session, bulk: TagBulk) -> Task:
    """Return the task that a bulk operation was started for."""
    if bulk.work == "removal":
        removal = session.get_one(TagRemoval, bulk.work_id)
        assignment = session.get_one(TagAssignment, removal.assignment_id)
        return _task("removal", removal.id, assignment, removal.problem)
    assignment = session.get_one(TagAssignment, bulk.work_id)
    kind: Any = bulk.work
    return _task(kind, assignment.id, assignment, assignment.problem)


def is_open(session: Session, task: Task) -> bool:
    """Whether nobody paused, cancelled or removed the work since it was taken."""
    if task.kind == "removal":
        return session.get_one(TagRemoval, task.id).status == "removing"
    status = session.get_one(TagAssignment, task.id).status
    if task.kind == "leaving":
        return status == "syncing"
    return status in {"assigning", "cancelling", "syncing"}


def goes_on(session: Session, task: Task) -> bool:
    """Whether customers are still to be given the tag, rather than only looked at."""
    assignment = session.get_one(TagAssignment, task.id)
    if assignment.rule_id is None:
        return assignment.status == "assigning"
    return session.get_one(TagRule, assignment.rule_id).is_on


def finish(session: Session, task: Task, now: datetime) -> None:
    """Store how a task ended, unless somebody stopped it meanwhile."""
    if not is_open(session, task):
        return
    assignment = session.get_one(TagAssignment, task.assignment_id)
    if task.kind != "removal" and assignment.rule_id is not None:
        _finish_rule(session, assignment, now)
        return
    counts = count_outcomes(session, task)
    failed = counts.get("failed", 0)
    worked = sum(counts.values()) - failed - counts.get("not_given", 0)
    status = "assigned" if task.adds else "removed"
    if failed:
        status = "partly_failed" if worked else "failed"
    if task.adds:
        if assignment.status == "cancelling" or counts.get("cancelled"):
            status = "cancelled"
        assignment.status, assignment.finished_at = status, now
    else:
        removal = session.get_one(TagRemoval, task.id)
        removal.status, removal.finished_at = status, now
        assignment.status = "removed" if status == "removed" else "partly_removed"
    ended = "finished" if task.adds else "removed"
    kind, told = ("failed_in_part", failed) if failed else (ended, counts.get(task.done, 0))
    log.note(session, task.assignment_id, kind, now, customers=told)


def set_problem(session: Session, task: Task, error: ShopifyError | None, now: datetime) -> None:
    """Leave the reason with work that rests until the shop is connected anew, or clear it."""
    row: TagAssignment | TagRemoval = (
        session.get_one(TagRemoval, task.id)
        if task.kind == "removal"
        else session.get_one(TagAssignment, task.id)
    )
    if error is None:
        if row.problem is not None:
            log.note(session, task.assignment_id, "went_on", now)
        row.problem = row.reason = None
    elif row.problem != _text(error):
        _excuse(session, row, error, now)


def has_open_work(session: Session, shop_id: int) -> bool:
    """Whether a shop has tag work that is not through: rows are the truth, jobs only wake up."""
    assignments = select(TagAssignment.id).where(
        TagAssignment.shop_id == shop_id,
        TagAssignment.status.in_((*OPEN_STATUSES, "syncing")),
    )
    removals = select(TagRemoval.id).where(
        TagRemoval.shop_id == shop_id, TagRemoval.status.in_(("waiting", "removing"))
    )
    bulks = select(TagBulk.id).where(TagBulk.shop_id == shop_id, TagBulk.state != "done")
    return any(
        session.scalar(query.limit(1)) is not None for query in (assignments, removals, bulks)
    )


def open_work(session: Session, shop_id: int) -> list[tuple[TagAssignment, int]]:
    """Return the assignments with customers who are not through, and how many those are."""
    open_rows = (
        select(TagAudience.assignment_id, func.count().label("count"))
        .where(
            TagAudience.shop_id == shop_id,
            TagAudience.outcome.in_(("waiting", "told", "leaving", "taking")),
        )
        .group_by(TagAudience.assignment_id)
    )
    counts: dict[int, int] = {number: count for number, count in session.execute(open_rows)}  # noqa: C416
    removals = (
        select(TagRemoval.assignment_id, func.count())
        .join(TagRemovalRow, TagRemovalRow.removal_id == TagRemoval.id)
        .where(TagRemoval.shop_id == shop_id, TagRemovalRow.outcome.in_(("waiting", "told")))
        .group_by(TagRemoval.assignment_id)
    )
    counts.update({number: count for number, count in session.execute(removals)})  # noqa: C416
    rows = session.scalars(
        select(TagAssignment)
        .where(TagAssignment.id.in_(counts), TagAssignment.status.not_in(("removed", "cancelled")))
        .order_by(TagAssignment.id)
    )
    return [(row, counts[row.id]) for row in rows]


def count_outcomes(session: Session, task: Task) -> dict[str, int]:
    """Return how many rows of a task have which outcome."""
    rows = session.execute(
        select(task.table.outcome, func.count()).where(task.of).group_by(task.table.outcome)
    )
    return {outcome: count for outcome, count in rows}  # noqa: C416 - rows are not pairs to mypy


def _of_rules(session: Session, shop_id: int, busy: Collection[str]) -> Task | None:
    """Return the giving of a rule, else the leaving of one."""
    empty = session.scalar(_SYNCING, {"shop": shop_id, "busy": list(busy)})
    if empty is None:
        return None
    syncing = select(TagAssignment).where(
        TagAssignment.shop_id == shop_id,
        TagAssignment.status == "syncing",
        TagAssignment.tag_key.not_in(busy),
    )
    # A tag that is busy may be the one to be given before another goes.
    if busy and session.scalar(_giving_of(shop_id, busy)) is not None:
        return None
    for kind, outcomes in (("assignment", ("told", "waiting")), ("leaving", ("taking", "leaving"))):
        row = exists().where(
            and_(
                TagAudience.assignment_id == TagAssignment.id,
                TagAudience.outcome.in_(outcomes),
            )
        )
        found = session.scalar(syncing.where(row).order_by(TagAssignment.id).limit(1))
        if found is not None:
            return _task(kind, found.id, found, found.problem)  # type: ignore[arg-type]
    return _task("assignment", empty.id, empty, empty.problem)


def _giving_of(shop_id: int, busy: Collection[str]) -> Any:
    return (
        select(TagAssignment.id)
        .join(TagBulk, and_(TagBulk.work_id == TagAssignment.id, TagBulk.work == "assignment"))
        .where(
            TagAssignment.shop_id == shop_id,
            TagAssignment.rule_id.is_not(None),
            TagAssignment.tag_key.in_(busy),
            TagBulk.state != "done",
        )
        .limit(1)
    )


def _task(
    kind: Literal["assignment", "removal", "leaving"],
    number: int,
    assignment: TagAssignment,
    problem: str | None,
) -> Task:
    return Task(
        kind, number, assignment.id, assignment.tag, assignment.tag_key, problem is not None
    )


def _start_assignment(session: Session, assignment: TagAssignment, now: datetime) -> Task:
    if assignment.status == "waiting":
        assignment.status = "assigning"
        if assignment.started_at is None:
            assignment.started_at = now
            log.note(session, assignment.id, "started", now)
    return _task("assignment", assignment.id, assignment, assignment.problem)


def _start_removal(session: Session, removal: TagRemoval, now: datetime) -> Task:
    if removal.status == "waiting":
        removal.status = "removing"
        if removal.started_at is None:
            removal.started_at = now
            log.note(session, removal.assignment_id, "removal_started", now)
    assignment = session.get_one(TagAssignment, removal.assignment_id)
    return _task("removal", removal.id, assignment, removal.problem)


def _finish_rule(session: Session, assignment: TagAssignment, now: datetime) -> None:
    """End what a rule asked for: in step with the segment, or switched off."""
    of = TagAudience.assignment_id == assignment.id
    left = or_(*(TagAudience.outcome == one for one in ("told", "waiting", "taking", "leaving")))
    if session.scalar(select(TagAudience.customer_id).where(of, left).limit(1)) is not None:
        return
    rule = session.get_one(TagRule, assignment.rule_id)
    if rule.is_on and rule.assignment_id == assignment.id:
        assignment.status = "in_sync"
        return
    # Off, or the rule has another tag by now: either the tags stayed, or they were taken off.
    wanted = select(TagAudience.customer_id).where(of, TagAudience.wanted).limit(1)
    failed = select(TagAudience.customer_id).where(
        of, TagAudience.outcome == "failed", ~TagAudience.wanted, TagAudience.told_at.is_not(None)
    )
    if session.scalar(wanted) is not None:
        assignment.status = "stopped"
    elif session.scalar(failed.limit(1)) is not None:
        assignment.status = "partly_removed"
    else:
        assignment.status = "removed"
    assignment.finished_at = now


def excuse_all(session: Session, shop_id: int, error: ShopifyError, now: datetime) -> None:
    """Leave the reason with everything open: the shop cannot even be asked."""
    for row in (
        *session.scalars(
            select(TagAssignment).where(
                TagAssignment.shop_id == shop_id,
                TagAssignment.status.in_((*OPEN_STATUSES, "syncing")),
            )
        ),
        *session.scalars(
            select(TagRemoval).where(
                TagRemoval.shop_id == shop_id, TagRemoval.status.in_(("waiting", "removing"))
            )
        ),
    ):
        if row.problem is None:
            _excuse(session, row, error, now)
        else:
            row.problem, row.reason = _text(error), _reason(error)


def _excuse(
    session: Session, row: TagAssignment | TagRemoval, error: ShopifyError, now: datetime
) -> None:
    row.problem, row.reason = _text(error), _reason(error)
    number = row.id if isinstance(row, TagAssignment) else row.assignment_id
    log.note(session, number, "stood_still", now, told=row.problem, reason=row.reason)


def _text(error: ShopifyError) -> str:
    return str(error)[:HALT_CHARACTERS_MAX]


def _reason(error: ShopifyError) -> dict[str, Any] | None:
    """Return what an error tells in words of ours, to be told again in another language."""
    one = error.problem
    if one is None:
        return None
    values = {name: str(value)[:PROBLEM_CHARACTERS_MAX] for name, value in one.values.items()}
    return {"code": one.code, "template": one.template, "values": values}
