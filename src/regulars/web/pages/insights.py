"""Insights: overlap, features, cohorts and journey, each with its definition, table and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from pyroaring import BitMap
from starlette.responses import Response

from regulars import insights
from regulars.engine import days
from regulars.money import decimal_of
from regulars.office import audit
from regulars.office.models.segments import Segment
from regulars.segments import list_segments
from regulars.spreadsheet import guarded
from regulars.web.deps import SignedIn, Visit
from regulars.web.figures import universe_of
from regulars.web.i18n import N_

router = APIRouter(prefix="/insights")

KIND_NAMES = {
    "products": N_("Products bought"),
    "types": N_("Product types bought"),
    "vendors": N_("Vendors bought from"),
    "tags": N_("Customer tags"),
    "channels": N_("Sales channels"),
    "regions": N_("Regions of the addresses"),
    "weekdays": N_("Weekdays of orders"),
    "hours": N_("Hours of orders"),
    "order_counts": N_("Number of orders"),
}
WEEKDAYS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"),
    N_("Sunday"),
)  # fmt: skip


@router.get("")
def show_overlap(visit: SignedIn) -> Response:
    """Show how many customers each two segments share."""
    known, chosen = _segments(visit)
    memberships = visit.runtime.memberships(visit.shop)
    found = insights.overlap({one.id: memberships.members(one.id) for one in chosen})
    if _wants_csv(visit):
        names = [one.name for one in chosen]
        rows = [[a.name, *(found.counts[a.id][b.id] for b in chosen)] for a in chosen]
        return _csv(visit, "overlap", [["", *names], *rows])
    query = {(a.id, b.id): _new(_and(a, b), f"{a.name} + {b.name}") for a in chosen for b in chosen}
    spec = {
        "labels": [one.name for one in chosen],
        "series": [
            {"name": visit.say("Customers"), "values": [found.counts[a.id][a.id] for a in chosen]},
            {"name": visit.say("Only in this one"), "values": [found.only[a.id] for a in chosen]},
        ],
        "kind": "bar",
        "format": "number",
    }
    return _page(visit, "overlap", known, chosen, found=found, links=query, spec=spec)


@router.get("/features")
def show_features(visit: SignedIn) -> Response:
    """Show what sets one segment apart from everybody."""
    known, chosen = _segments(visit, most=1)
    kind = visit.request.query_params.get("kind", "products")
    kind = kind if kind in insights.KINDS else "products"
    rows: list[tuple[str, insights.Feature]] = []
    if chosen:
        everybody = universe_of(visit.runtime, visit.shop)
        members = visit.runtime.memberships(visit.shop).members(chosen[0].id)
        warehouse = visit.runtime.warehouse(visit.shop)
        found = insights.features_of(warehouse, members, everybody, kind=kind, zone=visit.shop.zone)
        rows = [(_value(visit, kind, one.value), one) for one in found]
    if _wants_csv(visit):
        heads = ["Value", "Customers in segment", "Share in segment", "Customers", "Share"]
        told = [
            [name, one.member_count, one.member_share, one.everybody_count, one.everybody_share]
            for name, one in rows
        ]
        return _csv(visit, f"features-{kind}", [heads, *told])
    shown = rows[:12]
    spec = {
        "labels": [name for name, _one in shown],
        "series": [
            {
                "name": visit.say("In the segment, %"),
                "values": [round(one.member_share * 100, 1) for _name, one in shown],
            },
            {
                "name": visit.say("Everybody, %"),
                "values": [round(one.everybody_share * 100, 1) for _name, one in shown],
            },
        ],
        "kind": "bar",
        "format": "number",
    }
    kinds = [(key, visit.say(text)) for key, text in KIND_NAMES.items()]
    return _page(visit, "features", known, chosen, rows=rows, kind=kind, kinds=kinds, spec=spec)


@router.get("/cohorts")
def show_cohorts(visit: SignedIn) -> Response:
    """Show customers by the month of their first order, and who bought again."""
    known, chosen = _segments(visit, most=1, default=0)
    everybody = universe_of(visit.runtime, visit.shop)
    memberships = visit.runtime.memberships(visit.shop)
    members = memberships.members(chosen[0].id) if chosen else everybody
    today = visit.say.local(visit.now).date()
    warehouse = visit.runtime.warehouse(visit.shop)
    found = insights.cohorts(
        warehouse, members, zone=visit.shop.zone, this_month=(today.year, today.month)
    )
    if _wants_csv(visit):
        heads = ["First month", "Customers", *(f"Buyers +{n}" for n in range(13))]
        heads += [f"Revenue to +{n}" for n in range(13)]
        currency = visit.shop.currency
        told = [
            [one.month, one.customer_count, *one.buyers]
            + [None if sum_ is None else str(decimal_of(sum_, currency)) for sum_ in one.revenue]
            for one in found
        ]
        return _csv(visit, "cohorts", [heads, *told])
    spec = {
        "labels": [f"+{n}" for n in range(13)],
        "series": [
            {"name": one.month, "values": [_percent(n, one.customer_count) for n in one.buyers]}
            for one in found[-6:]
        ],
        "kind": "line",
        "format": "number",
    }
    return _page(visit, "cohorts", known, chosen, found=found, spec=spec)


@router.get("/journey")
def show_journey(visit: SignedIn) -> Response:
    """Show who moved from which segment to which in a period."""
    known, chosen = _segments(visit)
    today = visit.say.local(visit.now).date()
    since = _day(visit, "since", today - timedelta(days=30))
    until = min(_day(visit, "until", today), today)
    since = min(since, until)
    start, end = _members_at(visit, chosen, since), _members_at(visit, chosen, until, end=True)
    moves = insights.journey(start, end)
    if _wants_csv(visit):
        heads = ["From", "To", "Customers"]
        told = [[a.name, b.name, moves.moved[a.id][b.id]] for a in chosen for b in chosen]
        return _csv(visit, "journey", [heads, *told])
    spec = {
        "labels": [one.name for one in chosen],
        "series": [
            {"name": visit.say("At the start"), "values": list(moves.at_start.values())},
            {"name": visit.say("At the end"), "values": list(moves.at_end.values())},
        ],
        "kind": "bar",
        "format": "number",
    }
    return _page(
        visit,
        "journey",
        known,
        chosen,
        moves=moves,
        since=since,
        until=until,
        today=today,
        spec=spec,
    )


def _members_at(
    visit: Visit, chosen: Sequence[Segment], day: date, *, end: bool = False
) -> dict[int, BitMap]:
    zone = visit.shop.zone
    instant = days.day_end(day, zone) if end else days.day_start(day, zone)
    instant = min(instant or visit.now, visit.now)
    warehouse = visit.runtime.warehouse(visit.shop)
    return {one.id: warehouse.members_at(one.id, instant) for one in chosen}


def _segments(
    visit: Visit, *, most: int = insights.SEGMENTS_MAX, default: int = 6
) -> tuple[Sequence[Segment], list[Segment]]:
    """Return the shop's segments, and those that are looked at."""
    with visit.runtime.office.reading() as session:
        known = list_segments(session, visit.shop)
    wanted = set(visit.request.query_params.getlist("segment"))
    named = [one for one in known if str(one.id) in wanted]
    return known, (named or list(known[:default]))[:most]


def _page(
    visit: Visit, part: str, known: Sequence[Segment], chosen: Sequence[Segment], **values: Any
) -> Response:
    asked = [*visit.request.query_params.multi_items()]
    return visit.page(
        f"insights/{part}.html",
        part=part,
        known=known,
        chosen=chosen,
        chosen_ids={one.id for one in chosen},
        heads=lambda listed: [(one.name, "number") for one in listed],
        months=[(f"+{n}", "number") for n in range(13)],
        most=insights.SEGMENTS_MAX,
        csv_address=f"{visit.request.url.path}?" + urlencode([*asked, ("format", "csv")]),
        **values,
    )


def _wants_csv(visit: Visit) -> bool:
    return visit.request.query_params.get("format") == "csv"


def _csv(visit: Visit, name: str, rows: Sequence[Sequence[object]]) -> Response:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])
    with visit.office() as session:
        audit.record(
            session,
            act="figures_exported",
            about=name,
            author=visit.author,
            at=visit.now,
            shop_id=visit.shop.id,
        )
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(
        buffer.getvalue().encode("utf-8-sig"), headers=headers, media_type="text/csv; charset=utf-8"
    )


def _and(a: Segment, b: Segment) -> str:
    one = f"segment = {_quoted(a.name)}"
    return one if a.id == b.id else f"{one} AND segment = {_quoted(b.name)}"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _new(query: str, name: str) -> str:
    return "/segments/new?" + urlencode({"query": query, "name": name[:255]})


def _value(visit: Visit, kind: str, value: str) -> str:
    if kind == "weekdays":
        return visit.say(WEEKDAYS[int(value) - 1])
    return visit.say("{hour}:00", hour=value) if kind == "hours" else value


def _percent(count: int | None, whole: int) -> float | None:
    return None if count is None else round(100 * count / whole, 1)


def _day(visit: Visit, name: str, default: date) -> date:
    try:
        return date.fromisoformat(visit.request.query_params.get(name, ""))
    except ValueError:
        return default
