"""/shops/{shop}/segments: definitions and members. A segment is named by its id or its name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session

from regulars import segments
from regulars.engine import unknown_past
from regulars.language import parse
from regulars.office import Shop
from regulars.office.models.jobs import Job
from regulars.office.models.segments import Segment
from regulars.segments import shelves
from regulars.warehouse import Warehouse
from regulars.web.api.shapes import Asked, SegmentOut, instant_of, segment_out
from regulars.web.deps import ApiCall, ApiCaller

router = APIRouter(prefix="/shops/{shop}/segments", tags=["segments"])

MEMBERS_MAX = 1000
#: The largest number that a customer can have.
NUMBER_MAX = 2**32 - 1


class SegmentIn(Asked):
    """A new segment."""

    name: str
    query: str


class SegmentChange(Asked):
    """What is to be changed; what is left out stays."""

    name: str | None = None
    query: str | None = None
    description: str | None = None
    #: One sign; an empty text takes it away.
    icon: str | None = None
    is_featured: bool | None = None
    #: The names of all groups it is to be in; new ones are made.
    groups: list[str] | None = None
    #: The version that was looked at; a newer one in the meantime refuses the change.
    expected_version: int | None = None


class NameIn(Asked):
    """A name, where a new one may be given."""

    name: str | None = None


class SegmentsOut(BaseModel):
    """All segments of a shop, by name."""

    segments: list[SegmentOut]


class CustomerOut(BaseModel):
    """One member."""

    id: str
    name: str | None
    email: str | None


class MembersOut(BaseModel):
    """A page of members, in the order the shop came to know them."""

    count: int
    state: str
    customers: list[CustomerOut]
    #: Give it as `cursor` for the next page; null on the last one.
    next: int | None
    #: For a past day: the names whose values then are not known, so that today's were used.
    unknown_past: list[str] = []


@router.get("")
def index(call: ApiCaller, shop: str, trash: Annotated[bool, Query()] = False) -> SegmentsOut:
    """List the segments, or those in the trash: they can be restored for 30 days."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        listed = segments.list_segments(session, found, in_trash=trash)
    return SegmentsOut(segments=[segment_out(segment) for segment in listed])


@router.post("", status_code=201)
def create(call: ApiCaller, shop: str, asked: SegmentIn) -> SegmentOut:
    """Make a segment; in a large shop its members are known once its state is "ready"."""
    found = call.shop(shop)
    with call.office() as session:
        segment = segments.create_segment(
            session, found, name=asked.name, query=asked.query, author=call.author, now=call.now
        )
        job = call.jobs.refresh_segment_soon(session, found, segment.id, "created")
    return worked(call, found, segment, job)


@router.get("/{segment}")
def show(call: ApiCaller, shop: str, segment: str) -> SegmentOut:
    """Show one segment."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        return segment_out(segments.find_segment(session, found, segment))


@router.patch("/{segment}")
def update(call: ApiCaller, shop: str, segment: str, asked: SegmentChange) -> SegmentOut:
    """Change name, query, description, icon, groups: everything asked for, or nothing."""
    found = call.shop(shop)
    made = []
    with call.office() as session:
        row = segments.find_segment(session, found, segment)
        if asked.query is not None:
            before = row.version
            segments.edit_segment(
                session,
                found,
                row,
                query=asked.query,
                author=call.author,
                now=call.now,
                expected_version=asked.expected_version,
            )
            if row.version != before:
                made.append(call.jobs.refresh_segment_soon(session, found, row.id, "edited"))
        if asked.name is not None:
            segments.rename_segment(session, found, row, name=asked.name, now=call.now)
        _put_in_order(session, found, row, asked, call.now)
    call.jobs.follow_definitions(found)
    return worked(call, found, row, *made)


@router.delete("/{segment}", status_code=204)
def delete(call: ApiCaller, shop: str, segment: str) -> None:
    """Put a segment into the trash; refused while something uses it."""
    found = call.shop(shop)
    with call.office() as session:
        row = segments.find_segment(session, found, segment)
        segments.delete_segment(session, found, row, now=call.now)
    call.jobs.follow_definitions(found)


@router.post("/{segment}/duplicates", status_code=201)
def duplicate(call: ApiCaller, shop: str, segment: str, asked: NameIn) -> SegmentOut:
    """Make a second segment with the same query."""
    found = call.shop(shop)
    with call.office() as session:
        row = segments.find_segment(session, found, segment)
        copy = segments.duplicate_segment(
            session, found, row, author=call.author, now=call.now, name=asked.name
        )
        job = call.jobs.refresh_segment_soon(session, found, copy.id, "created")
    return worked(call, found, copy, job)


@router.post("/{segment_id}/restoration", status_code=201)
def restore(call: ApiCaller, shop: str, segment_id: int) -> SegmentOut:
    """Take a segment out of the trash."""
    found = call.shop(shop)
    with call.office() as session:
        row = segments.restore_segment(session, found, segment_id, now=call.now)
        job = call.jobs.refresh_segment_soon(session, found, row.id, "restored")
    return worked(call, found, row, job)


@router.get("/{segment}/members")
def members(
    call: ApiCaller,
    shop: str,
    segment: str,
    *,
    limit: Annotated[int, Query(ge=1, le=MEMBERS_MAX)] = 100,
    cursor: Annotated[int, Query(ge=-1, le=NUMBER_MAX)] = -1,
    as_of: Annotated[str | None, Query(description="A past day, or an instant.")] = None,
) -> MembersOut:
    """List the members, page by page; with `as_of` those whom the present rule kept then."""
    found = call.customers_of(shop)
    with call.runtime.office.reading() as session:
        row = segments.find_segment(session, found, segment)
    unknown: list[str] = []
    if as_of is None:
        everybody = call.runtime.memberships(found).members(row.id)
    else:
        context = call.runtime.context(found, instant_of(found, as_of))
        tree = parse(row.query)
        everybody = call.runtime.evaluator(found).members(tree, context)
        unknown = list(unknown_past(tree, context)) if context.as_of < call.now else []
    first = everybody.rank(cursor) if cursor >= 0 else 0
    numbers = list(everybody[first : first + limit])
    return MembersOut(
        count=len(everybody),
        state=row.state,
        customers=customers_out(call.runtime.warehouse(found), numbers),
        next=numbers[-1] if first + limit < len(everybody) else None,
        unknown_past=unknown,
    )


def _put_in_order(
    session: Session, shop: Shop, segment: Segment, asked: SegmentChange, now: datetime
) -> None:
    if asked.description is not None:
        shelves.describe_segment(segment, asked.description, now)
    if asked.icon is not None:
        shelves.mark_segment(segment, asked.icon, now)
    if asked.is_featured is not None:
        segment.is_featured, segment.updated_at = asked.is_featured, now
    if asked.groups is not None:
        shelves.put_into_groups(session, shop, segment, asked.groups)


def worked(call: ApiCall, shop: Shop, segment: Segment, *jobs: Job) -> SegmentOut:
    """Evaluate a segment here where that is quick, and tell it as it stands then."""
    call.jobs.work_here(*jobs)
    with call.runtime.office.reading() as session:
        return segment_out(segments.find_segment(session, shop, segment.id))


def customers_out(warehouse: Warehouse, numbers: Sequence[int]) -> list[CustomerOut]:
    """Tell customers by their numbers."""
    return [
        CustomerOut(
            id=record.customer_id,
            name=_text(record.values.get("display_name")),
            email=_text(record.values.get("email")),
        )
        for record in warehouse.records(numbers)
    ]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
