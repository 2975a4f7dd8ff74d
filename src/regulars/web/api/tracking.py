"""/shops/{shop}/trackings: revenue trackings and their figures. Sums only, never customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from pyroaring import BitMap
from sqlalchemy import select

from regulars import segments, tracking
from regulars.language import parse
from regulars.money import decimal_of
from regulars.office import Shop
from regulars.office.models.tags import TagAssignment, TagHoldout
from regulars.office.models.trackings import RevenueTracking
from regulars.web.deps import ApiCaller

if TYPE_CHECKING:
    from regulars.runtime import Runtime

router = APIRouter(prefix="/shops/{shop}/trackings", tags=["tracking"])


class TrackingIn(BaseModel):
    """A new tracking of a segment, which is named by its id or name."""

    segment: str
    #: First and last day, both counted, such as 2026-12-01.
    starts_on: str
    ends_on: str
    #: Who counts in the headline: order-time, start or ever.
    population: str = "order-time"
    #: Empty: filled in.
    name: str = ""
    note: str = ""


class TrackingChange(BaseModel):
    """Name and note, which are all that may change."""

    name: str | None = None
    note: str | None = None


class PopulationOut(BaseModel):
    """One population's figures. Money is a decimal text in the tracking's currency."""

    customers: int
    buyers: int
    orders: int
    revenue: str
    gross: str
    refunded: str
    average_order_value: str | None
    orders_per_customer: float | None
    buyers_per_customer: float | None
    revenue_per_customer: str | None


class SumsOut(BaseModel):
    """Orders and money."""

    orders: int
    revenue: str
    gross: str
    refunded: str


class DayOut(SumsOut):
    """One day of the headline population."""

    day: date


class BridgeOut(BaseModel):
    """start = stayers + leavers; order time = stayers + joiners; ever = all four."""

    stayers: SumsOut
    joiners: SumsOut
    leavers: SumsOut
    outside: SumsOut


class TrackingOut(BaseModel):
    """One tracking with the figures of its headline population."""

    id: int
    name: str
    note: str
    segment_id: int
    segment: str
    query: str
    starts_on: date
    ends_on: date
    time_zone: str
    currency: str
    population: str
    status: str
    day_no: int
    day_count: int
    author: str
    created_at: datetime
    customers_at_start: int
    customers_now: int
    customers_ever: int
    orders: int
    revenue: str
    average_order_value: str | None


class LiftOut(BaseModel):
    """Revenue per customer, treated less held out, with Welch's 95 % interval."""

    treated_customers: int
    held_out_customers: int
    treated_mean: str
    held_out_mean: str
    difference: str
    low: str
    high: str


class TrackingDetailOut(TrackingOut):
    """One tracking with everything that is counted."""

    populations: dict[str, PopulationOut]
    bridge: BridgeOut
    #: Orders by which their customer became a member: not part of order time.
    joining: SumsOut
    days: list[DayOut]
    #: Facts up to this instant are in the figures.
    counted_until: datetime | None
    #: Where customers of the segment were held out of a tag; else null.
    lift: LiftOut | None
    #: The smallest difference per customer that could be seen; null without a holdout.
    smallest_effect: str | None


class TrackingsOut(BaseModel):
    """The trackings of a shop, the latest period first."""

    trackings: list[TrackingOut]


@router.get("")
def index(
    call: ApiCaller,
    shop: str,
    segment: Annotated[list[str] | None, Query()] = None,
) -> TrackingsOut:
    """List the trackings; `segment`, given once or several times, narrows them."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        wanted = {segments.find_segment(session, found, one).id for one in segment or ()}
        rows = [
            row
            for row in tracking.list_trackings(session, found)
            if not wanted or row.segment_id in wanted
        ]
    figures = all_figures(call.runtime, found, rows)
    pairs = zip(rows, figures, strict=True)
    listed = [tracking_out(row, counted, call.now) for row, counted in pairs]
    return TrackingsOut(trackings=listed)


@router.post("", status_code=201)
def create(call: ApiCaller, shop: str, asked: TrackingIn) -> TrackingDetailOut:
    """Start measuring a segment over a period that begins today or later."""
    found = call.shop(shop)
    starts_on = tracking.parse_day(asked.starts_on, "starts_on")
    ends_on = tracking.parse_day(asked.ends_on, "ends_on")
    with call.office() as session:
        row = tracking.create_tracking(
            session,
            found,
            segments.find_segment(session, found, asked.segment),
            starts_on=starts_on,
            ends_on=ends_on,
            population=asked.population,
            name=asked.name,
            note=asked.note,
            author=call.author,
            now=call.now,
        )
        row.members_before = look_back(call.runtime, found, row, call.now)
    return _detail(call.runtime, found, row, call.now)


@router.get("/{tracking_id}")
def show(call: ApiCaller, shop: str, tracking_id: int) -> TrackingDetailOut:
    """Show one tracking with everything that is counted."""
    found = call.shop(shop)
    with call.runtime.office.reading() as session:
        row = tracking.find_tracking(session, found, tracking_id)
    return _detail(call.runtime, found, row, call.now)


@router.patch("/{tracking_id}")
def update(
    call: ApiCaller, shop: str, tracking_id: int, asked: TrackingChange
) -> TrackingDetailOut:
    """Change name and note."""
    found = call.shop(shop)
    with call.office() as session:
        row = tracking.find_tracking(session, found, tracking_id)
        tracking.update_tracking(
            session,
            found,
            row,
            name=row.name if asked.name is None else asked.name,
            note=row.note if asked.note is None else asked.note,
        )
    return _detail(call.runtime, found, row, call.now)


@router.post("/{tracking_id}/cancellation", status_code=202)
def cancel(call: ApiCaller, shop: str, tracking_id: int) -> TrackingDetailOut:
    """Stop a tracking that has not ended."""
    found = call.shop(shop)
    with call.office() as session:
        row = tracking.find_tracking(session, found, tracking_id)
        tracking.cancel_tracking(row, now=call.now)
    return _detail(call.runtime, found, row, call.now)


@router.delete("/{tracking_id}", status_code=204)
def delete(call: ApiCaller, shop: str, tracking_id: int) -> None:
    """Delete a tracking; the orders it counted stay where they are."""
    found = call.shop(shop)
    with call.office() as session:
        session.delete(tracking.find_tracking(session, found, tracking_id))


def figures_of(runtime: Runtime, shop: Shop, row: RevenueTracking) -> tracking.Figures:
    """Count a tracking now."""
    return all_figures(runtime, shop, [row])[0]


def all_figures(
    runtime: Runtime, shop: Shop, rows: Sequence[RevenueTracking]
) -> list[tracking.Figures]:
    """Count trackings now, reading what they share once."""
    counter = tracking.counter_of(runtime.warehouse(shop))
    return counter.figures([tracking.asked_of(row, shop.zone) for row in rows])


def lift_of(
    runtime: Runtime, shop: Shop, row: RevenueTracking
) -> tuple[tracking.Lift | None, float | None]:
    """Return the lift over customers held out of the segment's tags, and what could be seen.

    The smallest detectable effect comes from what the same customers spent in as many days before.
    """
    warehouse, asked = runtime.warehouse(shop), tracking.asked_of(row, shop.zone)
    start, end = asked.bounds
    with runtime.office.reading() as session:
        held_ids = session.scalars(
            select(TagHoldout.customer_id)
            .join(TagAssignment, TagAssignment.id == TagHoldout.assignment_id)
            .where(
                TagAssignment.shop_id == shop.id,
                TagAssignment.segment_id == row.segment_id,
                TagHoldout.since < end,
                TagHoldout.until.is_(None) | (TagHoldout.until > start),
            )
        ).all()
    if not held_ids:
        return None, None
    members = tracking.counter_of(warehouse).members(asked)
    held = members & BitMap(warehouse.customer_nos(set(held_ids)).values())
    treated = members - held
    with warehouse.reader() as cursor:
        sides = [tracking.spending(cursor, side, start, end) for side in (treated, held)]
        history = tracking.spending(cursor, members, start - (end - start), start)
    effect = tracking.smallest_effect(history, len(treated), len(held))
    return tracking.lift(*sides), effect


def look_back(runtime: Runtime, shop: Shop, row: RevenueTracking, now: datetime) -> bytes | None:
    """Return who belonged since the first day's midnight, where the log does not tell (0020)."""
    start = tracking.period_of(row).starts_at
    if start > now or tracking.log_begins(runtime.warehouse(shop), row.segment_id, start):
        return None
    memberships = runtime.memberships(shop)
    before = tracking.look_back(
        runtime.warehouse(shop),
        runtime.evaluator(shop),
        parse(row.query),
        context_at=lambda instant: memberships.context(shop, instant),
        start=start,
        now=now,
    )
    return before.to_bytes()


def tracking_out(row: RevenueTracking, figures: tracking.Figures, now: datetime) -> TrackingOut:
    """Tell a tracking with its headline."""
    return TrackingOut.model_validate(_values(row, figures, now))


def _detail(runtime: Runtime, shop: Shop, row: RevenueTracking, now: datetime) -> TrackingDetailOut:
    figures = figures_of(runtime, shop, row)
    currency, bridge = row.currency, figures.bridge
    headline = figures.populations[tracking.read_population(row.population)]
    until = runtime.warehouse(shop).facts_until()
    found, effect = lift_of(runtime, shop, row)
    return TrackingDetailOut.model_validate(
        {
            **_values(row, figures, now),
            "populations": {
                name.replace("_", "-"): _population(one, currency)
                for name, one in figures.populations.items()
            },
            "bridge": {
                part: _sums(getattr(bridge, part), currency)
                for part in ("stayers", "joiners", "leavers", "outside")
            },
            "joining": _sums(figures.joining, currency),
            "days": _days(figures.days, headline.days, currency),
            "counted_until": until if until is None or until.tzinfo else until.replace(tzinfo=UTC),
            "lift": None if found is None else _lift(found, currency),
            "smallest_effect": None if effect is None else _money(round(effect), currency),
        }
    )


def _values(row: RevenueTracking, figures: tracking.Figures, now: datetime) -> dict[str, object]:
    stands = tracking.standing(row, now)
    headline = figures.populations[tracking.read_population(row.population)]
    return {
        "id": row.id,
        "name": row.name,
        "note": row.note,
        "segment_id": row.segment_id,
        "segment": row.segment_name,
        "query": row.query,
        "starts_on": row.starts_on,
        "ends_on": row.ends_on,
        "time_zone": row.time_zone,
        "currency": row.currency,
        "population": row.population.replace("_", "-"),
        "status": stands.status,
        "day_no": stands.day_no,
        "day_count": stands.day_count,
        "author": row.author,
        "created_at": row.created_at,
        "customers_at_start": figures.customers_at_start,
        "customers_now": figures.customers_now,
        "customers_ever": figures.customers_ever,
        "orders": headline.sums.orders,
        "revenue": _money(headline.sums.revenue_amount, row.currency),
        "average_order_value": _mean(headline.average_order_amount, row.currency),
    }


def _population(one: tracking.PopulationFigures, currency: str) -> dict[str, object]:
    return {
        "customers": one.customers,
        "buyers": one.buyers,
        **_sums(one.sums, currency),
        "average_order_value": _mean(one.average_order_amount, currency),
        "orders_per_customer": _share(one.orders_per_customer),
        "buyers_per_customer": _share(one.buyers_per_customer),
        "revenue_per_customer": _mean(one.revenue_per_customer, currency),
    }


def _sums(sums: tracking.Sums, currency: str) -> dict[str, object]:
    return {
        "orders": sums.orders,
        "revenue": _money(sums.revenue_amount, currency),
        "gross": _money(sums.gross_amount, currency),
        "refunded": _money(sums.refunded_amount, currency),
    }


def _days(
    days: Iterable[date], sums: Iterable[tracking.Sums], currency: str
) -> list[dict[str, object]]:
    pairs = zip(days, sums, strict=True)
    return [{"day": day, **_sums(one, currency)} for day, one in pairs]


def _lift(lift: tracking.Lift, currency: str) -> dict[str, object]:
    return {
        "treated_customers": lift.treated.customers,
        "held_out_customers": lift.held_out.customers,
        "treated_mean": _money(round(lift.treated.mean), currency),
        "held_out_mean": _money(round(lift.held_out.mean), currency),
        "difference": _money(round(lift.difference), currency),
        "low": _money(round(lift.low), currency),
        "high": _money(round(lift.high), currency),
    }


def _money(amount: int, currency: str) -> str:
    return str(decimal_of(amount, currency))


def _mean(mean: Fraction | None, currency: str) -> str | None:
    return None if mean is None else _money(rounded(mean), currency)


def _share(share: Fraction | None) -> float | None:
    return None if share is None else round(float(share), 6)


def rounded(value: Fraction) -> int:
    """Return the nearest whole minor unit, halves away from zero."""
    half = Decimal(value.numerator) / Decimal(value.denominator)
    return int(half.to_integral_value("ROUND_HALF_UP"))
