"""/shops/{shop}/uploads: CSV files into lists; and segments as files.

A file is received and checked first; nothing of a list changes before its application.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import IO, Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from regulars.errors import InputError, LimitError, NotFoundError, problem
from regulars.office import Shop
from regulars.office.models.jobs import Job
from regulars.office.models.segments import Segment
from regulars.office.models.uploads import Upload
from regulars.segments import find_segment, name_key, uploads
from regulars.segments.exporting import list_rows, lossy_rows, member_rows
from regulars.segments.keys import KINDS
from regulars.warehouse.lists import ListRows
from regulars.web.api.shapes import Asked, SegmentOut, require_command_line, segment_out
from regulars.web.deps import ApiCall, ApiCaller
from regulars.web.files import CsvAnswer, Encoding, customers_file, local_file

router = APIRouter(prefix="/shops/{shop}", tags=["uploads"])

ROWS_MAX = 1000


class UploadIn(Asked):
    """A file on the machine of the app, for a new list or the one of the segment of that name."""

    file: str
    name: str = ""
    encoding: str = ""
    #: Names of columns by what they hold: id, email, phone. Left out, they are guessed.
    columns: dict[str, str] = Field(default_factory=dict)


class ApplicationIn(Asked):
    """How a checked upload is applied: the new segment's name, or what to do to the list."""

    name: str = ""
    mode: str = "replace"


class EffectOut(BaseModel):
    """What one way of applying would do."""

    joined: int
    left: int
    waiting_added: int
    waiting_removed: int


class UploadOut(BaseModel):
    """One upload and how far it is."""

    id: int
    state: str
    problem: str | None
    file_name: str
    encoding: str
    separator: str
    header: list[str]
    columns: list[str]
    #: Rows by outcome; they add up to `rows`.
    counts: dict[str, int]
    rows: int
    segment_id: int | None
    mode: str | None
    effect: dict[str, int]
    #: By mode, while it is checked and not applied.
    effects: dict[str, EffectOut]
    author: str
    created_at: datetime
    applied_at: datetime | None


class AppliedOut(BaseModel):
    """An applied upload and the segment that it made or changed."""

    upload: UploadOut
    segment: SegmentOut


class UploadsOut(BaseModel):
    """The uploads a list is made of, newest first, and how many rows wait for their customer."""

    uploads: list[UploadOut]
    waiting_count: int


class CheckedRowOut(BaseModel):
    """A row that is no member."""

    line: int
    outcome: str
    reason: str | None
    shown: str | None
    #: Ids of the customers it may stand for, where there is more than one.
    customers: list[str]


class CheckedRowsOut(BaseModel):
    """A page of rows that are no members."""

    rows: list[CheckedRowOut]
    #: Give it as `cursor` for the next page; null on the last one.
    next: int | None


class LossesOut(BaseModel):
    """Rows with signs that the encoding cannot write; they become question marks."""

    rows: int


@router.post("/uploads", status_code=202)
def create(call: ApiCaller, shop: str, asked: UploadIn) -> UploadOut:
    """Receive a file of this machine and start checking it."""
    require_command_line(call)
    found = call.shop(shop)
    file = local_file(asked.file, "file")
    try:
        with file.open("rb") as source:
            return _received(call, found, source, file.name, asked)
    except PermissionError:
        template = '"{path}" may not be read by this account.'
        raise InputError(
            problem("file_not_readable", template, path=asked.file, field="file")
        ) from None


@router.post("/uploads/content", status_code=202)
async def create_from_content(
    call: ApiCaller,
    request: Request,
    shop: str,
    *,
    file_name: Annotated[str, Query(max_length=255)] = "upload.csv",
    name: Annotated[str, Query(max_length=255)] = "",
    encoding: Annotated[str, Query(max_length=16)] = "",
) -> UploadOut:
    """Receive a file as the body of the request and start checking it."""
    found = await run_in_threadpool(call.shop, shop)
    with tempfile.TemporaryFile() as source:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > uploads.BYTES_MAX:
                template = "The file is larger than {most} MB. Split it and upload the parts."
                most = uploads.BYTES_MAX // 1024**2
                raise LimitError(problem("upload_too_large", template, most=most, field="file"))
            source.write(chunk)
        source.seek(0)
        asked = UploadIn(file="", name=name, encoding=encoding)
        return await run_in_threadpool(_received, call, found, source, file_name, asked)


@router.get("/uploads/{upload_id}")
def show(call: ApiCaller, shop: str, upload_id: int) -> UploadOut:
    """Show one upload."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        upload = uploads.find_upload(session, found, upload_id)
    return upload_out(call, found, upload)


@router.get("/uploads/{upload_id}/rows")
def rows(
    call: ApiCaller,
    shop: str,
    upload_id: int,
    *,
    outcome: str | None = None,
    cursor: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 100,
) -> CheckedRowsOut:
    """List the rows that are no members, in the file's order."""
    found = call.customers_of(shop)
    with call.runtime.office.reading() as session:
        upload = uploads.find_upload(session, found, upload_id)
    with call.runtime.warehouse(found).reader() as reader:
        listed = ListRows(reader)
        found_rows = listed.checked_page(upload.id, outcome=outcome, after=cursor, most=limit + 1)
        page = found_rows[:limit]
        keys = [
            key
            for row in page
            if row.outcome == "ambiguous"
            for key in (row.email_key, row.phone_key)
            if key
        ]
        people: Mapping[str, Sequence[str]] = listed.same_people(keys) if keys else {}
    return CheckedRowsOut(
        rows=[
            CheckedRowOut(
                line=row.line,
                outcome=row.outcome,
                reason=row.reason,
                shown=row.shown,
                customers=list(people.get(row.email_key or row.phone_key or "", ())),
            )
            for row in page
        ],
        next=page[-1].line if len(found_rows) > limit else None,
    )


@router.post("/uploads/{upload_id}/application", status_code=201)
def apply(call: ApiCaller, shop: str, upload_id: int, asked: ApplicationIn) -> AppliedOut:
    """Make the segment, or change its list."""
    found = call.shop(shop)
    begun: list[Job] = []
    upload, segment = uploads.apply_upload(
        call.jobs.uploads(found),
        upload_id,
        author=call.author,
        now=call.now,
        name=asked.name,
        mode=asked.mode,
        later=lambda session, one: begun.append(
            call.jobs.refresh_segment_soon(session, found, one.id, "created")
        ),
    )
    call.jobs.work_here(*begun)
    with call.runtime.office.reading() as session:
        segment = find_segment(session, found, segment.id)
    return AppliedOut(upload=upload_out(call, found, upload), segment=segment_out(segment))


@router.delete("/uploads/{upload_id}", status_code=204)
def discard(call: ApiCaller, shop: str, upload_id: int) -> None:
    """Forget an upload that was not applied."""
    uploads.discard(call.jobs.uploads(call.shop(shop)), upload_id)


@router.get("/segments/{segment}/uploads")
def of_segment(call: ApiCaller, shop: str, segment: str) -> UploadsOut:
    """List the uploads of a csv segment."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        listed = uploads.list_of(session, found, find_segment(session, found, segment))
        told = uploads.uploads_of(session, found, listed.id)
    with call.runtime.warehouse(found).reader() as cursor:
        waiting = ListRows(cursor).count_waiting(listed.id)
    return UploadsOut(uploads=[upload_out(call, found, one) for one in told], waiting_count=waiting)


@router.delete("/segments/{segment}/uploads/last", status_code=204)
def undo(call: ApiCaller, shop: str, segment: str) -> None:
    """Take the last upload of a csv segment back."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        row = find_segment(session, found, segment)
    uploads.undo_upload(call.jobs.uploads(found), row, author=call.author, now=call.now)


@router.get("/segments/{segment}/export.csv", response_class=CsvAnswer)
def export(
    call: ApiCaller,
    shop: str,
    segment: str,
    *,
    personal: bool = False,
    waiting: bool = False,
    encoding: Encoding = "utf-8-sig",
) -> CsvAnswer:
    """Send the members as a CSV file; with `waiting` the whole list of a csv segment."""
    call.require_customers()
    lines = _exported(call, shop, segment, personal=personal, waiting=waiting)
    return customers_file(
        call, call.shop(shop), segment, lines, encoding, personal=personal, waiting=waiting
    )


@router.get("/segments/{segment}/export-losses")
def export_losses(
    call: ApiCaller,
    shop: str,
    segment: str,
    *,
    personal: bool = False,
    waiting: bool = False,
    encoding: Encoding = "cp932",
) -> LossesOut:
    """Tell how many rows of an export the encoding cannot write whole."""
    lines = _exported(call, shop, segment, personal=personal, waiting=waiting)
    return LossesOut(rows=lossy_rows(lines, encoding))


def _exported(
    call: ApiCall, shop: str, segment: str, *, personal: bool, waiting: bool
) -> Iterator[Sequence[str]]:
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        row = find_segment(session, found, segment)
        listed = uploads.list_of(session, found, row) if waiting else None
    warehouse = call.runtime.warehouse(found)
    if listed is not None:
        return list_rows(warehouse, listed.id)
    members = call.runtime.memberships(found).members(row.id)
    return member_rows(warehouse, members, personal=personal)


def upload_out(call: ApiCall, shop: Shop, upload: Upload) -> UploadOut:
    """Tell an upload."""
    shown = ("id", "state", "problem", "file_name", "encoding", "separator", "header", "columns")
    more = ("counts", "segment_id", "mode", "effect", "author", "created_at", "applied_at")
    found = {}
    if upload.state == "checked":
        found = uploads.effects(call.jobs.uploads(shop), upload)
    return UploadOut(
        **{name: getattr(upload, name) for name in (*shown, *more)},
        rows=sum(upload.counts.values()),
        effects={
            mode: EffectOut.model_validate(one, from_attributes=True) for mode, one in found.items()
        },
    )


def _received(
    call: ApiCall, shop: Shop, source: IO[bytes], file_name: str, asked: UploadIn
) -> UploadOut:
    parts = call.jobs.uploads(shop)
    segment = _segment_named(call, shop, asked.name) if asked.name else None
    upload = uploads.receive(
        parts,
        source,
        file_name=file_name,
        author=call.author,
        now=call.now,
        segment=segment,
        encoding=asked.encoding,
    )
    try:
        columns = _columns(upload, asked.columns)
        with call.office() as session:
            upload = uploads.begin_check(session, shop, upload.id, columns)
            call.jobs.check_upload_later(session, shop, upload.id)
    except InputError:
        uploads.discard(parts, upload.id)
        raise
    return upload_out(call, shop, upload)


def _segment_named(call: ApiCall, shop: Shop, name: str) -> Segment | None:
    try:
        with call.runtime.office.reading() as session:
            return find_segment(session, shop, name)
    except NotFoundError:
        return None


def _columns(upload: Upload, told: Mapping[str, str]) -> list[str]:
    if not told:
        return upload.columns
    names = [name_key(name) for name in upload.header]
    columns = [""] * len(names)
    for kind, name in told.items():
        if kind not in KINDS or name_key(name) not in names:
            template = 'The file has no column "{name}". Its columns are {columns}.'
            shown = ", ".join(upload.header[:12])
            raise InputError(
                problem("no_column", template, name=name[:60], columns=shown, field="columns")
            )
        columns[names.index(name_key(name))] = kind
    return columns
