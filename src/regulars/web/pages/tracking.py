"""Revenue trackings: home with filters, creation, one with its plots, comparison. Sums only."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from hashlib import sha256
from typing import Any, cast
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from regulars import tracking
from regulars.errors import InputError
from regulars.money import decimal_of
from regulars.office.models.segments import Segment
from regulars.office.models.trackings import RevenueTracking
from regulars.segments import find_segment, list_segments
from regulars.tracking.comparison import Measure, View
from regulars.web.deps import SignedIn, Visit
from regulars.web.i18n import N_
from regulars.web.trackings import (
    Row,
    compared,
    counted,
    lift_of,
    listed,
    look_back,
    outlook,
    rounded,
)

router = APIRouter(prefix="/tracking")

STATUSES = {
    "scheduled": (N_("Scheduled"), "plain"),
    "in_progress": (N_("In progress"), "busy"),
    "finished": (N_("Finished"), "good"),
    "cancelled": (N_("Cancelled"), "plain"),
}
POPULATIONS = {
    "order_time": N_("Members at order time"),
    "start": N_("Members at the start"),
    "ever": N_("Members at any time"),
}
POPULATION_HELP = {
    "order_time": N_("An order counts when its customer belonged just before it."),
    "start": N_("Whoever belongs when the period begins; nobody is added or taken out later."),
    "ever": N_("Whoever belongs on any day of the period, with all their orders in it."),
}
SORTS = {
    "starts": N_("Latest period"),
    "name": N_("Name"),
    "revenue": N_("Most revenue"),
    "orders": N_("Most orders"),
    "average": N_("Highest order value"),
    "customers": N_("Most customers at start"),
    "now": N_("Most customers now"),
    "ever": N_("Most customers ever"),
    "frequency": N_("Most orders per customer"),
    "buyers": N_("Largest share of buyers"),
}
#: How a tracking's period meets the chosen days.
MEETINGS = {
    "overlaps": N_("Running on any of these days"),
    "within": N_("Wholly within these days"),
}
#: Days chosen by one word.
PRESETS: Mapping[tracking.Preset, str] = {
    "next_30": N_("Next 30 days"),
    "last_30": N_("Last 30 days"),
    "last_90": N_("Last 90 days"),
    "last_365": N_("Last 365 days"),
}
#: What a comparison can show, and how it is drawn.
MEASURES = {
    "revenue": N_("Revenue"),
    "orders": N_("Orders"),
    "average": N_("Average order value"),
}
VIEWS = {
    "absolute": N_("As it is"),
    "per_customer": N_("Per customer"),
    "per_day": N_("Per day (mean so far)"),
    "cumulative": N_("Cumulative"),
    "index": N_("Index (first day with a value = 100)"),
}
CSV_COLUMNS = (
    "id",
    "name",
    "segment",
    "starts_on",
    "ends_on",
    "time_zone",
    "status",
    "who_counts",
    "customers_at_start",
    "customers_now",
    "customers_ever",
    "orders",
    "revenue",
    "currency",
    "average_order_value",
    "orders_per_customer",
    "buyers_per_customer",
    "gross",
    "refunded",
    "joining_orders",
    "joining_revenue",
)
#: In what compared trackings differ.
DIFFERENCES = {
    "lengths": N_("The periods have different lengths."),
    "days": N_("Their periods are not the same days."),
    "populations": N_("Not the same customers count in all of them."),
    "zones": N_("Their days begin in different time zones."),
    "currencies": N_("Their money is in different currencies."),
}
#: Shopify's words for where an order came from; others are shown as they are told.
SOURCES = {
    "": N_("Not told"),
    "web": N_("Online store"),
    "pos": N_("Point of Sale"),
    "shop": N_("Shop app"),
    "shopify_draft_order": N_("Draft order"),
    "draft_order": N_("Draft order"),
    "subscription_contract": N_("Subscription"),
    "subscription_contract_checkout_one": N_("Subscription"),
    "iphone": N_("Shopify app on a phone"),
    "android": N_("Shopify app on a phone"),
}
#: A tracking suggested by itself lasts this long.
DAYS_SUGGESTED = 30


@router.get("")
def show_list(visit: SignedIn) -> Response:
    """Show the home, only its rows when something may have changed, or a CSV of what is shown."""
    query = visit.request.query_params
    chosen = listed(visit.runtime, visit.shop, _choice(visit), visit.now)
    rows = _sorted(_rows(visit, chosen), query.get("sort", "starts"))
    if query.get("format") == "csv":
        return _csv(rows)
    shown = [(key, value) for key, value in query.multi_items() if key not in {"seen", "format"}]
    seen = _fingerprint(rows)
    values: dict[str, Any] = {
        "rows": rows,
        "rounded": rounded,
        "statuses": STATUSES,
        "seen": seen,
        "state": urlencode(shown),
        "is_filtered": any(value for key, value in shown if key != "sort"),
    }
    if visit.is_fragment:
        if query.get("seen") == seen:
            return Response(status_code=204)
        return visit.page("tracking/rows.html", **values)
    with visit.runtime.office.reading() as session:
        segments = list_segments(session, visit.shop)
    return visit.page(
        "tracking/list.html",
        words=query.get("q", ""),
        chosen_status=query.get("status", ""),
        chosen_segments=set(query.getlist("segment")),
        first=query.get("first", ""),
        last=query.get("last", ""),
        sort=query.get("sort", "starts"),
        sorts=SORTS,
        meets=query.get("meets", "overlaps"),
        meetings=MEETINGS,
        chosen_days=query.get("days", ""),
        presets=PRESETS,
        segments=_targets(visit, segments),
        **values,
    )


@router.get("/new")
def show_new(visit: SignedIn) -> Response:
    """Show the form of a new tracking, filled in for a segment or from another tracking."""
    query = visit.request.query_params
    today = tracking.today_in(visit.shop.zone, visit.now)
    values = {
        "segment": query.get("segment", ""),
        "starts_on": today.isoformat(),
        "ends_on": (today + timedelta(days=DAYS_SUGGESTED - 1)).isoformat(),
        "population": "order_time",
        "name": "",
        "note": "",
    }
    if query.get("from", "").isdigit():
        values |= _copied(visit, int(query["from"]), today)
    return _form(visit, values)


@router.get("/outlook")
def show_outlook(visit: SignedIn) -> Response:
    """Show, beside the form, the smallest effect that a holdout would show in these days."""
    query = visit.request.query_params
    first, last = _day_or_none(query.get("starts_on")), _day_or_none(query.get("ends_on"))
    try:
        if first is None or last is None or not query.get("segment"):
            return visit.page("tracking/outlook.html", seen=None)
        period = tracking.check_period(first, last, visit.shop.zone, visit.now)
        with visit.runtime.office.reading() as session:
            segment = find_segment(session, visit.shop, query["segment"])
    except InputError:
        # The form tells what is wrong when it is sent.
        return visit.page("tracking/outlook.html", seen=None)
    seen = outlook(visit.runtime, visit.shop, segment, period.day_count, visit.now)
    return visit.page("tracking/outlook.html", seen=seen, days=period.day_count)


@router.post("")
def create(visit: SignedIn) -> Response:
    """Start a tracking."""
    names = ("segment", "starts_on", "ends_on", "population", "name", "note")
    values = {name: visit.field(name) for name in names}
    try:
        with visit.office() as session:
            made = tracking.create_tracking(
                session,
                visit.shop,
                find_segment(session, visit.shop, values["segment"]),
                starts_on=tracking.parse_day(values["starts_on"], "starts_on"),
                ends_on=tracking.parse_day(values["ends_on"], "ends_on"),
                population=values["population"],
                name=values["name"],
                note=values["note"],
                author=visit.author,
                now=visit.now,
            )
            made.members_before = look_back(visit.runtime, visit.shop, made, visit.now)
    except InputError as wrong:
        return _form(visit, values, wrong)
    return visit.go(f"/tracking/{made.id}", visit.say('"{name}" is set up.', name=made.name))


@router.get("/compare")
def compare(visit: SignedIn) -> Response:
    """Show two to twelve trackings side by side; the address says all that is chosen."""
    query = visit.request.query_params
    ids = [int(one) for one in query.getlist("ids") if one.isdigit()]
    measure = query.get("measure", "revenue")
    view = query.get("view", "absolute")
    align = query.get("align", "day")
    measure = measure if measure in MEASURES else "revenue"
    view = view if view in VIEWS else "absolute"
    side = compared(
        visit.runtime,
        visit.shop,
        ids,
        cast("Measure", measure),
        cast("View", view),
        by_date=align == "date",
        now=visit.now,
    )
    if query.get("format") == "csv":
        is_plain = measure == "orders" or view == "index"
        scale = 1 if is_plain else 10**visit.say.currency_digits
        return _compared_csv([row.one.name for row in side.rows], side.labels, side.series, scale)
    is_money = measure != "orders"
    spec = _spec(visit, side.labels, side.series, kind="line", is_money=is_money, view=view)
    return visit.page(
        "tracking/compare.html",
        rows=side.rows,
        rounded=rounded,
        ids=ids,
        measure=measure,
        view=view,
        align=align,
        measures=MEASURES,
        views=VIEWS,
        statuses=STATUSES,
        populations=POPULATIONS,
        labels=_day_labels(visit, side.labels) if align == "date" else side.labels,
        series=side.series,
        spec=spec,
        warnings=[visit.say(DIFFERENCES[one]) for one in side.differences],
        overlap=side.overlap,
        state=urlencode(query.multi_items()),
    )


@router.get("/{tracking_id:int}")
def show(visit: SignedIn, tracking_id: int) -> Response:
    """Show one tracking, or only its figures when they may have changed."""
    row = _row(visit, _find(visit, tracking_id))
    seen = _fingerprint([row])
    if visit.is_fragment and visit.request.query_params.get("seen") == seen:
        return Response(status_code=204)
    template = "tracking/figures.html" if visit.is_fragment else "tracking/show.html"
    return visit.page(template, seen=seen, **_shown(visit, row))


def _shown(visit: Visit, row: Row) -> dict[str, Any]:
    """Return what the page of one tracking shows."""
    one = row.one
    parts = tracking.counter_of(visit.runtime.warehouse(visit.shop)).breakdown(
        tracking.asked_of(one, visit.shop.zone), tracking.read_population(one.population)
    )
    lift, effect = lift_of(visit.runtime, visit.shop, one)
    shown = max(row.standing.day_no, 1)
    days = row.figures.days[:shown]
    sums = row.headline.days[:shown]
    revenue = [day.revenue_amount for day in sums]
    orders = [day.orders for day in sums]
    return {
        "row": row,
        "rounded": rounded,
        "breakdown": parts,
        "lift": lift,
        "effect": effect,
        "until": visit.runtime.warehouse(visit.shop).facts_until(),
        "days": list(zip(days, orders, _running(orders), revenue, _running(revenue), strict=True)),
        "statuses": STATUSES,
        "populations": POPULATIONS,
        "population_help": POPULATION_HELP,
        "sources": _sources(visit, parts),
        "segment": _segment_now(visit, one),
        "plots": _plots(visit, [day.isoformat() for day in days], revenue, orders),
    }


def _plots(
    visit: Visit, labels: list[str], revenue: list[int], orders: list[int]
) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the four plots of a tracking: name, title (English) and what is drawn."""
    return [
        (name, title, _spec(visit, labels, [(visit.say(title), values)], kind=kind, is_money=money))
        for name, title, values, kind, money in (
            ("plot-revenue", "Revenue by day", revenue, "bar", True),
            ("plot-total", "Cumulative revenue", _running(revenue), "line", True),
            ("plot-orders", "Orders by day", orders, "bar", False),
            ("plot-orders-total", "Cumulative orders", _running(orders), "line", False),
        )
    ]


@router.get("/{tracking_id:int}/update")
def show_update(visit: SignedIn, tracking_id: int) -> Response:
    """Show the dialog for name and note."""
    one = _find(visit, tracking_id)
    return _update_dialog(visit, one, one.name, one.note)


@router.post("/{tracking_id:int}/update")
def update(visit: SignedIn, tracking_id: int) -> Response:
    """Change name and note."""
    name, note = visit.field("name"), visit.field("note")
    try:
        with visit.office() as session:
            one = tracking.find_tracking(session, visit.shop, tracking_id)
            tracking.update_tracking(session, visit.shop, one, name=name, note=note)
    except InputError as wrong:
        return _update_dialog(visit, _find(visit, tracking_id), name, note, wrong)
    return visit.go(f"/tracking/{tracking_id}", visit.say("Saved."))


@router.get("/{tracking_id:int}/delete")
def show_delete(visit: SignedIn, tracking_id: int) -> Response:
    """Show the dialog that asks again."""
    return visit.dialog(
        "tracking/delete.html",
        tracking=_find(visit, tracking_id),
        back=f"/tracking/{tracking_id}",
    )


@router.post("/{tracking_id:int}/delete")
def delete(visit: SignedIn, tracking_id: int) -> Response:
    """Delete a tracking."""
    with visit.office() as session:
        one = tracking.find_tracking(session, visit.shop, tracking_id)
        session.delete(one)
    return visit.go("/tracking", visit.say('"{name}" was deleted.', name=one.name))


@router.post("/{tracking_id:int}/cancellation")
def cancel(visit: SignedIn, tracking_id: int) -> Response:
    """Stop a tracking before its end."""
    with visit.office() as session:
        one = tracking.find_tracking(session, visit.shop, tracking_id)
        tracking.cancel_tracking(one, now=visit.now)
    return visit.go(f"/tracking/{tracking_id}", visit.say("The tracking was cancelled."))


def _targets(visit: Visit, segments: Sequence[Segment]) -> list[tuple[int, str]]:
    """Return what can be chosen: the segments, and those of trackings that outlived theirs."""
    with visit.runtime.office.reading() as session:
        tracked = tracking.list_trackings(session, visit.shop)
    found = {one.segment_id: one.segment_name for one in tracked}
    found |= {one.id: one.name for one in segments}
    return sorted(found.items(), key=lambda one: one[1].casefold())


def _find(visit: Visit, tracking_id: int) -> RevenueTracking:
    with visit.runtime.office.reading() as session:
        return tracking.find_tracking(session, visit.shop, tracking_id)


def _row(visit: Visit, one: RevenueTracking) -> Row:
    return _rows(visit, [one])[0]


def _rows(visit: Visit, wanted: Sequence[RevenueTracking]) -> list[Row]:
    return counted(visit.runtime, visit.shop, wanted, visit.now)


def _choice(visit: Visit) -> tracking.Choice:
    """Return what the address chooses; what it says beyond that is passed over."""
    query = visit.request.query_params
    first, last = _day_or_none(query.get("first")), _day_or_none(query.get("last"))
    preset = next((one for one in PRESETS if one == query.get("days")), None)
    if preset is not None:
        today = tracking.today_in(visit.shop.zone, visit.now)
        first, last = tracking.preset_days(preset, today)
    return tracking.Choice(
        frozenset(int(one) for one in query.getlist("segment") if one.lstrip("-").isdigit()),
        first,
        last,
        "within" if query.get("meets") == "within" else "overlaps",
        cast("tracking.Status", query["status"]) if query.get("status") in STATUSES else None,
        query.get("q", ""),
    )


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    keys: Mapping[str, Callable[[Row], Any]] = {
        "name": lambda row: row.one.name.casefold(),
        "revenue": lambda row: -row.headline.sums.revenue_amount,
        "orders": lambda row: -row.headline.sums.orders,
        "average": lambda row: -(row.headline.average_order_amount or Fraction(0)),
        "customers": lambda row: -row.figures.customers_at_start,
        "now": lambda row: -row.figures.customers_now,
        "ever": lambda row: -row.figures.customers_ever,
        "frequency": lambda row: -(row.headline.orders_per_customer or Fraction(0)),
        "buyers": lambda row: -(row.headline.buyers_per_customer or Fraction(0)),
    }
    return sorted(rows, key=keys[sort]) if sort in keys else rows


def _csv(rows: Sequence[Row]) -> Response:
    buffer = io.StringIO()
    lines = csv.writer(buffer)
    lines.writerow(CSV_COLUMNS)
    for row in rows:
        one, figures = row.one, row.figures
        mean = row.headline.average_order_amount
        lines.writerow(
            (
                one.id,
                _safe(one.name),
                _safe(one.segment_name),
                one.starts_on,
                one.ends_on,
                one.time_zone,
                row.standing.status,
                one.population.replace("_", "-"),
                figures.customers_at_start,
                figures.customers_now,
                figures.customers_ever,
                row.headline.sums.orders,
                decimal_of(row.headline.sums.revenue_amount, one.currency),
                one.currency,
                "" if mean is None else decimal_of(rounded(mean), one.currency),
                _ratio(row.headline.orders_per_customer),
                _ratio(row.headline.buyers_per_customer),
                decimal_of(row.headline.sums.gross_amount, one.currency),
                decimal_of(row.headline.sums.refunded_amount, one.currency),
                figures.joining.orders,
                decimal_of(figures.joining.revenue_amount, one.currency),
            )
        )
    return _file(buffer, "trackings.csv")


def _ratio(value: Fraction | None) -> str:
    return "" if value is None else str(round(float(value), 6))


def _file(buffer: io.StringIO, name: str) -> Response:
    return Response(
        buffer.getvalue().encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _compared_csv(
    names: Sequence[str], labels: Sequence[str], series: Sequence[tuple[str, Any]], scale: int
) -> Response:
    """Give the values of a comparison as a file: one line per day, money in whole units."""
    buffer = io.StringIO()
    lines = csv.writer(buffer)
    lines.writerow(["day", *(_safe(name) for name in names)])
    for number, label in enumerate(labels):
        values = [line[number] for _, line in series]
        lines.writerow([label, *("" if one is None else round(one / scale, 6) for one in values)])
    return _file(buffer, "comparison.csv")


def _safe(text: str) -> str:
    """Return a text that a spreadsheet does not take for a formula."""
    return (
        f"'{text}"
        if text.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
        else text
    )


def _copied(visit: Visit, tracking_id: int, today: date) -> dict[str, str]:
    """Return the form of another tracking, moved to today where its period has begun."""
    one = _find(visit, tracking_id)
    starts_on = max(one.starts_on, today)
    ends_on = starts_on + (one.ends_on - one.starts_on)
    return {
        "segment": str(one.segment_id),
        "starts_on": starts_on.isoformat(),
        "ends_on": ends_on.isoformat(),
        "population": one.population,
        "note": one.note,
    }


def _form(visit: Visit, values: Mapping[str, str], wrong: InputError | None = None) -> Response:
    with visit.runtime.office.reading() as session:
        segments = list_segments(session, visit.shop)
    today = tracking.today_in(visit.shop.zone, visit.now)
    return visit.page(
        "tracking/new.html",
        status=422 if wrong else 200,
        values=values,
        segments=segments,
        today=today,
        populations=POPULATIONS,
        population_help=POPULATION_HELP,
        problems=_told(visit, wrong) if wrong else (),
    )


def _told(visit: Visit, wrong: InputError) -> Sequence[Any]:
    """Tell problems with their days written as the reader writes days."""
    spoken = [
        type(one)(
            one.code,
            one.template,
            {
                key: visit.say.day(value) if isinstance(value, date) else value
                for key, value in one.values.items()
            },
            field=one.field,
        )
        for one in wrong.problems
    ]
    return visit.problems(InputError(*spoken))


def _update_dialog(
    visit: Visit, one: RevenueTracking, name: str, note: str, wrong: InputError | None = None
) -> Response:
    return visit.dialog(
        "tracking/update.html",
        status=422 if wrong else 200,
        tracking=one,
        name=name,
        note=note,
        back=f"/tracking/{one.id}",
        problems=visit.problems(wrong) if wrong else (),
    )


def _sources(visit: Visit, parts: tracking.Breakdown) -> list[tuple[str, tracking.Sums]]:
    """Return groups of sources by their name for people; apps are told by their number only."""
    groups: dict[str, tracking.Sums] = {}
    for source, sums in parts.sources:
        if source in SOURCES:
            name = visit.say(SOURCES[source])
        else:
            name = visit.say("App {number}", number=source) if source.isdigit() else source
        groups[name] = groups.get(name, tracking.Sums()) + sums
    return sorted(groups.items(), key=lambda one: -one[1].orders)


def _day_labels(visit: Visit, labels: Sequence[str]) -> list[str]:
    return [visit.say.day(date.fromisoformat(label)) for label in labels]


def _segment_now(visit: Visit, one: RevenueTracking) -> Segment | None:
    """Return the segment as it is; None when it was deleted."""
    with visit.runtime.office.reading() as session:
        found = session.get(Segment, one.segment_id)
    return found if found is not None and found.deleted_at is None else None


def _day_or_none(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _running(values: Sequence[int]) -> list[int]:
    total = 0
    return [total := total + value for value in values]


def _spec(
    visit: Visit,
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    *,
    kind: str,
    is_money: bool = True,
    view: str = "absolute",
) -> dict[str, object]:
    """Return what the plot is drawn from; money in whole units of the currency."""
    is_money = is_money and view != "index"
    scale = 10**visit.say.currency_digits if is_money else 1
    return {
        "labels": list(labels),
        "series": [
            {
                "name": name,
                "values": [None if value is None else round(value / scale, 4) for value in values],
            }
            for name, values in series
        ],
        "kind": kind,
        "format": visit.shop.currency if is_money else "number",
    }


def _fingerprint(rows: Sequence[Row]) -> str:
    told = [
        (
            row.one.id,
            row.one.name,
            row.standing,
            row.figures.customers_at_start,
            row.figures.customers_now,
            row.figures.customers_ever,
            row.headline.sums,
            row.figures.joining,
        )
        for row in rows
    ]
    return sha256(repr(told).encode()).hexdigest()[:16]
