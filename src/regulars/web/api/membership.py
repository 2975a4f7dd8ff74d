"""Who joined and left, when and why: of a segment, or the history of one customer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from regulars import segments
from regulars.office import Shop
from regulars.segments import Cause
from regulars.web import moves
from regulars.web.deps import ApiCall, ApiCaller
from regulars.web.files import CsvAnswer, customers_file

router = APIRouter(prefix="/shops/{shop}", tags=["membership"])

ENTRIES_MAX = 1000

Limit = Annotated[int, Query(ge=1, le=ENTRIES_MAX)]
Cursor = Annotated[int | None, Query(ge=0)]


class LogEntryOut(BaseModel):
    """One customer joined or left one segment."""

    at: datetime
    customer: str
    segment_id: int
    #: None for a segment that is gone for good.
    segment: str | None
    what: Literal["joined", "left"]
    cause: Cause
    #: The version of the segment's query that said so.
    version: int


class LogOut(BaseModel):
    """A page of the log, newest first."""

    entries: list[LogEntryOut]
    #: Give it as `cursor` for the next page; null on the last one.
    next: int | None


def narrowing(
    since: Annotated[str, Query(description="A day, from its beginning on; or an instant.")] = "",
    until: Annotated[str, Query(description="A day, to its end; or an instant.")] = "",
    what: Annotated[Literal["joined", "left"] | None, Query(description="One kind alone.")] = None,
    cause: Annotated[Cause | None, Query(description="One reason alone.")] = None,
) -> moves.Narrowed:
    """Read what the log is narrowed to."""
    return moves.Narrowed(since=since, until=until, what=what or "", cause=cause or "")


Narrowing = Annotated[moves.Narrowed, Depends(narrowing)]


@router.get("/segments/{segment}/log")
def of_segment(
    call: ApiCaller,
    shop: str,
    segment: str,
    asked: Narrowing,
    *,
    customer: str | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> LogOut:
    """Tell who joined and left a segment, newest first."""
    found = call.customers_of(shop)
    return _page(call, found, _of_segment(call, found, segment, asked, customer), limit, cursor)


@router.get("/segments/{segment}/log.csv", response_class=CsvAnswer)
def segment_file(
    call: ApiCaller, shop: str, segment: str, asked: Narrowing, *, customer: str | None = None
) -> CsvAnswer:
    """Send the log of a segment as a CSV file, all of it or as it is narrowed."""
    call.require_customers()
    found = call.shop(shop)
    return _file(call, found, _of_segment(call, found, segment, asked, customer))


@router.get("/customers/{customer}/log")
def of_customer(
    call: ApiCaller,
    shop: str,
    customer: str,
    asked: Narrowing,
    *,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> LogOut:
    """Tell which segments one customer joined and left, newest first."""
    found = call.customers_of(shop)
    return _page(call, found, _of_customer(call, found, customer, asked), limit, cursor)


@router.get("/customers/{customer}/log.csv", response_class=CsvAnswer)
def customer_file(call: ApiCaller, shop: str, customer: str, asked: Narrowing) -> CsvAnswer:
    """Send the history of one customer as a CSV file."""
    call.require_customers()
    found = call.shop(shop)
    return _file(call, found, _of_customer(call, found, customer, asked))


def _of_segment(
    call: ApiCall, shop: Shop, segment: str, asked: moves.Narrowed, customer: str | None
) -> moves.Narrowed:
    with call.runtime.office.reading() as session:
        segment_id = segments.find_segment(session, shop, segment).id
    nos = None if customer is None else [moves.customer_number(call.runtime, shop, customer)]
    return replace(asked, segment_id=segment_id, customer_nos=nos)


def _of_customer(call: ApiCall, shop: Shop, customer: str, asked: moves.Narrowed) -> moves.Narrowed:
    return replace(asked, customer_nos=[moves.customer_number(call.runtime, shop, customer)])


def _page(
    call: ApiCall, shop: Shop, asked: moves.Narrowed, limit: int, cursor: int | None
) -> LogOut:
    told, further = moves.moves(call.runtime, shop, asked, before=cursor, most=limit)
    entries = [
        LogEntryOut(
            at=one.at,
            customer=one.customer.customer_id,
            segment_id=one.segment_id,
            segment=one.segment,
            what="joined" if one.joined else "left",
            cause=one.cause,
            version=one.version,
        )
        for one in told
    ]
    return LogOut(entries=entries, next=further)


def _file(call: ApiCall, shop: Shop, asked: moves.Narrowed) -> CsvAnswer:
    rows = moves.file_rows(call.runtime, shop, asked)
    return customers_file(call, shop, "log", rows, act="log_exported")
