"""/shops/{shop}/insights: overlap, features, cohorts, journey. Money in minor units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from regulars import insights
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.segments import find_segment, list_segments
from regulars.web import comparing
from regulars.web.deps import ApiCall, ApiCaller

router = APIRouter(prefix="/shops/{shop}/insights", tags=["insights"])

Chosen = Annotated[list[str], Query(alias="segment", description="Numbers or names; all if none.")]


class NamedOut(BaseModel):
    """A segment by its number and name."""

    id: int
    name: str


class OverlapOut(BaseModel):
    """How many customers each two segments share, as of now."""

    segments: list[NamedOut]
    #: In the order of `segments`: counts[a][b] is in both, counts[a][a] in a.
    counts: list[list[int]]
    #: In this segment and in none of the others.
    only: list[int]
    #: In at least one.
    together: int


class FeatureOut(BaseModel):
    """One value; shares are of the compared customers."""

    value: str
    members: int
    everybody: int
    member_share: float
    everybody_share: float
    #: How many times as common in the segment; null where nobody has it.
    lift: float | None


class FeaturesOut(BaseModel):
    """A segment beside everybody, by one kind of value."""

    segment: NamedOut
    kind: str
    orders: str
    #: How many are compared: everybody, or those who have such an order.
    members: int
    everybody: int
    rows: list[FeatureOut]


class CohortOut(BaseModel):
    """The customers whose first counted order fell into one month of the shop."""

    month: str
    customers: int
    #: In the first month and the months after it, or with at least one, two … orders.
    buyers: list[int | None]
    #: Added up to that month or order.
    revenue: list[int | None]


class CohortsOut(BaseModel):
    """Cohorts, the oldest first."""

    by: insights.By
    currency: str
    cohorts: list[CohortOut]


class JourneyOut(BaseModel):
    """Who moved from the start of the first day to the end of the last."""

    since: date
    until: date
    segments: list[NamedOut]
    #: In the order of `segments`, from each to each.
    moved: list[list[int]]
    at_start: list[int]
    at_end: list[int]
    #: Of none of these at the end; of none of these at the start.
    gone: list[int]
    new: list[int]


@router.get("/overlap")
def overlap(call: ApiCaller, shop: str, chosen: Chosen = []) -> OverlapOut:  # noqa: B006 - FastAPI copies it
    """Count who is in which two of these segments."""
    found = call.shop(shop)
    listed = _segments(call, found, chosen)
    counted = comparing.overlap_of(call.runtime, found, listed)
    ids = [one.id for one in listed]
    return OverlapOut(
        segments=_named(listed),
        counts=[[counted.counts[a][b] for b in ids] for a in ids],
        only=[counted.only[one] for one in ids],
        together=counted.together,
    )


@router.get("/features")
def features(
    call: ApiCaller, shop: str, segment: str, kind: str = "products", orders: str = "all"
) -> FeaturesOut:
    """Compare a segment with everybody by one kind of value."""
    found = call.shop(shop)
    (chosen,) = _segments(call, found, [segment])
    compared = comparing.features_of(call.runtime, found, chosen, kind=kind, orders=orders)
    return FeaturesOut(
        segment=_named([chosen])[0],
        kind=kind,
        orders=orders,
        members=compared.member_count,
        everybody=compared.everybody_count,
        rows=[
            FeatureOut(
                value=one.value,
                members=one.member_count,
                everybody=one.everybody_count,
                member_share=one.member_share,
                everybody_share=one.everybody_share,
                lift=one.lift,
            )
            for one in compared.rows
        ],
    )


@router.get("/cohorts")
def cohorts(
    call: ApiCaller, shop: str, segment: str | None = None, by: insights.By = "month"
) -> CohortsOut:
    """Show cohorts of a segment, or of everybody, month after month or order after order."""
    found = call.shop(shop)
    chosen = _segments(call, found, [segment])[0] if segment else None
    listed = comparing.cohorts_of(call.runtime, found, chosen, by=by, now=call.now)
    return CohortsOut(
        by=by,
        currency=found.currency,
        cohorts=[
            CohortOut(
                month=one.month,
                customers=one.customer_count,
                buyers=list(one.buyers),
                revenue=list(one.revenue),
            )
            for one in listed
        ],
    )


@router.get("/journey")
def journey(
    call: ApiCaller,
    shop: str,
    since: date,
    until: date,
    chosen: Chosen = [],  # noqa: B006 - FastAPI copies it
) -> JourneyOut:
    """Count who moved between these segments in a period of whole days of the shop."""
    found = call.shop(shop)
    listed = _segments(call, found, chosen)
    moves = comparing.journey_of(
        call.runtime, found, listed, since=since, until=until, now=call.now
    )
    ids = [one.id for one in listed]
    return JourneyOut(
        since=since,
        until=until,
        segments=_named(listed),
        moved=[[moves.moved[a][b] for b in ids] for a in ids],
        at_start=[moves.at_start[one] for one in ids],
        at_end=[moves.at_end[one] for one in ids],
        gone=[moves.gone[one] for one in ids],
        new=[moves.new[one] for one in ids],
    )


def _segments(call: ApiCall, shop: Shop, named: Sequence[str]) -> list[Segment]:
    with call.runtime.office.reading() as session:
        if not named:
            return list(list_segments(session, shop))[: insights.SEGMENTS_MAX]
        found = [find_segment(session, shop, one) for one in named]
    return list({one.id: one for one in found}.values())


def _named(listed: Sequence[Segment]) -> list[NamedOut]:
    return [NamedOut(id=one.id, name=one.name) for one in listed]
