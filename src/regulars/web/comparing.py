"""What pages and API ask the insights for: segments of a shop in, figures out, no words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from pyroaring import BitMap

from regulars import insights
from regulars.engine import days
from regulars.errors import LimitError, problem
from regulars.language import parse
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.runtime import Runtime
from regulars.web.figures import universe_of

_FIRST = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


def overlap_of(runtime: Runtime, shop: Shop, chosen: Sequence[Segment]) -> insights.Overlap:
    """Count who is in which two of these segments now."""
    _check_number(chosen)
    memberships = runtime.memberships(shop)
    return insights.overlap({one.id: memberships.members(one.id) for one in chosen})


def features_of(
    runtime: Runtime, shop: Shop, segment: Segment, *, kind: str, orders: str = "all"
) -> insights.Features:
    """Compare a segment with everybody by one kind of value."""
    return insights.features_of(
        runtime.warehouse(shop),
        runtime.memberships(shop).members(segment.id),
        universe_of(runtime, shop),
        kind=kind,
        orders=orders,
        zone=shop.zone,
    )


def cohorts_of(
    runtime: Runtime, shop: Shop, segment: Segment | None, *, by: insights.By, now: datetime
) -> list[insights.Cohort]:
    """Return the cohorts of a segment, or of everybody."""
    members = (
        universe_of(runtime, shop)
        if segment is None
        else runtime.memberships(shop).members(segment.id)
    )
    today = now.astimezone(shop.zone)
    return insights.cohorts(
        runtime.warehouse(shop),
        members,
        zone=shop.zone,
        this_month=(today.year, today.month),
        by=by,
    )


def journey_of(
    runtime: Runtime,
    shop: Shop,
    chosen: Sequence[Segment],
    *,
    since: date,
    until: date,
    now: datetime,
) -> insights.Moves:
    """Count who moved between these segments from the start of one day to the end of another."""
    _check_number(chosen)
    # Before the first day there is nothing.
    start = max(days.day_start(since, shop.zone), _FIRST) - _MICROSECOND
    end = days.day_end(until, shop.zone)
    latest = now if end is None else min(end - _MICROSECOND, now)
    return insights.journey(
        {one.id: members_at(runtime, shop, one, start) for one in chosen},
        {one.id: members_at(runtime, shop, one, latest) for one in chosen},
    )


def members_at(runtime: Runtime, shop: Shop, segment: Segment, instant: datetime) -> BitMap:
    """Return who belonged at an instant: by the log; before the segment was made, by its rule."""
    if _aware(segment.created_at) <= instant:
        return runtime.warehouse(shop).members_at(segment.id, instant)
    return runtime.evaluator(shop).members(parse(segment.query), runtime.context(shop, instant))


def _check_number(chosen: Sequence[Segment]) -> None:
    if len(chosen) > insights.SEGMENTS_MAX:
        template = "At most {most} segments are compared at once; these are {count}."
        raise LimitError(
            problem(
                "too_many_segments",
                template,
                field="segment",
                most=insights.SEGMENTS_MAX,
                count=len(chosen),
            )
        )


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
