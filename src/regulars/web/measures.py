"""The metrics of a segment as its page shows them: six figures with their change, and plots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from regulars.engine.days import local_day
from regulars.office.models.segments import Segment
from regulars.segments import metrics
from regulars.warehouse.metrics import SegmentDay, read_days
from regulars.web.deps import Visit
from regulars.web.i18n import N_

Kind = Literal["count", "share", "money", "decimal"]

#: The six figures in the order they are shown, with what their values are.
SHOWN: Mapping[str, tuple[str, Kind]] = {
    "customers": (N_("Customers"), "count"),
    "repeat_rate": (N_("Repeat rate"), "share"),
    "lifetime_value": (N_("Lifetime value"), "money"),
    "average_order_value": (N_("Average order value"), "money"),
    "orders_per_customer": (N_("Orders per customer"), "decimal"),
    "purchase_interval_days": (N_("Days between orders"), "decimal"),
}


@dataclass(frozen=True)
class Measure:
    """One figure with its change, as texts."""

    name: str
    label: str
    value: str
    change: str | None


def measures_of(visit: Visit, segment: Segment) -> dict[str, Any]:
    """Return what the tab of metrics shows."""
    shop, warehouse = visit.shop, visit.runtime.warehouse(visit.shop)
    first = local_day(visit.now, shop.zone) - timedelta(days=metrics.DAYS_BACK)
    with warehouse.reader() as cursor:
        days = read_days(cursor, segment.id, first)
    members = visit.runtime.memberships(shop).members(segment.id)
    now = metrics.present_figures(warehouse, shop, members, visit.now)
    change = metrics.change_of(now, days)
    return {
        "measures": [_measure(visit, name, now, change) for name in SHOWN],
        "order_mean": _text(visit, "money", now.order_mean),
        "days": days,
        "unknown_until": _last_unknown(days),
        "plots": _plots(visit, days),
    }


def _measure(
    visit: Visit, name: str, now: metrics.Figures, change: Mapping[str, float | None]
) -> Measure:
    label, kind = SHOWN[name]
    by = change[name]
    told = None
    if by is not None:
        told = ("+" if by > 0 else "−" if by < 0 else "±") + _text(visit, kind, abs(by))
    return Measure(name, visit.say(label), _text(visit, kind, getattr(now, name)), told)


def _text(visit: Visit, kind: Kind, value: float | None) -> str:
    if value is None:
        return "–"
    tellers: Mapping[Kind, Callable[[float], object]] = {
        "count": lambda one: visit.say.number(round(one)),
        "share": visit.say.percent,
        "money": lambda one: visit.say.money(round(one)),
        "decimal": lambda one: f"{one:,.1f}",
    }
    return str(tellers[kind](value))


def _last_unknown(days: Sequence[SegmentDay]) -> date | None:
    unknown = [one.shop_day for one in days if not one.is_past_known]
    return unknown[-1] if unknown else None


def _plots(visit: Visit, days: Sequence[SegmentDay]) -> Sequence[tuple[str, str, dict[str, Any]]]:
    scale = 10**visit.say.currency_digits
    labels = [visit.say.day(one.shop_day) for one in days]

    def spec(name: str, values: Sequence[float], kind: str, form: str) -> dict[str, Any]:
        return {
            "labels": labels,
            "series": [{"name": name, "values": list(values)}],
            "kind": kind,
            "format": form,
        }

    customers, revenue = visit.say("Customers"), visit.say("Revenue by day")
    orders = visit.say("Orders by day")
    return [
        (
            "customers",
            customers,
            spec(customers, [one.sums.customer_count for one in days], "line", "number"),
        ),
        (
            "revenue",
            revenue,
            spec(revenue, [one.day_amount / scale for one in days], "bar", visit.shop.currency),
        ),
        ("orders", orders, spec(orders, [one.day_order_count for one in days], "bar", "number")),
    ]
