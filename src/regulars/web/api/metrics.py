"""/shops/{shop}/segments/{segment}/metrics: six figures, now and by day. Money in minor units."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from regulars.engine.days import local_day
from regulars.segments import find_segment, metrics
from regulars.warehouse.metrics import read_days
from regulars.web.deps import ApiCaller

router = APIRouter(prefix="/shops/{shop}/segments/{segment}", tags=["segments"])


class FiguresOut(BaseModel):
    """The figures; null where there is nobody or nothing to divide by."""

    customers: float | None
    repeat_rate: float | None
    lifetime_value: float | None
    average_order_value: float | None
    orders_per_customer: float | None
    purchase_interval_days: float | None
    order_mean: float | None


class MetricsDayOut(FiguresOut):
    """The figures at the end of one shop day, with the orders of the day by members."""

    day: date
    version: int
    #: By the membership log of that day; else worked out later by the rule.
    is_recorded: bool
    #: False where a condition looks at something whose past was not kept.
    is_past_known: bool
    orders: int
    revenue: int


class MetricsOut(BaseModel):
    """The figures of a segment."""

    as_of: datetime
    currency: str
    now: FiguresOut
    #: Against the mean of the last seven days.
    change: FiguresOut
    days: list[MetricsDayOut]


@router.get("/metrics")
def show(
    call: ApiCaller,
    shop: str,
    segment: str,
    days: Annotated[int, Query(ge=1, le=3660)] = metrics.DAYS_BACK,
) -> MetricsOut:
    """Show the figures of a segment, for now and for its last days."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        row = find_segment(session, found, segment)
    warehouse = call.runtime.warehouse(found)
    today = local_day(call.now, found.zone)
    first = today - timedelta(days=days)
    with warehouse.reader() as cursor:
        week = today - timedelta(days=metrics.DAYS_COMPARED)
        stored = read_days(cursor, row.id, min(first, week))
    members = call.runtime.memberships(found).members(row.id)
    now = metrics.present_figures(warehouse, found, members, call.now)
    return MetricsOut(
        as_of=call.now,
        currency=found.currency,
        now=FiguresOut.model_validate(now, from_attributes=True),
        change=FiguresOut(**metrics.change_of(now, stored)),
        days=[
            MetricsDayOut(
                day=one.shop_day,
                version=one.version,
                is_recorded=one.is_recorded,
                is_past_known=one.is_past_known,
                orders=one.day_order_count,
                revenue=one.day_amount,
                **FiguresOut.model_validate(
                    metrics.figures_of(one.sums), from_attributes=True
                ).model_dump(),
            )
            for one in stored
            if one.shop_day >= first
        ],
    )
