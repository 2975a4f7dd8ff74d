"""/shops/{shop}/endpoints: other programs that are told of joins, leaves, tags and trackings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from regulars import outgoing
from regulars.office.models.outgoing import Delivery, Endpoint
from regulars.web import telling
from regulars.web.api.shapes import Asked
from regulars.web.deps import ApiCaller

router = APIRouter(prefix="/shops/{shop}/endpoints", tags=["endpoints"])


class EndpointIn(Asked):
    """A new endpoint: a webhook's address, or the handle of a Shopify Flow trigger."""

    kind: Literal["webhook", "flow"] = "webhook"
    address: str
    events: list[str]


class EndpointChange(Asked):
    """What is to be changed; what is left out stays."""

    events: list[str] | None = None
    is_on: bool | None = None


class EndpointOut(BaseModel):
    """One endpoint."""

    id: int
    kind: str
    address: str
    events: list[str]
    is_on: bool
    #: Why we stopped; null where a person did, or where it is on.
    problem: str | None
    #: The first failure since the last success.
    failing_since: datetime | None
    created_at: datetime
    created_by: str


class MadeEndpointOut(EndpointOut):
    """A new endpoint with its secret, which is shown this once."""

    #: Null for Flow, which needs none.
    secret: str | None


class EndpointsOut(BaseModel):
    """All endpoints of a shop."""

    endpoints: list[EndpointOut]


class DeliveryOut(BaseModel):
    """One event for one endpoint."""

    id: int
    event: str
    event_id: str
    state: str
    attempt_count: int
    #: The status of the last answer; null where there was none.
    status: int | None
    problem: str | None
    created_at: datetime
    finished_at: datetime | None
    body: dict[str, Any]


class DeliveriesOut(BaseModel):
    """Deliveries, newest first."""

    deliveries: list[DeliveryOut]
    #: Give it as `cursor` for the next page; null on the last one.
    next: int | None


class ReplayIn(Asked):
    """Which delivery to send again; without one, all that failed."""

    delivery_id: Annotated[int | None, Field(ge=1, le=2**53)] = None


class ReplayedDeliveriesOut(BaseModel):
    """How many are sent again."""

    count: int


@router.get("")
def index(call: ApiCaller, shop: str) -> EndpointsOut:
    """List the endpoints."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        rows = outgoing.list_endpoints(session, found)
    return EndpointsOut(endpoints=[_out(row) for row in rows])


@router.post("", status_code=201)
def create(call: ApiCaller, shop: str, asked: EndpointIn) -> MadeEndpointOut:
    """Make an endpoint that is told of what happens from now on; the secret is shown this once."""
    row, secret = telling.create(
        call, call.shop(shop), kind=asked.kind, address=asked.address, events=asked.events
    )
    return MadeEndpointOut(**_out(row).model_dump(), secret=secret)


@router.get("/{endpoint_id}")
def show(call: ApiCaller, shop: str, endpoint_id: int) -> EndpointOut:
    """Show one endpoint."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        return _out(outgoing.find_endpoint(session, found, endpoint_id))


@router.patch("/{endpoint_id}")
def change(call: ApiCaller, shop: str, endpoint_id: int, asked: EndpointChange) -> EndpointOut:
    """Choose other events, switch it off, or on again."""
    row = telling.change(call, call.shop(shop), endpoint_id, events=asked.events, is_on=asked.is_on)
    return _out(row)


@router.delete("/{endpoint_id}", status_code=204)
def delete(call: ApiCaller, shop: str, endpoint_id: int) -> None:
    """Take an endpoint and its deliveries away."""
    telling.delete(call, call.shop(shop), endpoint_id)


@router.post("/{endpoint_id}/tests", status_code=202)
def test(call: ApiCaller, shop: str, endpoint_id: int) -> DeliveryOut:
    """Send a test event."""
    return _delivery(telling.test(call, call.shop(shop), endpoint_id))


@router.get("/{endpoint_id}/deliveries")
def deliveries(
    call: ApiCaller,
    shop: str,
    endpoint_id: int,
    *,
    state: Annotated[Literal["waiting", "delivered", "failed"] | None, Query()] = None,
    cursor: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> DeliveriesOut:
    """List what was sent, or waits to be."""
    found = call.customers_of(shop)
    with call.runtime.office.reading() as session:
        row = outgoing.find_endpoint(session, found, endpoint_id)
        rows = outgoing.list_deliveries(session, row, state=state, before=cursor, limit=limit + 1)
    shown = [_delivery(one) for one in rows[:limit]]
    return DeliveriesOut(deliveries=shown, next=shown[-1].id if len(rows) > limit else None)


@router.post("/{endpoint_id}/replays", status_code=202)
def replay(call: ApiCaller, shop: str, endpoint_id: int, asked: ReplayIn) -> ReplayedDeliveriesOut:
    """Send one delivery again, or all that failed."""
    count = telling.replay(call, call.shop(shop), endpoint_id, asked.delivery_id)
    return ReplayedDeliveriesOut(count=count)


def _out(row: Endpoint) -> EndpointOut:
    return EndpointOut(
        id=row.id,
        kind=row.kind,
        address=row.address,
        events=row.events,
        is_on=row.disabled_at is None,
        problem=row.problem,
        failing_since=row.failing_since,
        created_at=row.created_at,
        created_by=row.created_by,
    )


def _delivery(row: Delivery) -> DeliveryOut:
    return DeliveryOut.model_validate(row, from_attributes=True)
