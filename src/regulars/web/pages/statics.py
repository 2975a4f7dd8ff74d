"""Static segments: the fixed lists of an earlier system, until the last one is converted.

Reached by the link under the customer segments, never by the menu; gone once the phase-out is over.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import Response

from regulars import static_segments
from regulars.errors import InputError, NotFoundError, UploadError, problem
from regulars.office.models.jobs import Job
from regulars.segments.exporting import list_rows
from regulars.segments.shelves import TRASH_KEPT
from regulars.static_segments import Detail, Phase
from regulars.web.deps import SignedIn, Visit, field_messages
from regulars.web.files import customers_file
from regulars.web.i18n import N_

router = APIRouter(prefix="/segments/static")

SOURCES = {"csv": N_("CSV file"), "operation": N_("Made of other lists")}
STATUSES = {
    "scheduled": N_("scheduled"),
    "in_progress": N_("in progress"),
    "finished": N_("finished"),
    "cancelled": N_("cancelled"),
}


@router.get("")
def show_list(visit: SignedIn) -> Response:
    """Show all static segments."""
    return _list_page(visit)


@router.post("")
def create(visit: SignedIn) -> Response:
    """Make a new list of a file, while the phase-out is still open."""
    _phase(visit)
    given = visit.fields.get("file")
    try:
        if not isinstance(given, UploadFile) or not given.filename:
            text = "Choose a CSV file first."
            raise UploadError(problem("no_file_chosen", text, field="file"))
        static = static_segments.create_static(
            visit.jobs.uploads(visit.shop),
            given.file,
            visit.field("name"),
            file_name=given.filename,
            author=visit.author,
            now=visit.now,
        )
    except InputError as wrong:
        return _list_page(visit, wrong)
    finally:
        if isinstance(given, UploadFile):
            given.file.close()
    toast = visit.say("“{name}” is saved.", name=static.name)
    return visit.go(f"/segments/static/{static.id}", toast)


@router.get("/{static_id:int}/delete")
def show_delete(visit: SignedIn, static_id: int) -> Response:
    """Show the dialog that asks again."""
    _phase(visit)
    values = _dialog_values(visit, _find(visit, static_id), "")
    return visit.dialog("statics/delete.html", **values)


@router.post("/{static_id:int}/delete")
def delete(visit: SignedIn, static_id: int) -> Response:
    """Delete a list that nobody needs."""
    _phase(visit)
    detail = _find(visit, static_id)
    try:
        parts = visit.jobs.uploads(visit.shop)
        static_segments.delete_static(parts, static_id, author=visit.author, now=visit.now)
    except InputError as wrong:
        values = _dialog_values(visit, detail, "")
        return visit.dialog(
            "statics/delete.html", status=409, problems=visit.problems(wrong), **values
        )
    name = detail.static.name
    return visit.go("/segments/static", visit.say("“{name}” was deleted.", name=name))


@router.post("/restore")
def restore(visit: SignedIn) -> Response:
    """Take a list out of the trash."""
    _phase(visit)
    number = visit.field("segment")
    try:
        with visit.office() as session:
            known = int(number) if number.isdecimal() and len(number) <= 18 else 0
            static = static_segments.restore_static(session, visit.shop, known)
    except InputError as wrong:
        return _list_page(visit, wrong)
    return visit.go(
        f"/segments/static/{static.id}", visit.say("“{name}” is back.", name=static.name)
    )


@router.get("/{static_id:int}")
def show(visit: SignedIn, static_id: int) -> Response:
    """Show one static segment: what it holds and what was done with it."""
    phase = _phase(visit)
    detail = _find(visit, static_id)
    return visit.page(
        "statics/show.html",
        phase=phase,
        one_list=detail.static,
        tags=detail.tags,
        trackings=detail.trackings,
        count=_count(visit, detail),
        sources=SOURCES,
        statuses=STATUSES,
    )


@router.get("/{static_id:int}/export.csv")
def export(visit: SignedIn, static_id: int) -> Response:
    """Send the list as a CSV file."""
    _phase(visit)
    static = _find(visit, static_id).static
    rows = list_rows(visit.runtime.warehouse(visit.shop), static.list_id)
    return customers_file(visit, visit.shop, static.name, rows)


@router.get("/{static_id:int}/convert")
def show_convert(visit: SignedIn, static_id: int) -> Response:
    """Show the dialog that says what converting does."""
    _phase(visit)
    detail = _find(visit, static_id)
    return visit.dialog("statics/convert.html", **_dialog_values(visit, detail, detail.static.name))


@router.post("/{static_id:int}/convert")
def convert(visit: SignedIn, static_id: int) -> Response:
    """Make a customer segment of a static one."""
    _phase(visit)
    detail = _find(visit, static_id)
    name = visit.field("name")
    begun: list[Job] = []
    try:
        _static, segment = static_segments.convert(
            visit.jobs.uploads(visit.shop),
            static_id,
            author=visit.author,
            now=visit.now,
            name=name,
            later=lambda session, one: begun.append(
                visit.jobs.refresh_segment_soon(session, visit.shop, one.id, "created")
            ),
        )
    except InputError as wrong:
        values = _dialog_values(visit, detail, name)
        return visit.dialog(
            "statics/convert.html", status=422, problems=visit.problems(wrong), **values
        )
    visit.jobs.work_here(*begun)
    toast = visit.say("“{name}” is a customer segment now.", name=segment.name)
    return visit.go(f"/segments/{segment.id}", toast)


def _list_page(visit: Visit, wrong: InputError | None = None) -> Response:
    phase = _phase(visit)
    with visit.runtime.office.reading() as session:
        rows = static_segments.list_statics(session, visit.shop)
        details = [static_segments.detail_of(session, row) for row in rows]
        deleted = static_segments.list_deleted(session, visit.shop)
    return visit.page(
        "statics/list.html",
        status=422 if wrong else 200,
        phase=phase,
        rows=[{"detail": one, "count": _count(visit, one)} for one in details],
        deleted=deleted,
        kept=TRASH_KEPT,
        sources=SOURCES,
        name=visit.field("name"),
        told=field_messages(visit.problems(wrong)) if wrong else {},
    )


def phase_of(visit: Visit) -> Phase:
    """Return how far the phase-out is on the shop's present day."""
    with visit.runtime.office.reading() as session:
        return static_segments.phase_at(session, visit.say.local(visit.now).date())


def _phase(visit: Visit) -> Phase:
    """Return the phase; NotFoundError once the area was removed."""
    phase = phase_of(visit)
    if phase.is_hidden:
        text = "Static segments were removed from this installation."
        raise NotFoundError(problem("statics_removed", text))
    return phase


def _find(visit: Visit, static_id: int) -> Detail:
    with visit.runtime.office.reading() as session:
        static = static_segments.find_static(session, visit.shop, static_id)
        return static_segments.detail_of(session, static)


def _count(visit: Visit, detail: Detail) -> int:
    parts = visit.jobs.uploads(visit.shop)
    return len(static_segments.customers_of(parts, detail.static))


def _dialog_values(visit: Visit, detail: Detail, name: str) -> dict[str, Any]:
    waiting = ("not_found", "ambiguous")
    return {
        "one_list": detail.static,
        "name": name,
        "count": _count(visit, detail),
        "waiting_count": sum(detail.static.counts.get(one, 0) for one in waiting),
        "tag_count": len(detail.tags),
        "tracking_count": len(detail.trackings),
        "back": f"/segments/static/{detail.static.id}",
    }
