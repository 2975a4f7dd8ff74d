"""/shops/{shop}/tags: assignments of customer tags, their progress, their removal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from regulars import segments, tags
from regulars.errors import ConflictError, problem
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment
from regulars.tags import history, legacy, log
from regulars.tags.preview import preview
from regulars.warehouse.lists import ListRows
from regulars.web.api.shapes import Asked
from regulars.web.deps import ApiCall, ApiCaller, Visit
from regulars.web.files import CsvAnswer, customers_file
from regulars.web.i18n import N_

if TYPE_CHECKING:
    from regulars.runtime import Runtime

router = APIRouter(prefix="/shops/{shop}/tags", tags=["tags"])

#: What a person does where work stands still: it is always the way to Shopify that is closed.
NEXT_STEP = N_(
    "A shop is connected again in Settings; grant a missing access scope to the app in Shopify "
    "first. Then the work goes on by itself."
)


class AssignmentIn(Asked):
    """A tag for the present members of a segment, which is named by its id or name."""

    segment: str
    tag: str
    #: The share that is left out for comparison, 0 to 0.9.
    holdout: float = 0.0


class AssignmentOut(BaseModel):
    """One assignment and how far it is."""

    id: int
    tag: str
    segment_id: int
    segment: str
    #: The segment was deleted since; the audience stays, and the work goes on.
    is_segment_deleted: bool
    #: "once", "rule" or "legacy".
    kind: str
    rule_id: int | None
    targeted_count: int
    #: Belong and are left out for comparison.
    holdout_count: int
    status: str
    #: 0 to 1.
    progress: float
    #: Customers by outcome: of the removal, where the tag was taken back.
    outcomes: dict[str, int]
    #: Why the work stands still, and what to do about it; null while it goes on.
    problem: str | None
    next_step: str | None
    #: How fast it goes and how long the rest takes, by the time worked so far; told where one
    #: assignment is shown while it is at work.
    customers_per_second: float | None
    seconds_left: float | None
    author: str
    assigned_at: datetime
    finished_at: datetime | None
    removed_by: str | None
    removed_at: datetime | None


class HistoryOut(BaseModel):
    """The assignments of a shop, newest first."""

    assignments: list[AssignmentOut]
    #: Give it as `cursor` for the next page; null on the last one.
    next: int | None


class TagPreviewOut(BaseModel):
    """What an assignment would do now, from our copy of the shop."""

    targeted_count: int
    will_get_count: int
    have_it_count: int
    at_limit_count: int


class RemovalPlanOut(BaseModel):
    """What a removal would do now."""

    removed_count: int
    kept_before_count: int
    kept_wanted_count: int
    not_given_count: int


class ProblemOut(BaseModel):
    """A customer whose tag could not be changed."""

    customer_id: str
    problem: str


class ProblemsOut(BaseModel):
    """Customers whose tag could not be changed."""

    problems: list[ProblemOut]


class EventOut(BaseModel):
    """One thing that happened to an assignment; without an author the app did it by itself."""

    at: datetime
    kind: str
    author: str | None
    customer_count: int | None
    #: What Shopify said.
    note: str | None


class EventsOut(BaseModel):
    """What happened to an assignment, newest first."""

    events: list[EventOut]


class LegacyTagOut(BaseModel):
    """A tag that an earlier system gave to a static segment."""

    id: int
    tag: str
    segment: str
    customer_count: int | None
    given_on: date


class LegacyTagsOut(BaseModel):
    """Tags that an earlier system gave."""

    tags: list[LegacyTagOut]


@router.get("")
def index(
    call: ApiCaller,
    shop: str,
    *,
    segment: str | None = None,
    status: str | None = None,
    tag: str | None = None,
    kind: Annotated[str | None, Query(pattern="^(once|rule|legacy)$")] = None,
    since: date | None = None,
    until: date | None = None,
    cursor: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=history.PAGE_ROWS)] = history.PAGE_ROWS,
) -> HistoryOut:
    """List the tag history."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        segment_id = segments.find_segment(session, found, segment).id if segment else None
        entries = history.list_entries(
            session,
            found,
            segment_id=segment_id,
            status=status,
            kind=kind,
            tag=tag,
            since=since,
            until=until,
            before_id=cursor,
            most=limit,
        )
        whole = [history.entry_of(session, entry.assignment) for entry in entries]
    more = whole[-1].assignment.id if len(whole) == limit else None
    return HistoryOut(assignments=[_out(entry) for entry in whole], next=more)


@router.post("", status_code=201)
def create(call: ApiCaller, shop: str, asked: AssignmentIn) -> AssignmentOut:
    """Assign a tag to the present members of a segment; the work goes on by itself."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        segment = segments.find_segment(session, found, asked.segment)
    members = audience_of(call.runtime, found, segment)
    with call.office() as session:
        assignment = tags.assign(
            session,
            found,
            segment,
            asked.tag,
            members,
            author=call.author,
            now=call.now,
            holdout_share=asked.holdout,
        )
        call.jobs.work_tags_later(session, found)
        return _out(history.entry_of(session, assignment))


@router.get("/preview")
def show_preview(call: ApiCaller, shop: str, segment: str, tag: str) -> TagPreviewOut:
    """Tell what an assignment would do."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        row = segments.find_segment(session, found, segment)
    members = call.runtime.memberships(found).members(row.id)
    with call.runtime.warehouse(found).reader() as cursor:
        counted = preview(cursor, members, tags.clean_tag(tag))
    return TagPreviewOut(
        targeted_count=counted.targeted,
        will_get_count=counted.will_get,
        have_it_count=counted.have_it,
        at_limit_count=counted.at_limit,
    )


@router.get("/legacy")
def list_legacy(call: ApiCaller, shop: str) -> LegacyTagsOut:
    """List the tags that an earlier system gave to static segments."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        rows = legacy.list_tags(session, found)
    return LegacyTagsOut(
        tags=[
            LegacyTagOut(
                id=row.id,
                tag=row.tag,
                segment=name,
                customer_count=row.customer_count,
                given_on=row.given_on,
            )
            for row, name in rows
        ]
    )


@router.post("/legacy/{tag_id}/removal", status_code=202)
def remove_legacy(call: ApiCaller, shop: str, tag_id: int) -> AssignmentOut:
    """Take a static segment's tag from its customers; for the operator of the installation."""
    call.require_local()
    found = call.shop(shop)
    with call.office() as session:
        _row, segment = legacy.find_tag(session, found, tag_id)
        with call.runtime.warehouse(found).reader() as cursor:
            members = ListRows(cursor).members(segment.list_id)
        ids = call.runtime.warehouse(found).customer_ids(members).values()
        removal = legacy.remove_tag(session, found, tag_id, ids, author=call.author, now=call.now)
        call.jobs.work_tags_later(session, found)
        assignment = session.get_one(TagAssignment, removal.assignment_id)
        return _out(history.entry_of(session, assignment))


@router.get("/{assignment_id}")
def show(call: ApiCaller, shop: str, assignment_id: int) -> AssignmentOut:
    """Show one assignment."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        entry = history.entry_of(session, tags.find_assignment(session, found, assignment_id))
        return _out(entry, history.pace_of(session, entry, call.now))


@router.get("/{assignment_id}/problems")
def problems(call: ApiCaller, shop: str, assignment_id: int) -> ProblemsOut:
    """List the customers whose tag could not be changed, with the reason."""
    found = call.customers_of(shop)
    with call.runtime.office.reading() as session:
        entry = history.entry_of(session, tags.find_assignment(session, found, assignment_id))
        rows = history.problem_rows(session, entry)
    return ProblemsOut(problems=[ProblemOut(customer_id=one, problem=told) for one, told in rows])


@router.get("/{assignment_id}/outcome.csv", response_class=CsvAnswer)
def outcome(call: ApiCaller, shop: str, assignment_id: int) -> CsvAnswer:
    """Send what came of each customer as a CSV file."""
    call.require_customers()
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        tags.find_assignment(session, found, assignment_id)
    return outcome_file(call, found, assignment_id)


@router.get("/{assignment_id}/removal")
def show_removal_plan(call: ApiCaller, shop: str, assignment_id: int) -> RemovalPlanOut:
    """Tell what taking the tag back would do now."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        assignment = tags.find_assignment(session, found, assignment_id)
        plan = history.plan_removal(session, assignment)
    return RemovalPlanOut(
        removed_count=plan.removed,
        kept_before_count=plan.kept_before,
        kept_wanted_count=plan.kept_wanted,
        not_given_count=plan.not_given,
    )


@router.post("/{assignment_id}/removal", status_code=202)
def remove(call: ApiCaller, shop: str, assignment_id: int) -> AssignmentOut:
    """Take the tag back from those this assignment gave it to and nobody else holds it for."""
    found = call.shop(shop)
    with call.office() as session:
        assignment = tags.find_assignment(session, found, assignment_id)
        tags.remove(session, assignment, author=call.author, now=call.now)
        call.jobs.work_tags_later(session, found)
        return _out(history.entry_of(session, assignment))


@router.post("/{assignment_id}/pause", status_code=202)
def pause(call: ApiCaller, shop: str, assignment_id: int) -> AssignmentOut:
    """Let the work rest."""
    return _act(call, shop, assignment_id, tags.pause)


@router.post("/{assignment_id}/resume", status_code=202)
def resume(call: ApiCaller, shop: str, assignment_id: int) -> AssignmentOut:
    """Let paused work go on."""
    return _act(call, shop, assignment_id, tags.resume)


@router.post("/{assignment_id}/cancellation", status_code=202)
def cancel(call: ApiCaller, shop: str, assignment_id: int) -> AssignmentOut:
    """Stop for good; who has the tag keeps it."""
    return _act(call, shop, assignment_id, tags.cancel)


@router.post("/{assignment_id}/removal/undo", status_code=202)
def undo_removal(call: ApiCaller, shop: str, assignment_id: int) -> AssignmentOut:
    """Stop taking the tag off, and give it again to those who lost it."""
    return _act(call, shop, assignment_id, tags.undo_removal)


@router.get("/{assignment_id}/events")
def show_events(call: ApiCaller, shop: str, assignment_id: int) -> EventsOut:
    """List what happened to an assignment, newest first."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        assignment = tags.find_assignment(session, found, assignment_id)
        rows = log.events(session, assignment.id)
    return EventsOut(
        events=[
            EventOut(
                at=row.at,
                kind=row.kind,
                author=row.author or None,
                customer_count=row.customer_count,
                note=row.note or None,
            )
            for row in rows
        ]
    )


@router.post("/{assignment_id}/retry", status_code=202)
def retry(call: ApiCaller, shop: str, assignment_id: int) -> AssignmentOut:
    """Try the failed customers again."""
    return _act(call, shop, assignment_id, tags.retry)


def outcome_file(asker: ApiCall | Visit, shop: Shop, assignment_id: int) -> CsvAnswer:
    """Answer with each customer's outcome as CSV: ids and outcomes, no personal data."""

    def rows() -> Iterator[Sequence[str]]:
        yield "customer_id", "outcome", "problem", "changed_at"
        with asker.runtime.office.reading() as session:
            found = tags.find_assignment(session, shop, assignment_id)
            for one, outcome, told_at, reason in history.outcome_rows(session, found):
                at = told_at.astimezone(shop.zone).isoformat(timespec="seconds") if told_at else ""
                yield one, outcome, reason or "", at

    return customers_file(asker, shop, f"tag-{assignment_id}", rows())


def audience_of(runtime: Runtime, shop: Shop, segment: Segment) -> list[str]:
    """Return the ids of a segment's present members; refused until they were counted once."""
    if segment.evaluated_at is None:
        raise ConflictError(
            problem(
                "segment_not_counted",
                'The customers of "{segment}" are still being counted. Try again in a moment.',
                field="segment",
                segment=segment.name,
            )
        )
    members = runtime.memberships(shop).members(segment.id)
    return list(runtime.warehouse(shop).customer_ids(members).values())


def _act(
    call: ApiCall,
    shop: str,
    assignment_id: int,
    act: tags.Act,
) -> AssignmentOut:
    found = call.shop(shop)
    with call.office() as session:
        assignment = tags.find_assignment(session, found, assignment_id)
        act(session, assignment, author=call.author, now=call.now)
        call.jobs.work_tags_later(session, found)
        return _out(history.entry_of(session, assignment))


def _out(entry: history.Entry, pace: history.Pace | None = None) -> AssignmentOut:
    pace = pace or history.Pace()
    row, removal = entry.assignment, entry.removal
    return AssignmentOut(
        id=row.id,
        tag=row.tag,
        segment_id=row.segment_id,
        segment=row.segment_name,
        is_segment_deleted=entry.is_segment_deleted,
        kind=row.kind,
        rule_id=row.rule_id,
        targeted_count=row.targeted_count,
        holdout_count=row.holdout_count,
        status=row.status,
        progress=round(entry.progress, 4),
        outcomes=dict(entry.counts),
        problem=entry.problem,
        next_step=NEXT_STEP if entry.problem else None,
        customers_per_second=pace.customers_per_second,
        seconds_left=pace.seconds_left,
        author=row.author,
        assigned_at=row.created_at,
        finished_at=removal.finished_at if removal else row.finished_at,
        removed_by=removal.author if removal else None,
        removed_at=removal.created_at if removal else None,
    )
