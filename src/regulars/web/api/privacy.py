"""/shops/{shop}/privacy-requests: a customer's data as a file, its removal, the end of a shop."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from regulars import privacy
from regulars.jobs import privacy as privacy_jobs
from regulars.office.models.privacy import PrivacyRequest
from regulars.web import personal
from regulars.web.api.shapes import Asked
from regulars.web.deps import ApiCaller

router = APIRouter(prefix="/shops/{shop}", tags=["privacy"])


class RequestIn(Asked):
    """Whose data, and what is to be done with it."""

    kind: Literal["export", "redaction"]
    #: The customer's number at Shopify, or the id of an imported file.
    customer_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]


class RequestOut(BaseModel):
    """One request."""

    id: int
    kind: str
    customer_id: str
    author: str
    asked_at: datetime
    due_at: datetime
    #: "open", "done", or "void": the data is gone already.
    state: str
    done_at: datetime | None
    done_by: str | None


class RequestsOut(BaseModel):
    """Requests, newest first."""

    requests: list[RequestOut]
    #: Give it as `cursor` for the next page; null on the last one.
    next: int | None


@router.get("/privacy-requests")
def index(
    call: ApiCaller,
    shop: str,
    cursor: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> RequestsOut:
    """List what was asked about personal data, by Shopify or by a person."""
    found = call.customers_of(shop)
    with call.runtime.office.reading() as session:
        rows = privacy.list_requests(session, found, before=cursor, limit=limit + 1)
    shown = [_out(row) for row in rows[:limit]]
    return RequestsOut(requests=shown, next=shown[-1].id if len(rows) > limit else None)


@router.post("/privacy-requests", status_code=202)
def create(call: ApiCaller, shop: str, asked: RequestIn) -> RequestOut:
    """Ask for a customer's data, or have it removed: that begins at once and cannot be undone."""
    found = call.shop(shop)
    with call.office() as session:
        row = privacy_jobs.ask(
            session,
            found,
            kind=asked.kind,
            customer_id=asked.customer_id,
            event_id=f"asked-{secrets.token_hex(8)}",
            author=call.author,
            now=call.now,
        )
    call.jobs.wake_work()
    return _out(row)


@router.get("/privacy-requests/{request_id}")
def show(call: ApiCaller, shop: str, request_id: int) -> RequestOut:
    """Show one request."""
    found = call.customers_of(shop)
    with call.runtime.office.reading() as session:
        return _out(privacy.find_request(session, found, request_id))


@router.post("/privacy-requests/{request_id}/file", response_class=JSONResponse)
def fetch(call: ApiCaller, shop: str, request_id: int) -> Response:
    """Write everything that is kept about the customer, as JSON; the request is then answered."""
    call.require_customers()
    return personal.answer(call, call.shop(shop), request_id)


@router.delete("", status_code=202)
def erase(call: ApiCaller, shop: str, confirm: Annotated[str, Query(max_length=63)]) -> None:
    """Erase a shop and everything of it for good; `confirm` repeats its name."""
    call.require_local()
    found = call.shop(shop)
    privacy_jobs.demand_name(found, confirm)
    with call.office() as session:
        privacy_jobs.erase_later(session, found, call.now, author=call.author)
    call.jobs.wake_work()


def _out(row: PrivacyRequest) -> RequestOut:
    return RequestOut.model_validate(row, from_attributes=True)
