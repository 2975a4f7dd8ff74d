"""What the API's answers look like where several resources share it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from regulars.engine import days
from regulars.errors import InputError, PermissionDenied, Problem, problem
from regulars.office import Shop
from regulars.office.models.jobs import Job
from regulars.office.models.segments import Segment
from regulars.web.deps import ApiCall


class Asked(BaseModel):
    """What a caller sends: a name that is not known here is refused, never passed over."""

    model_config = ConfigDict(extra="forbid")


class ShopOut(BaseModel):
    """One shop."""

    name: str
    title: str
    domain: str | None
    time_zone: str
    currency: str
    universe: str
    kind: str
    loaded_at: datetime | None


class NoteOut(BaseModel):
    """Something about a query text, and where."""

    code: str
    message: str
    line: int | None
    column: int | None
    length: int | None
    suggestion: str | None


#: What a comparison found otherwise, customer by customer and order by order.
NAMED = "differences"


class JobOut(BaseModel):
    """One job and how far it is."""

    id: int
    kind: str
    state: str
    #: 0 to 1; None where the end is not known.
    progress: float | None
    note: str
    problem: str | None
    #: What the job tells when it is done: the report of an import.
    result: dict[str, Any] | None


class SegmentOut(BaseModel):
    """One segment."""

    id: int
    name: str
    kind: str
    query: str
    version: int
    state: str
    problem: str | None
    member_count: int
    evaluated_at: datetime | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    description: str
    icon: str
    #: Shown on the home page.
    is_featured: bool
    #: In the trash since; null for a live segment.
    deleted_at: datetime | None


def shop_out(shop: Shop) -> ShopOut:
    """Tell a shop."""
    return ShopOut.model_validate(shop, from_attributes=True)


def job_out(job: Job) -> JobOut:
    """Tell a job."""
    return JobOut(
        id=job.id,
        kind=job.kind,
        state=job.state,
        progress=job.progress,
        note=job.note,
        problem=job.problem,
        result=(job.cursor or {}).get("result"),  # type: ignore[arg-type]
    )


def job_of(call: ApiCall, shop: Shop, job: Job) -> JobOut:
    """Tell a job of a shop; single customers only to whom they may be told, and noted."""
    told = job_out(job)
    if told.result and told.result.get(NAMED):
        if not call.may_see_customers:
            return told.model_copy(update={"result": told.result | {NAMED: []}})
        call.customers_of(shop.name)
    return told


def note_out(one: Problem) -> NoteOut:
    """Tell a problem of a query."""
    return NoteOut.model_validate(one, from_attributes=True)


def segment_out(segment: Segment) -> SegmentOut:
    """Tell a segment."""
    return SegmentOut.model_validate(segment, from_attributes=True)


def require_command_line(call: ApiCall) -> None:
    """Demand the machine's own command line: what follows reads files of this machine."""
    bearer = call.request.headers.get("authorization", "").lower().startswith("bearer ")
    if call.shop_ids is not None or not bearer:
        text = "Only the command regulars on the machine itself can do this."
        raise PermissionDenied(problem("command_line_only", text))


def instant_of(shop: Shop, text: str, field: str = "as_of") -> datetime:
    """Return the last instant of a shop day, or the instant given with its zone."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        end = days.day_end(day, shop.zone)
        return (end or datetime.max.replace(tzinfo=UTC)) - timedelta(microseconds=1)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        template = '"{text}" is not a day. Write one like 2026-11-21.'
        raise InputError(problem("not_a_day", template, text=text, field=field)) from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=shop.zone)
    return instant.astimezone(UTC)
