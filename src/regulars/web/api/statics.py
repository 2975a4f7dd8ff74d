"""/shops/{shop}/static-segments: fixed lists of an earlier system; /static-phase: the switch."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from regulars import static_segments
from regulars.errors import NotFoundError, problem
from regulars.office import Shop
from regulars.office.models.jobs import Job
from regulars.segments import find_segment
from regulars.segments.exporting import list_rows
from regulars.static_segments import Detail
from regulars.web.api.shapes import Asked, SegmentOut, require_command_line, segment_out
from regulars.web.deps import ApiCall, ApiCaller
from regulars.web.files import CsvAnswer, customers_file, local_file

router = APIRouter(tags=["static segments"])


class StaticIn(Asked):
    """Files of this machine: the customers, and the manifest or, for a new list, its name."""

    file: str
    manifest: str = ""
    name: str = ""


class StaticTagOut(BaseModel):
    """A tag that the earlier system gave."""

    tag: str
    given_on: date
    customer_count: int | None


class StaticTrackingOut(BaseModel):
    """A tracking that the earlier system ran; `tracking_id` goes on counting it."""

    name: str
    starts_on: date
    ends_on: date
    status: str
    tracking_id: int | None


class StaticOut(BaseModel):
    """One static segment."""

    id: int
    name: str
    created_on: date
    source: str
    customer_count: int
    #: Rows of the file by outcome; they add up.
    counts: dict[str, int]
    tags: list[StaticTagOut]
    trackings: list[StaticTrackingOut]
    imported_at: datetime
    imported_by: str
    segment_id: int | None
    converted_at: datetime | None
    deleted_at: datetime | None


class StaticsOut(BaseModel):
    """All static segments of a shop."""

    static_segments: list[StaticOut]


class ConversionIn(Asked):
    """Another name, where a customer segment has the list's own."""

    name: str = ""


class PhaseOut(BaseModel):
    """How far the phase-out is, and what is announced."""

    name: str
    read_only_on: date | None
    removed_on: date | None
    unconverted_count: int


class PhaseIn(Asked):
    """The switch and the announced days."""

    name: str
    read_only_on: date | None = None
    removed_on: date | None = None


@router.get("/shops/{shop}/static-segments")
def index(call: ApiCaller, shop: str, trash: Annotated[bool, Query()] = False) -> StaticsOut:
    """List the static segments, or those in the trash: they can be restored for 30 days."""
    found = _shown(call, shop)
    listed = static_segments.list_deleted if trash else static_segments.list_statics
    with call.runtime.office.reading() as session:
        rows = listed(session, found)
        details = [static_segments.detail_of(session, row) for row in rows]
    return StaticsOut(static_segments=[_out(call, found, one) for one in details])


@router.post("/shops/{shop}/static-segments", status_code=201)
def create(call: ApiCaller, shop: str, asked: StaticIn) -> StaticOut:
    """Bring a static segment in, or make a new one: a command on the machine itself."""
    require_command_line(call)
    found = _shown(call, shop)
    parts, name = call.jobs.uploads(found), Path(asked.file).name
    author, now = call.author, call.now
    with local_file(asked.file, "file").open("rb") as source:
        if asked.manifest:
            content = local_file(asked.manifest, "manifest").read_bytes()
            manifest = static_segments.read_manifest(content)
            static = static_segments.import_static(
                parts, source, manifest, file_name=name, author=author, now=now
            )
        else:
            static = static_segments.create_static(
                parts, source, asked.name, file_name=name, author=author, now=now
            )
    return _told(call, found, static.id)


@router.get("/shops/{shop}/static-segments/{static}")
def show(call: ApiCaller, shop: str, static: str) -> StaticOut:
    """Show one static segment with its tags and trackings."""
    return _told(call, _shown(call, shop), static)


@router.get("/shops/{shop}/static-segments/{static}/export.csv", response_class=CsvAnswer)
def export(call: ApiCaller, shop: str, static: str) -> CsvAnswer:
    """Send the list as a CSV file, rows whose customer was not found included."""
    call.require_customers()
    found = _shown(call, shop)
    with call.runtime.office.reading() as session:
        row = static_segments.find_static(session, found, static)
    rows = list_rows(call.runtime.warehouse(found), row.list_id)
    return customers_file(call, found, row.name, rows)


@router.delete("/shops/{shop}/static-segments/{static}", status_code=204)
def delete(call: ApiCaller, shop: str, static: str) -> None:
    """Put a list that was not converted into the trash; tag history and trackings stay."""
    found = _shown(call, shop)
    with call.runtime.office.reading() as session:
        row = static_segments.find_static(session, found, static)
    parts = call.jobs.uploads(found)
    static_segments.delete_static(parts, row.id, author=call.author, now=call.now)


@router.post("/shops/{shop}/static-segments/{static_id}/restoration", status_code=201)
def restore(call: ApiCaller, shop: str, static_id: int) -> StaticOut:
    """Take a static segment out of the trash."""
    found = _shown(call, shop)
    with call.office() as session:
        row = static_segments.restore_static(session, found, static_id)
    return _told(call, found, row.id)


@router.post("/shops/{shop}/static-segments/{static}/conversion", status_code=201)
def convert(call: ApiCaller, shop: str, static: str, asked: ConversionIn) -> SegmentOut:
    """Make a customer segment of it; name, tag history and trackings stay with it."""
    found = _shown(call, shop)
    with call.runtime.office.reading() as session:
        row = static_segments.find_static(session, found, static)
    begun: list[Job] = []
    _static, segment = static_segments.convert(
        call.jobs.uploads(found),
        row.id,
        author=call.author,
        now=call.now,
        name=asked.name,
        later=lambda session, one: begun.append(
            call.jobs.refresh_segment_soon(session, found, one.id, "created")
        ),
    )
    call.jobs.work_here(*begun)
    with call.runtime.office.reading() as session:
        return segment_out(find_segment(session, found, segment.id))


@router.get("/static-phase")
def show_phase(call: ApiCaller) -> PhaseOut:
    """Show how far the phase-out of static segments is."""
    with call.runtime.office.reading() as session:
        phase = static_segments.phase_at(session, call.now.date())
    return PhaseOut.model_validate(phase, from_attributes=True)


@router.put("/static-phase")
def change_phase(call: ApiCaller, asked: PhaseIn) -> PhaseOut:
    """Turn the switch and announce days."""
    call.require_local()
    with call.office() as session:
        static_segments.set_phase(
            session,
            asked.name,
            read_only_on=asked.read_only_on,
            removed_on=asked.removed_on,
            author=call.author,
            now=call.now,
        )
    return show_phase(call)


def _shown(call: ApiCall, name: str) -> Shop:
    """Return the shop; NotFoundError once the area was removed."""
    shop = call.shop(name)
    today = call.now.astimezone(shop.zone).date()
    with call.runtime.office.reading() as session:
        if static_segments.phase_at(session, today).is_hidden:
            template = "Static segments were removed from this installation."
            raise NotFoundError(problem("statics_removed", template))
    return shop


def _told(call: ApiCall, shop: Shop, static: int | str) -> StaticOut:
    with call.runtime.office.reading() as session:
        row = static_segments.find_static(session, shop, static)
        detail = static_segments.detail_of(session, row)
    return _out(call, shop, detail)


def _out(call: ApiCall, shop: Shop, detail: Detail) -> StaticOut:
    static: Any = detail.static
    members = static_segments.customers_of(call.jobs.uploads(shop), static)
    shown = ("id", "name", "created_on", "source", "counts", "imported_at", "imported_by")
    return StaticOut(
        **{name: getattr(static, name) for name in shown},
        segment_id=static.segment_id,
        converted_at=static.converted_at,
        deleted_at=static.deleted_at,
        customer_count=len(members),
        tags=[StaticTagOut.model_validate(one, from_attributes=True) for one in detail.tags],
        trackings=[
            StaticTrackingOut.model_validate(one, from_attributes=True) for one in detail.trackings
        ],
    )
