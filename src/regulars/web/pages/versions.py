"""Earlier texts of a segment: what restoring one would do, told before it is done."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from regulars.errors import InputError, NotFoundError, problem
from regulars.office.models.segments import Segment, SegmentVersion
from regulars.segments import find_segment, list_versions, restore_version
from regulars.web.deps import SignedIn, Visit
from regulars.web.effects import ToldEffect, effect_of

router = APIRouter(prefix="/segments")


@router.get("/{segment_id:int}/restore")
def show_restore(visit: SignedIn, segment_id: int) -> Response:
    """Show the dialog that says what restoring a version would do."""
    segment, version = _find(visit, segment_id, visit.request.query_params.get("version", ""))
    return _dialog(visit, segment, version)


@router.post("/{segment_id:int}/restore")
def restore(visit: SignedIn, segment_id: int) -> Response:
    """Make an earlier text of a segment its newest version."""
    segment, version = _find(visit, segment_id, visit.field("version"))
    try:
        with visit.office() as session:
            restore_version(
                session,
                visit.shop,
                find_segment(session, visit.shop, segment_id),
                version=version.version,
                author=visit.author,
                now=visit.now,
            )
            job = visit.jobs.refresh_segment_soon(session, visit.shop, segment_id, "edited")
    except InputError as wrong:
        return _dialog(visit, segment, version, wrong)
    visit.jobs.work_here(job)
    address = f"/segments/{segment_id}?tab=definition"
    return visit.go(address, visit.say("The earlier version is back."))


def _dialog(
    visit: Visit, segment: Segment, version: SegmentVersion, wrong: InputError | None = None
) -> Response:
    told: ToldEffect | None = None
    try:
        told = effect_of(visit, segment, version.query)
    except InputError as unusable:
        # It may name a segment or a list that is no longer there.
        wrong = wrong or unusable
    return visit.dialog(
        "segments/restore.html",
        status=422 if wrong else 200,
        segment=segment,
        version=version,
        told=told,
        problems=visit.problems(wrong) if wrong else (),
        back=f"/segments/{segment.id}?tab=definition",
    )


def _find(visit: Visit, segment_id: int, number: str) -> tuple[Segment, SegmentVersion]:
    with visit.runtime.office.reading() as session:
        segment = find_segment(session, visit.shop, segment_id)
        for one in list_versions(session, segment):
            if str(one.version) == number:
                return segment, one
    template = '"{name}" has no version {version}.'
    raise NotFoundError(
        problem("no_segment_version", template, name=segment.name, version=number[:20])
    )
