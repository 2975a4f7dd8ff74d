"""/shops/{shop}/segments/{segment}: what an edit would change, and the texts a segment has had."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from pyroaring import BitMap

from regulars import segments
from regulars.web.api.segments import CustomerOut, customers_out, worked
from regulars.web.api.shapes import Asked, SegmentOut
from regulars.web.deps import ApiCall, ApiCaller

router = APIRouter(prefix="/shops/{shop}/segments/{segment}", tags=["segments"])

SAMPLE = 10


class QueryIn(Asked):
    """A query that is not saved yet."""

    query: str


class MoversOut(BaseModel):
    """Customers who would join, or leave: how many, and some of them."""

    count: int
    sample: list[CustomerOut]


class UserOut(BaseModel):
    """Something that uses the segment."""

    kind: Literal["segment", "tag", "rule", "tracking"]
    id: int
    name: str


class TouchedOut(BaseModel):
    """A segment made of the edited one, with the tags and trackings that go on with it."""

    id: int
    name: str
    joined: int
    left: int
    users: list[UserOut]


class SavePreviewOut(BaseModel):
    """What saving would do. Nothing was changed."""

    before: int
    after: int
    joined: MoversOut
    left: MoversOut
    segments: list[TouchedOut]
    users: list[UserOut]


class PieceOut(BaseModel):
    """A run of words of the text before, of the text after, or of both."""

    kind: Literal["same", "added", "removed"]
    text: str


class VersionOut(BaseModel):
    """One text of a segment."""

    version: int
    query: str
    author: str
    created_at: datetime
    #: How it differs from the one before; empty for the first.
    difference: list[PieceOut]


class VersionsOut(BaseModel):
    """All texts of a segment, newest first."""

    versions: list[VersionOut]


@router.post("/preview-edit")
def preview_edit(call: ApiCaller, shop: str, segment: str, asked: QueryIn) -> SavePreviewOut:
    """Tell who would join and leave, and what is touched, if this query were saved."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        row = segments.find_segment(session, found, segment)
        told = segments.preview_edit(
            session,
            found,
            row,
            query=asked.query,
            memberships=call.runtime.memberships(found),
            evaluator=call.runtime.evaluator(found),
            now=call.now,
        )
    return SavePreviewOut(
        before=len(told.before),
        after=len(told.after),
        joined=_movers(call, shop, told.joined),
        left=_movers(call, shop, told.left),
        segments=[
            TouchedOut(
                id=one.segment_id,
                name=one.name,
                joined=len(one.joined),
                left=len(one.left),
                users=[UserOut.model_validate(user, from_attributes=True) for user in one.users],
            )
            for one in told.others
        ],
        users=[UserOut.model_validate(one, from_attributes=True) for one in told.users],
    )


@router.get("/versions")
def versions(call: ApiCaller, shop: str, segment: str) -> VersionsOut:
    """List the texts that a segment has had."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        listed = segments.list_versions(session, segments.find_segment(session, found, segment))
    earlier = [*(one.query for one in listed[1:]), None]
    return VersionsOut(
        versions=[
            VersionOut(
                version=one.version,
                query=one.query,
                author=one.author,
                created_at=one.created_at,
                difference=_difference(before, one.query),
            )
            for one, before in zip(listed, earlier, strict=True)
        ]
    )


@router.post("/versions/{version}/restoration", status_code=201)
def restore(call: ApiCaller, shop: str, segment: str, version: int) -> SegmentOut:
    """Make an earlier text the newest version."""
    found = call.shop(shop)
    with call.office() as session:
        row = segments.find_segment(session, found, segment)
        segments.restore_version(
            session, found, row, version=version, author=call.author, now=call.now
        )
        job = call.jobs.refresh_segment_soon(session, found, row.id, "edited")
    return worked(call, found, row, job)


def _movers(call: ApiCall, shop: str, who: BitMap) -> MoversOut:
    sample = customers_out(call.runtime.warehouse(call.shop(shop)), list(who[:SAMPLE]))
    return MoversOut(count=len(who), sample=sample)


def _difference(before: str | None, after: str) -> list[PieceOut]:
    if before is None:
        return []
    pieces = segments.difference(before, after)
    return [PieceOut.model_validate(piece, from_attributes=True) for piece in pieces]
