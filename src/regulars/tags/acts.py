"""What a person can order: assign, remove, undo, pause, resume, cancel, retry. Only rows.

Each function changes rows in the caller's transaction and returns what it made; nothing is sent to
Shopify here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from regulars.errors import ConflictError, InputError, NotFoundError, Problem, problem
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment, TagAudience, TagRemoval, TagRemovalRow
from regulars.tags import holdout, log
from regulars.tags.ledger import may_have
from regulars.tags.names import clean_tag, tag_key

#: Rows per INSERT, so that a million customers do not stand in memory as parameters at once.
ROWS_PER_INSERT = 20_000


class Act(Protocol):
    """Something a person orders about an assignment that is there."""

    def __call__(
        self, session: Session, assignment: TagAssignment, *, author: str, now: datetime
    ) -> object:
        """Change rows in the caller's transaction."""


#: An assignment that is being carried out or will be.
UNFINISHED = ("waiting", "assigning")
#: An assignment whose tag can be taken back.
REMOVABLE = (
    "waiting",
    "assigning",
    "paused",
    "assigned",
    "partly_failed",
    "failed",
    "cancelling",
    "cancelled",
    "stopped",
)


def assign(
    session: Session,
    shop: Shop,
    segment: Segment,
    tag: str,
    members: Iterable[str],
    *,
    author: str,
    now: datetime,
    holdout_share: float = 0.0,
) -> TagAssignment:
    """Store that the tag is to be given to `members` (customer ids), who are the audience for good.

    Raises InputError for a tag that cannot be used, a segment without customers and a shop that is
    not connected to Shopify.
    """
    text = clean_tag(tag)
    demand_connected(shop)
    everybody = set(members)
    given, left_out = holdout.split(everybody, segment.id, holdout.clean_share(holdout_share))
    audience = sorted(given)
    if not everybody:
        raise InputError(
            problem(
                "segment_empty",
                '"{segment}" has no customers at the moment, so there is nobody to tag.',
                field="segment",
                segment=segment.name,
            )
        )
    assignment = TagAssignment(
        shop_id=shop.id,
        segment_id=segment.id,
        segment_name=segment.name,
        tag=text,
        tag_key=tag_key(text),
        kind="once",
        status="waiting",
        targeted_count=len(audience),
        author=author,
        created_at=now,
    )
    session.add(assignment)
    session.flush()
    shared = {
        "assignment_id": assignment.id,
        "shop_id": shop.id,
        "tag_key": assignment.tag_key,
        "wanted": True,
        "outcome": "waiting",
    }
    for start in range(0, len(audience), ROWS_PER_INSERT):
        part = audience[start : start + ROWS_PER_INSERT]
        session.execute(insert(TagAudience), [{**shared, "customer_id": one} for one in part])
    holdout.leave_out(session, assignment, left_out, now)
    log.note(session, assignment.id, "assigned", now, author=author, customers=len(audience))
    return assignment


def find_assignment(session: Session, shop: Shop, assignment_id: int) -> TagAssignment:
    """Return an assignment of the shop; raises NotFoundError for any other."""
    found = session.get(TagAssignment, assignment_id)
    if found is None or found.shop_id != shop.id:
        raise NotFoundError(
            problem(
                "no_tag_assignment",
                "Tag assignment {id} does not exist in shop {shop}.",
                command="regulars tags history --shop {shop}",
                field="id",
                id=assignment_id,
                shop=shop.name,
            )
        )
    return found


def remove(
    session: Session, assignment: TagAssignment, *, author: str, now: datetime
) -> TagRemoval:
    """Store that an assignment's tag is to be taken back, from whom it was given to only.

    An assignment that is still at work stops. Raises ConflictError when it was removed before.
    """
    if assignment.rule_id is not None and assignment.status in {"in_sync", "syncing", "paused"}:
        raise ConflictError(_of_rule())
    if not is_removable(assignment):
        raise ConflictError(
            problem(
                "already_removed",
                'The tag "{tag}" of this assignment is removed already, or being removed.',
                tag=assignment.tag,
            )
        )
    removal = _new_removal(session, assignment, author, now)
    # Whoever may have been told is looked at; for the others it is clear from the rows alone.
    outcome = case(
        (maybe_given(), "waiting"),
        (TagAudience.outcome == "had_before", "kept_before"),
        (TagAudience.outcome == "gone", "gone"),
        else_="not_given",
    )
    rows = select(literal(removal.id), TagAudience.customer_id, outcome).where(
        TagAudience.assignment_id == assignment.id
    )
    session.execute(
        insert(TagRemovalRow).from_select(["removal_id", "customer_id", "outcome"], rows)
    )
    session.execute(
        update(TagAudience)
        .where(TagAudience.assignment_id == assignment.id)
        .values(wanted=False)
        .execution_options(synchronize_session=False)
    )
    assignment.status = "removing"
    assignment.problem = None
    log.note(session, assignment.id, "removal_ordered", now, author=author)
    return removal


def _new_removal(
    session: Session, assignment: TagAssignment, author: str, now: datetime
) -> TagRemoval:
    removal = removal_of(session, assignment)
    if removal is None:
        removal = TagRemoval(
            shop_id=assignment.shop_id,
            assignment_id=assignment.id,
            status="waiting",
            author=author,
            created_at=now,
        )
        session.add(removal)
        session.flush()
        return removal
    # One that was undone starts anew.
    session.execute(
        delete(TagRemovalRow)
        .where(TagRemovalRow.removal_id == removal.id)
        .execution_options(synchronize_session=False)
    )
    removal.status, removal.author, removal.created_at = "waiting", author, now
    removal.started_at = removal.finished_at = removal.problem = None
    return removal


def undo_removal(
    session: Session, assignment: TagAssignment, *, author: str, now: datetime
) -> None:
    """Give a tag again to those from whom a removal took it, and stop taking it from the rest.

    Raises ConflictError where nothing is removed or being removed.
    """
    if assignment.rule_id is not None:
        raise ConflictError(
            problem(
                "tag_of_rule", "A rule kept this tag in sync. Switch the rule on again instead."
            )
        )
    removal = removal_of(session, assignment)
    is_over = assignment.status not in {"removing", "removed", "partly_removed", "paused"}
    if removal is None or removal.status == "undone" or is_over or assignment.kind == "legacy":
        raise ConflictError(
            problem("no_removal", 'The tag "{tag}" is not being removed.', tag=assignment.tag)
        )
    of = TagAudience.assignment_id == assignment.id
    quiet = {"synchronize_session": False}
    # Everybody is looked at: other work may have taken the tag off while nobody wanted it here.
    session.execute(
        update(TagAudience)
        .where(of, TagAudience.outcome.in_(("told", "given", "held")))
        .values(outcome="waiting", problem=None)
        .execution_options(**quiet)
    )
    session.execute(
        update(TagAudience)
        .where(of, TagAudience.outcome != "cancelled")
        .values(wanted=True)
        .execution_options(**quiet)
    )
    session.execute(
        update(TagRemovalRow)
        .where(
            TagRemovalRow.removal_id == removal.id, TagRemovalRow.outcome.in_(("waiting", "told"))
        )
        .values(outcome="cancelled")
        .execution_options(**quiet)
    )
    removal.status, removal.finished_at, removal.problem = "undone", now, None
    assignment.status, assignment.problem, assignment.finished_at = "waiting", None, None
    log.note(session, assignment.id, "removal_undone", now, author=author)


def removal_of(session: Session, assignment: TagAssignment) -> TagRemoval | None:
    """Return the removal of an assignment, undone or not, where there is one."""
    return session.scalar(select(TagRemoval).where(TagRemoval.assignment_id == assignment.id))


def pause(session: Session, assignment: TagAssignment, *, author: str, now: datetime) -> None:
    """Let the work, or the removal, rest after the step at hand."""
    _demand(assignment, (*UNFINISHED, "syncing", "in_sync", "removing"))
    if assignment.status == "removing":
        removal = removal_of(session, assignment)
        if removal is not None:
            removal.status = "paused"
    assignment.status = "paused"
    log.note(session, assignment.id, "paused", now, author=author)


def resume(session: Session, assignment: TagAssignment, *, author: str, now: datetime) -> None:
    """Let paused work go on."""
    _demand(assignment, ("paused",))
    removal = removal_of(session, assignment)
    if removal is not None and removal.status == "paused":
        removal.status, assignment.status = "waiting", "removing"
    else:
        assignment.status = "waiting" if assignment.rule_id is None else "syncing"
    assignment.problem = None
    log.note(session, assignment.id, "resumed", now, author=author)


def cancel(session: Session, assignment: TagAssignment, *, author: str, now: datetime) -> None:
    """Stop for good: who has the tag keeps it, the others do not get it.

    Where Shopify may have been told and has not answered, `work` looks how it ended first.
    """
    if assignment.rule_id is not None:
        raise ConflictError(_of_rule())
    _demand(assignment, (*UNFINISHED, "paused"))
    removal = removal_of(session, assignment)
    if removal is not None and removal.status == "paused":
        # What is stopped is the removal.
        undo_removal(session, assignment, author=author, now=now)
        return
    log.note(session, assignment.id, "cancelled", now, author=author)
    of = TagAudience.assignment_id == assignment.id
    quiet = {"synchronize_session": False}
    waiting = update(TagAudience).where(of, TagAudience.outcome == "waiting")
    # Who may have the tag already is looked at.
    session.execute(waiting.where(may_have()).values(outcome="told").execution_options(**quiet))
    session.execute(waiting.values(wanted=False, outcome="cancelled").execution_options(**quiet))
    if session.scalar(select(TagAudience.customer_id).where(of, TagAudience.outcome == "told")):
        assignment.status = "cancelling"
        return
    assignment.status = "cancelled"
    assignment.finished_at = now


def retry(session: Session, assignment: TagAssignment, *, author: str, now: datetime) -> int:
    """Try the failed customers of an assignment or its removal again; return how many there are."""
    rule = assignment.rule_id is not None
    count = _retry_rule(session, assignment) if rule else _retry_once(session, assignment)
    log.note(session, assignment.id, "retried", now, author=author, customers=count)
    return count


def _retry_once(session: Session, assignment: TagAssignment) -> int:
    _demand(assignment, ("partly_failed", "failed", "partly_removed"))
    table: type[TagAudience | TagRemovalRow] = TagAudience
    of = TagAudience.assignment_id == assignment.id
    if assignment.status == "partly_removed":
        removal = session.scalars(
            select(TagRemoval).where(TagRemoval.assignment_id == assignment.id)
        ).one()
        removal.status, removal.finished_at, removal.problem = "waiting", None, None
        assignment.status = "removing"
        table, of = TagRemovalRow, TagRemovalRow.removal_id == removal.id
    else:
        assignment.status, assignment.finished_at = "waiting", None
    assignment.problem = None
    failed = (of, table.outcome == "failed")
    count = session.scalar(select(func.count()).select_from(table).where(*failed)) or 0
    session.execute(
        update(table)
        .where(*failed)
        .values(outcome="waiting", problem=None)
        .execution_options(synchronize_session=False)
    )
    return count


def _retry_rule(session: Session, assignment: TagAssignment) -> int:
    _demand(assignment, ("in_sync", "syncing", "partly_removed"))
    failed = (TagAudience.assignment_id == assignment.id, TagAudience.outcome == "failed")
    count = session.scalar(select(func.count()).where(*failed)) or 0
    for is_wanted, outcome in ((True, "waiting"), (False, "leaving")):
        session.execute(
            update(TagAudience)
            .where(*failed, TagAudience.wanted.is_(is_wanted))
            .values(outcome=outcome, problem=None)
            .execution_options(synchronize_session=False)
        )
    assignment.status, assignment.problem = "syncing", None
    return count


def maybe_given() -> ColumnElement[bool]:
    """Return the condition of audience rows whose customer may have the tag through them."""
    waits = and_(TagAudience.outcome == "waiting", may_have())
    return or_(TagAudience.outcome.in_(("told", "given", "held")), waits)


def is_removable(assignment: TagAssignment) -> bool:
    """Whether an assignment's tag can be taken back; a rule that is on is switched off instead."""
    if assignment.rule_id is not None:
        return assignment.status == "stopped"
    return assignment.status in REMOVABLE


def _of_rule() -> Problem:
    return problem("tag_of_rule", "A rule keeps this tag in sync. Switch the rule off instead.")


def _demand(assignment: TagAssignment, statuses: tuple[str, ...]) -> None:
    if assignment.status not in statuses:
        raise ConflictError(
            problem(
                "tag_status_changed",
                "This assignment is {status} by now, so that is not possible. Reload the page.",
                status=assignment.status.replace("_", " "),
            )
        )


def demand_connected(shop: Shop) -> None:
    """Raise InputError for a shop whose customers are not at Shopify, or that let go of the app."""
    if shop.domain is None:
        raise InputError(
            problem(
                "shop_not_connected",
                "{shop} is not connected to Shopify, so its customers cannot be tagged. "
                "Its facts came from imported files.",
                field="shop",
                shop=shop.title,
            )
        )
    if shop.disconnected_at is not None:
        raise InputError(
            problem(
                "shop_disconnected",
                "The app was uninstalled from {shop}, so its customers cannot be tagged. "
                "Install it there again, or connect the shop again in Settings.",
                field="shop",
                shop=shop.title,
            )
        )
