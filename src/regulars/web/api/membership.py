"""Who joined and left, when and why: of a segment, or the history of one customer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from regulars import segments
from regulars.engine.days import day_start
from regulars.errors import NotFoundError, problem
from regulars.office import Shop
from regulars.web.api.shapes import instant_of
from regulars.web.deps import ApiCall, ApiCaller

router = APIRouter(prefix="/shops/{shop}", tags=["membership"])

ENTRIES_MAX = 1000

Limit = Annotated[int, Query(ge=1, le=ENTRIES_MAX)]
Cursor = Annotated[int | None, Query(ge=0)]
Since = Annotated[str | None, Query(description="A day, from its beginning on; or an instant.")]
Which = Annotated[Literal["joined", "left"] | None, Query(description="One kind alone.")]


class EntryOut(BaseModel):
    """One customer joined or left one segment."""

    at: datetime
    customer: str
    segment_id: int
    #: None for a segment that is gone for good.
    segment: str | None
    what: Literal["joined", "left"]
    #: order, profile, product, created, edited, day_change, loaded, upload, part_changed, deleted
    #: or merged.
    cause: str
    #: The version of the segment's query that said so.
    version: int


class LogOut(BaseModel):
    """A page of the log, newest first."""

    entries: list[EntryOut]
    #: Give it as `cursor` for the next page; null on the last one.
    next: int | None


@router.get("/segments/{segment}/log")
def of_segment(
    call: ApiCaller,
    shop: str,
    segment: str,
    *,
    customer: str | None = None,
    since: Since = None,
    what: Which = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> LogOut:
    """Tell who joined and left a segment, newest first."""
    call.require_customers()
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        segment_id = segments.find_segment(session, found, segment).id
    number = _number(call, found, customer) if customer is not None else None
    which = (segment_id, number)
    return _page(call, found, which, since=since, what=what, limit=limit, cursor=cursor)


@router.get("/customers/{customer}/log")
def of_customer(
    call: ApiCaller,
    shop: str,
    customer: str,
    *,
    since: Since = None,
    what: Which = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> LogOut:
    """Tell which segments one customer joined and left, newest first."""
    call.require_customers()
    found = call.shop(shop)
    which = (None, _number(call, found, customer))
    return _page(call, found, which, since=since, what=what, limit=limit, cursor=cursor)


def _number(call: ApiCall, shop: Shop, customer: str) -> int:
    found = call.runtime.warehouse(shop).customer_nos([customer]).get(customer)
    if found is None:
        template = 'There is no customer "{customer}" in this shop.'
        raise NotFoundError(problem("no_customer", template, customer=customer))
    return found


def _since(shop: Shop, text: str) -> datetime:
    last = instant_of(shop, text)
    is_day = "T" not in text and ":" not in text
    return day_start(last.astimezone(shop.zone).date(), shop.zone) if is_day else last


def _page(
    call: ApiCall,
    shop: Shop,
    which: tuple[int | None, int | None],
    *,
    since: str | None,
    what: str | None,
    limit: int,
    cursor: int | None,
) -> LogOut:
    warehouse = call.runtime.warehouse(shop)
    segment_id, customer_no = which
    entries = warehouse.log_entries(
        segment_id=segment_id,
        customer_no=customer_no,
        since=_since(shop, since) if since else None,
        joined=None if what is None else what == "joined",
        before=cursor,
        limit=limit + 1,
    )
    shown = entries[:limit]
    ids = warehouse.customer_ids({one.customer_no for one in shown})
    with call.runtime.office.reading() as session:
        listed = [
            *segments.list_segments(session, shop),
            *segments.list_segments(session, shop, in_trash=True),
        ]
    names = {one.id: one.name for one in listed}
    told = [
        EntryOut(
            at=one.at,
            customer=ids[one.customer_no],
            segment_id=one.segment_id,
            segment=names.get(one.segment_id),
            what="joined" if one.joined else "left",
            cause=one.cause,
            version=one.version,
        )
        for one in shown
    ]
    return LogOut(entries=told, next=shown[-1].key if len(entries) > limit else None)
