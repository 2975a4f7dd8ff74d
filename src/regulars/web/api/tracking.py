"""/shops/{shop}/trackings: revenue trackings and their figures. Sums only, never customers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query

from regulars import segments, tracking
from regulars.jobs.starting import look_back
from regulars.money import decimal_of
from regulars.office import Shop
from regulars.office.models.trackings import RevenueTracking
from regulars.web.api.tracking_shapes import (
    ComparisonAsked,
    HoldoutEffectOut,
    OutlookAsked,
    OutlookOut,
    SeriesOut,
    TrackingChange,
    TrackingChoice,
    TrackingComparisonOut,
    TrackingDetailOut,
    TrackingIn,
    TrackingOut,
    TrackingsOut,
)
from regulars.web.deps import ApiCaller
from regulars.web.trackings import (
    Row,
    compared,
    counted,
    lift_of,
    listed,
    outlook,
    rounded,
)

if TYPE_CHECKING:
    from regulars.runtime import Runtime

router = APIRouter(prefix="/shops/{shop}/trackings", tags=["tracking"])


@router.get("")
def index(call: ApiCaller, shop: str, chosen: Annotated[TrackingChoice, Query()]) -> TrackingsOut:
    """List the trackings; segments, days, status and words narrow them."""
    found = call.shop(shop)
    choice = chosen.read(call.runtime, found, call.now)
    rows = listed(call.runtime, found, choice, call.now)
    told = [_told(row) for row in counted(call.runtime, found, rows, call.now)]
    return TrackingsOut(trackings=told)


@router.get("/comparison")
def compare(
    call: ApiCaller, shop: str, asked: Annotated[ComparisonAsked, Query()]
) -> TrackingComparisonOut:
    """Put two to twelve trackings side by side, by date or by day number."""
    found = call.shop(shop)
    by_date = asked.align == "date"
    side = compared(
        call.runtime, found, asked.ids, asked.measure, asked.view, by_date=by_date, now=call.now
    )
    currency = None if asked.measure == "orders" or asked.view == "index" else found.currency
    series = zip(side.rows, side.series, strict=True)
    return TrackingComparisonOut(
        trackings=[_told(row) for row in side.rows],
        labels=list(side.labels),
        series=[
            SeriesOut(id=row.one.id, name=name, values=[_value(one, currency) for one in line])
            for row, (name, line) in series
        ],
        differences=list(side.differences),
        overlap=[list(line) for line in side.overlap],
    )


@router.get("/outlook")
def show_outlook(call: ApiCaller, shop: str, asked: Annotated[OutlookAsked, Query()]) -> OutlookOut:
    """Tell, before a tracking starts, the smallest effect that a holdout of it would show."""
    found = call.shop(shop)
    period = asked.period(found, call.now)
    with call.runtime.office.reading() as session:
        segment = segments.find_segment(session, found, asked.segment)
    seen = outlook(call.runtime, found, segment, period.day_count, call.now)
    return OutlookOut(
        customers=seen.customers,
        mean=_money(round(seen.mean), found.currency),
        is_held_out=seen.is_held_out,
        effects=[
            HoldoutEffectOut(
                share=round(one.share, 6),
                treated_customers=one.treated,
                held_out_customers=one.held_out,
                smallest_effect=_money(round(one.amount), found.currency),
            )
            for one in seen.effects
        ],
    )


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
        tracking.cancel_tracking(found, row, now=call.now)
    return _detail(call.runtime, found, row, call.now)


@router.delete("/{tracking_id}", status_code=204)
def delete(call: ApiCaller, shop: str, tracking_id: int) -> None:
    """Delete a tracking; the orders it counted stay where they are."""
    found = call.shop(shop)
    with call.office() as session:
        session.delete(tracking.find_tracking(session, found, tracking_id))


def _told(row: Row) -> TrackingOut:
    """Tell a tracking with its headline."""
    return TrackingOut.model_validate(_values(row))


def _detail(runtime: Runtime, shop: Shop, one: RevenueTracking, now: datetime) -> TrackingDetailOut:
    (row,) = counted(runtime, shop, [one], now)
    figures, currency = row.figures, one.currency
    until = runtime.warehouse(shop).facts_until()
    found, effect = lift_of(runtime, shop, one)
    parts = tracking.counter_of(runtime.warehouse(shop)).breakdown(
        tracking.asked_of(one, shop.zone), tracking.read_population(one.population)
    )
    return TrackingDetailOut.model_validate(
        {
            **_values(row),
            "populations": {
                name.replace("_", "-"): _population(counted_so, currency)
                for name, counted_so in figures.populations.items()
            },
            "bridge": {
                part: _sums(getattr(figures.bridge, part), currency)
                for part in ("stayers", "joiners", "leavers", "outside")
            },
            "joining": _sums(figures.joining, currency),
            "days": _days(figures.days, row.headline.days, currency),
            "breakdown": _breakdown(parts, currency),
            "counted_until": until if until is None or until.tzinfo else until.replace(tzinfo=UTC),
            "lift": None if found is None else _lift(found, currency),
            "smallest_effect": None if effect is None else _money(round(effect), currency),
        }
    )


def _breakdown(parts: tracking.Breakdown, currency: str) -> dict[str, object]:
    return {
        "first_orders": _sums(parts.first_orders, currency),
        "later_orders": _sums(parts.later_orders, currency),
        "products": [
            {
                "product_id": one.product_id,
                "title": one.title,
                "quantity": one.quantity,
                "orders": one.orders,
                "amount": _money(one.amount, currency),
            }
            for one in parts.products
        ],
        "sources": [{"source": source, **_sums(sums, currency)} for source, sums in parts.sources],
        "late_refunds": parts.late_refund_count,
        "late_refunded": _money(parts.late_refund_amount, currency),
    }


def _values(row: Row) -> dict[str, object]:
    one, figures, headline = row.one, row.figures, row.headline
    return {
        "id": one.id,
        "name": one.name,
        "note": one.note,
        "kind": one.kind,
        "segment_id": one.segment_id,
        "segment": one.segment_name,
        "query": one.query,
        "starts_on": one.starts_on,
        "ends_on": one.ends_on,
        "time_zone": one.time_zone,
        "currency": one.currency,
        "population": one.population.replace("_", "-"),
        "status": row.standing.status,
        "day_no": row.standing.day_no,
        "day_count": row.standing.day_count,
        "author": one.author,
        "created_at": one.created_at,
        "customers_at_start": figures.customers_at_start,
        "customers_now": figures.customers_now,
        "customers_ever": figures.customers_ever,
        "orders": headline.sums.orders,
        "revenue": _money(headline.sums.revenue_amount, one.currency),
        "average_order_value": _mean(headline.average_order_amount, one.currency),
        "orders_per_customer": _share(headline.orders_per_customer),
        "buyers_per_customer": _share(headline.buyers_per_customer),
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


def _value(value: float | None, currency: str | None) -> float | None:
    """Return a value of a comparison: money in whole units of its currency."""
    if value is None or currency is None:
        return None if value is None else round(value, 6)
    return float(decimal_of(round(value), currency))


def _share(share: Fraction | None) -> float | None:
    return None if share is None else round(float(share), 6)
