"""Insights: overlap, features, cohorts and journey, each with its definition, table and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from regulars import insights
from regulars.money import decimal_of
from regulars.office.models.segments import Segment
from regulars.segments import list_segments
from regulars.web.deps import SignedIn, Visit
from regulars.web.files import figures_file
from regulars.web.insight_views import (
    cohorts_values,
    features_values,
    journey_values,
    overlap_values,
)

router = APIRouter(prefix="/insights")

#: How many segments are shown before anybody has chosen.
SHOWN_AT_FIRST = 6


@router.get("")
def show_overlap(visit: SignedIn) -> Response:
    """Show how many customers each two segments share."""
    known, chosen = _segments(visit)
    values = overlap_values(visit, chosen)
    if _wants_csv(visit):
        counts, only = values["found"].counts, values["found"].only
        heads = ["", *(one.name for one in chosen), "Only here"]
        rows = [[a.name, *(counts[a.id][b.id] for b in chosen), only[a.id]] for a in chosen]
        return figures_file(visit, visit.shop, "overlap", [heads, *rows])
    return _page(visit, "overlap", known, chosen, values)


@router.get("/features")
def show_features(visit: SignedIn) -> Response:
    """Show what sets one segment apart from everybody."""
    known, chosen = _segments(visit, most=1)
    if not chosen:
        return _page(visit, "features", known, chosen, {"csv_address": ""})
    values = features_values(visit, chosen[0])
    if _wants_csv(visit):
        heads = ["Value", "Customers in segment", "Share in segment", "Customers", "Share"]
        told = [
            [name, one.member_count, one.member_share, one.everybody_count, one.everybody_share]
            for name, one in values["rows"]
        ]
        return figures_file(visit, visit.shop, f"features-{values['kind']}", [heads, *told])
    return _page(visit, "features", known, chosen, values)


@router.get("/cohorts")
def show_cohorts(visit: SignedIn) -> Response:
    """Show customers by the month of their first order, and how they go on buying."""
    known, chosen = _segments(visit, most=1, default=0)
    values = cohorts_values(visit, chosen[0] if chosen else None)
    if _wants_csv(visit):
        return figures_file(visit, visit.shop, "cohorts", _cohort_lines(visit, values))
    return _page(visit, "cohorts", known, chosen, values)


@router.get("/journey")
def show_journey(visit: SignedIn) -> Response:
    """Show who moved from which segment to which in a period."""
    known, chosen = _segments(visit)
    values = journey_values(visit, chosen)
    if _wants_csv(visit):
        moves: insights.Moves = values["moves"]
        told = [[a.name, b.name, moves.moved[a.id][b.id]] for a in chosen for b in chosen]
        told += [[a.name, "", moves.gone[a.id]] for a in chosen]
        told += [["", b.name, moves.new[b.id]] for b in chosen]
        return figures_file(visit, visit.shop, "journey", [["From", "To", "Customers"], *told])
    return _page(visit, "journey", known, chosen, values)


def _cohort_lines(visit: Visit, values: dict[str, Any]) -> list[list[object]]:
    columns = range(insights.COLUMNS[values["by"]])
    name = "+" if values["by"] == "month" else "order "
    heads = ["First month", "Customers"]
    heads += [f"Buyers {name}{at + (values['by'] == 'order')}" for at in columns]
    heads += [f"Revenue to {name}{at + (values['by'] == 'order')}" for at in columns]
    currency = visit.shop.currency
    return [
        list(heads),
        *(
            [one.month or "All", one.customer_count, *one.buyers]
            + [None if sum_ is None else str(decimal_of(sum_, currency)) for sum_ in one.revenue]
            for one in values["rows"]
        ),
    ]


def _segments(
    visit: Visit, *, most: int = insights.SEGMENTS_MAX, default: int = SHOWN_AT_FIRST
) -> tuple[Sequence[Segment], list[Segment]]:
    """Return the shop's segments, and those that are looked at."""
    with visit.runtime.office.reading() as session:
        known = list_segments(session, visit.shop)
    wanted = set(visit.request.query_params.getlist("segment"))
    named = [one for one in known if str(one.id) in wanted]
    return known, (named or list(known[:default]))[:most]


def _page(
    visit: Visit,
    part: str,
    known: Sequence[Segment],
    chosen: Sequence[Segment],
    values: dict[str, Any],
) -> Response:
    given: dict[str, Any] = {
        "part": part,
        "known": known,
        "chosen": chosen,
        "chosen_ids": {one.id for one in chosen},
        "most": insights.SEGMENTS_MAX,
        "action": visit.request.url.path,
        # On a segment's own page this is the segment; here one chooses.
        "of": None,
    }
    return visit.page(f"insights/{part}.html", **{**values, **given})


def _wants_csv(visit: Visit) -> bool:
    return visit.request.query_params.get("format") == "csv"
