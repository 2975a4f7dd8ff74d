"""/shops/{shop}/tags: assignments of customer tags, their progress, their removal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session

from regulars import segments, tags
from regulars.errors import ConflictError, problem
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment
from regulars.tags import history
from regulars.tags.preview import preview
from regulars.web.deps import ApiCall, ApiCaller

if TYPE_CHECKING:
    from regulars.runtime import Runtime

router = APIRouter(prefix="/shops/{shop}/tags", tags=["tags"])


class AssignmentIn(BaseModel):
    """A tag for the present members of a segment, which is named by its id or name."""

    segment: str
    tag: str


class AssignmentOut(BaseModel):
    """One assignment and how far it is."""

    id: int
    tag: str
    segment_id: int
    segment: str
    targeted_count: int
    status: str
    #: 0 to 1.
    progress: float
    #: Customers by outcome: of the removal, where the tag was taken back.
    outcomes: dict[str, int]
    problem: str | None
    author: str
    assigned_at: datetime
    finished_at: datetime | None
    removed_by: str | None
    removed_at: datetime | None


class HistoryOut(BaseModel):
    """The assignments of a shop, newest first."""

    assignments: list[AssignmentOut]
    #: Give it as `before` for the next page; None on the last one.
    next: int | None


class PreviewOut(BaseModel):
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


@router.get("")
def index(
    call: ApiCaller,
    shop: str,
    *,
    segment: str | None = None,
    status: str | None = None,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=history.PAGE_ROWS)] = history.PAGE_ROWS,
) -> HistoryOut:
    """List the tag history."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        segment_id = segments.find_segment(session, found, segment).id if segment else None
        entries = history.list_entries(
            session, found, segment_id=segment_id, status=status, before_id=before, most=limit
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
            session, found, segment, asked.tag, members, author=call.author, now=call.now
        )
        call.jobs.work_tags_later(session, found)
        return _out(history.entry_of(session, assignment))


@router.get("/preview")
def show_preview(call: ApiCaller, shop: str, segment: str, tag: str) -> PreviewOut:
    """Tell what an assignment would do."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        row = segments.find_segment(session, found, segment)
    members = call.runtime.memberships(found).members(row.id)
    with call.runtime.warehouse(found).reader() as cursor:
        counted = preview(cursor, members, tags.clean_tag(tag))
    return PreviewOut(
        targeted_count=counted.targeted,
        will_get_count=counted.will_get,
        have_it_count=counted.have_it,
        at_limit_count=counted.at_limit,
    )


@router.get("/{assignment_id}")
def show(call: ApiCaller, shop: str, assignment_id: int) -> AssignmentOut:
    """Show one assignment."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        return _out(history.entry_of(session, tags.find_assignment(session, found, assignment_id)))


@router.get("/{assignment_id}/problems")
def problems(call: ApiCaller, shop: str, assignment_id: int) -> ProblemsOut:
    """List the customers whose tag could not be changed, with the reason."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        entry = history.entry_of(session, tags.find_assignment(session, found, assignment_id))
        rows = history.problem_rows(session, entry)
    return ProblemsOut(problems=[ProblemOut(customer_id=one, problem=told) for one, told in rows])


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
    now = call.now
    return _act(call, shop, assignment_id, lambda session, one: tags.cancel(session, one, now=now))


@router.post("/{assignment_id}/retry", status_code=202)
def retry(call: ApiCaller, shop: str, assignment_id: int) -> AssignmentOut:
    """Try the failed customers again."""
    return _act(call, shop, assignment_id, tags.retry)


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
    act: Callable[[Session, TagAssignment], object],
) -> AssignmentOut:
    found = call.shop(shop)
    with call.office() as session:
        assignment = tags.find_assignment(session, found, assignment_id)
        act(session, assignment)
        call.jobs.work_tags_later(session, found)
        return _out(history.entry_of(session, assignment))


def _out(entry: history.Entry) -> AssignmentOut:
    row, removal = entry.assignment, entry.removal
    return AssignmentOut(
        id=row.id,
        tag=row.tag,
        segment_id=row.segment_id,
        segment=row.segment_name,
        targeted_count=row.targeted_count,
        status=row.status,
        progress=round(entry.progress, 4),
        outcomes=dict(entry.counts),
        problem=entry.problem,
        author=row.author,
        assigned_at=row.created_at,
        finished_at=removal.finished_at if removal else row.finished_at,
        removed_by=removal.author if removal else None,
        removed_at=removal.created_at if removal else None,
    )
