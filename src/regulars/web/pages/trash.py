"""The trash: deleted segments, kept for thirty days and restored with one press."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from regulars.errors import InputError
from regulars.office.models.segments import Segment
from regulars.segments import list_segments, restore_segment, shelves
from regulars.web.deps import SignedIn, Visit

router = APIRouter(prefix="/segments/trash")


@router.get("")
def show(visit: SignedIn) -> Response:
    """Show what is in the trash, the newest first."""
    return _page(visit)


@router.post("/restore")
def restore(visit: SignedIn) -> Response:
    """Take a segment out of the trash."""
    number = visit.field("segment")
    try:
        with visit.office() as session:
            segment = restore_segment(
                session,
                visit.shop,
                int(number) if number.isdecimal() and len(number) <= 18 else 0,
                now=visit.now,
            )
            job = visit.jobs.refresh_segment_soon(session, visit.shop, segment.id, "restored")
    except InputError as wrong:
        return _page(visit, wrong)
    visit.jobs.follow_definitions(visit.shop)
    visit.jobs.work_here(job)
    return visit.go(f"/segments/{segment.id}", visit.say("“{name}” is back.", name=segment.name))


def _page(visit: Visit, wrong: InputError | None = None) -> Response:
    with visit.runtime.office.reading() as session:
        found = list_segments(session, visit.shop, in_trash=True)
    return visit.page(
        "segments/trash.html",
        status=422 if wrong else 200,
        segments=sorted(found, key=_deleted_at, reverse=True),
        kept=shelves.TRASH_KEPT,
        form_problems=visit.problems(wrong) if wrong else (),
    )


def _deleted_at(segment: Segment) -> datetime:
    return segment.deleted_at or segment.updated_at
