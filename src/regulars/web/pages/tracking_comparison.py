"""Trackings side by side: plot, table, customers in common, file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import cast
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from regulars.tracking.comparison import Measure, View
from regulars.web.deps import SignedIn
from regulars.web.files import figures_file
from regulars.web.i18n import N_
from regulars.web.pages.tracking import POPULATIONS, STATUSES
from regulars.web.plots import Series, plot_spec
from regulars.web.trackings import compared, rounded

router = APIRouter(prefix="/tracking")

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
#: In what compared trackings differ.
DIFFERENCES = {
    "lengths": N_("The periods have different lengths."),
    "days": N_("Their periods are not the same days."),
    "populations": N_("Not the same customers count in all of them."),
    "zones": N_("Their days begin in different time zones."),
    "currencies": N_("Their money is in different currencies."),
}


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
    is_money = measure != "orders" and view != "index"
    scale = 10**visit.say.currency_digits if is_money else 1
    drawn = [(name, [_scaled(one, scale) for one in values]) for name, values in side.series]
    if query.get("format") == "csv":
        return figures_file(visit, visit.shop, "comparison", _lines(side.labels, drawn))
    form = visit.shop.currency if is_money else "number"
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
        labels=[visit.say.day(date.fromisoformat(one)) for one in side.labels]
        if align == "date"
        else side.labels,
        series=side.series,
        spec=plot_spec("line", side.labels, drawn, form),
        warnings=[visit.say(DIFFERENCES[one]) for one in side.differences],
        overlap=side.overlap,
        state=urlencode(query.multi_items()),
    )


def _scaled(value: float | None, scale: int) -> float | None:
    return None if value is None else round(value / scale, 6)


def _lines(labels: Sequence[str], series: Sequence[Series]) -> Iterator[Sequence[object]]:
    """Yield a heading and a line per day."""
    yield "day", *(name for name, _ in series)
    for number, label in enumerate(labels):
        yield label, *(values[number] for _, values in series)
