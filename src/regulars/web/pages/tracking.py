"""Revenue trackings: home with filters, creation, one with its plots. Sums only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from hashlib import sha256
from itertools import accumulate
from typing import Any, cast
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from regulars import tracking
from regulars.errors import InputError
from regulars.jobs.starting import look_back
from regulars.money import decimal_of
from regulars.office.models.segments import Segment
from regulars.office.models.trackings import RevenueTracking
from regulars.segments import day_of, find_segment, list_segments
from regulars.web.deps import SignedIn, Visit
from regulars.web.files import figures_file
from regulars.web.i18n import N_
from regulars.web.plots import Kind, plot_spec
from regulars.web.trackings import (
    Row,
    counted,
    lift_of,
    listed,
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
#: What the address of the list says of one answer only.
NOT_KEPT = {"seen", "format", "part"}
#: Choices that are kept out of sight until somebody makes one.
CHOICES = ("segment", "days", "first", "last")
#: A tracking suggested by itself lasts this long.
DAYS_SUGGESTED = 30


@router.get("")
def show_list(visit: SignedIn) -> Response:
    """Show the home, only its rows when something may have changed, or a CSV of what is shown."""
    query = visit.request.query_params
    chosen = listed(visit.runtime, visit.shop, _choice(visit), visit.now)
    rows = _sorted(_rows(visit, chosen), query.get("sort", "starts"))
    if query.get("format") == "csv":
        return figures_file(visit, visit.shop, "trackings", _lines(rows))
    shown = [(key, value) for key, value in query.multi_items() if key not in NOT_KEPT]
    seen = _fingerprint(rows)
    values: dict[str, Any] = {
        "rows": rows,
        "rounded": rounded,
        "statuses": STATUSES,
        "seen": seen,
        "state": urlencode(shown),
        "is_filtered": any(value for key, value in shown if key != "sort"),
    }
    if visit.is_fragment and query.get("part") == "choices":
        return visit.page("tracking/choices.html", **values, **_choices(visit))
    if visit.is_fragment:
        if query.get("seen") == seen:
            return Response(status_code=204)
        return visit.page("tracking/rows.html", **values)
    choosing = query.get("part") or any(query.get(name) for name in CHOICES)
    return visit.page(
        "tracking/list.html",
        words=query.get("q", ""),
        chosen_status=query.get("status", ""),
        sort=query.get("sort", "starts"),
        sorts=SORTS,
        is_choosing=choosing,
        **(_choices(visit) if choosing else {}),
        **values,
    )


def _choices(visit: Visit) -> dict[str, Any]:
    """Return what segments and periods can be chosen, and what is."""
    query = visit.request.query_params
    with visit.runtime.office.reading() as session:
        segments = list_segments(session, visit.shop)
    return {
        "chosen_segments": set(query.getlist("segment")),
        "segments": _targets(visit, segments),
        "first": query.get("first", ""),
        "last": query.get("last", ""),
        "meets": query.get("meets", "overlaps"),
        "meetings": MEETINGS,
        "chosen_days": query.get("days", ""),
        "presets": PRESETS,
    }


@router.get("/new")
def show_new(visit: SignedIn) -> Response:
    """Show the form of a new tracking, filled in for a segment or from another tracking."""
    query = visit.request.query_params
    today = day_of(visit.shop, visit.now)
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
    return visit.go(f"/tracking/{made.id}", visit.say("“{name}” is set up.", name=made.name))


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
        "days": list(
            zip(days, orders, accumulate(orders), revenue, accumulate(revenue), strict=True)
        ),
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
    unit, money = 10**visit.say.currency_digits, visit.shop.currency

    def plot(
        name: str, title: str, kind: Kind, values: Iterable[float], form: str = "number"
    ) -> tuple[str, str, dict[str, Any]]:
        series = [(visit.say(title), list(values))]
        return name, title, plot_spec(kind, labels, series, form)

    return [
        plot("plot-revenue", "Revenue by day", "bar", (one / unit for one in revenue), money),
        plot(
            "plot-total",
            "Cumulative revenue",
            "line",
            (one / unit for one in accumulate(revenue)),
            money,
        ),
        plot("plot-orders", "Orders by day", "bar", orders),
        plot("plot-orders-total", "Cumulative orders", "line", accumulate(orders)),
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
    return visit.go("/tracking", visit.say("“{name}” was deleted.", name=one.name))


@router.post("/{tracking_id:int}/cancellation")
def cancel(visit: SignedIn, tracking_id: int) -> Response:
    """Stop a tracking before its end."""
    with visit.office() as session:
        one = tracking.find_tracking(session, visit.shop, tracking_id)
        tracking.cancel_tracking(visit.shop, one, now=visit.now)
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
        today = day_of(visit.shop, visit.now)
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


def _lines(rows: Sequence[Row]) -> Iterator[Sequence[object]]:
    yield CSV_COLUMNS
    for row in rows:
        one, figures = row.one, row.figures
        mean = row.headline.average_order_amount
        yield (
            one.id,
            one.name,
            one.segment_name,
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


def _ratio(value: Fraction | None) -> str:
    return "" if value is None else str(round(float(value), 6))


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
    today = day_of(visit.shop, visit.now)
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
