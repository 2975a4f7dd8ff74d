"""The metrics of a segment as its page shows them: six figures with their trend, and plots."""

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
from regulars.web.plots import plot_spec

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
#: How many days a plot can be asked to show.
SPANS = {30: N_("30 days"), 90: N_("90 days"), 365: N_("A year")}
SPAN_DEFAULT = 90
#: The small line beside a figure: how many days, and its box.
SPARK_DAYS = 30
SPARK_WIDTH, SPARK_HEIGHT = 72, 22


@dataclass(frozen=True)
class Measure:
    """One figure with its change and its last days, as texts."""

    name: str
    label: str
    value: str
    #: Against the mean of the last seven days; None where there is none to compare with.
    change: str | None
    #: "up", "down" or "".
    direction: str
    #: The points of a small line; empty where less than two days are known.
    spark: str

    @classmethod
    def named(cls, visit: Visit, name: str) -> Measure:
        """Return a figure that is not known yet."""
        return cls(name, visit.say(SHOWN[name][0]), "–", None, "", "")


@dataclass(frozen=True)
class Day:
    """One row of the table beside a plot."""

    label: str
    value: str
    is_past_known: bool


@dataclass(frozen=True)
class Plot:
    """One plot with its table."""

    key: str
    title: str
    spec: dict[str, Any]
    rows: Sequence[Day]


def measures_of(visit: Visit, segment: Segment) -> Sequence[Measure]:
    """Return the six figures for now, with what the last days say about them."""
    shop, warehouse = visit.shop, visit.runtime.warehouse(visit.shop)
    days = _days(visit, segment, SPARK_DAYS)
    members = visit.runtime.memberships(shop).members(segment.id)
    now = metrics.present_figures(warehouse, shop, members, visit.now)
    change = metrics.change_of(now, days)
    return [_measure(visit, name, now, change[name], days) for name in SHOWN]


def plots_of(visit: Visit, segment: Segment) -> dict[str, Any]:
    """Return what the tab of metrics shows: the figure asked for by day, revenue and orders."""
    query = visit.request.query_params
    span = next((days for days in SPANS if str(days) == query.get("span")), SPAN_DEFAULT)
    days = _days(visit, segment, span)
    of = query.get("of") or ""
    of = of if of in SHOWN else "customers"
    label, kind = SHOWN[of]
    means = [metrics.figures_of(one.sums) for one in days]
    amounts: Sequence[float] = [one.day_amount for one in days]
    counts: Sequence[float] = [one.day_order_count for one in days]
    members = visit.runtime.memberships(visit.shop).members(segment.id)
    warehouse = visit.runtime.warehouse(visit.shop)
    now = metrics.present_figures(warehouse, visit.shop, members, visit.now)
    return {
        "days": days,
        "of": of,
        "span": span,
        "spans": [(one, visit.say(text)) for one, text in SPANS.items()],
        "figures_shown": [(name, visit.say(text)) for name, (text, _kind) in SHOWN.items()],
        "order_mean": text_of(visit, "money", now.order_mean),
        "unknown_until": _last_unknown(days),
        "rule_since": _rule_since(days, segment.version),
        "plots": [
            _plot(visit, (of, visit.say(label), kind), days, [getattr(one, of) for one in means]),
            _plot(visit, ("revenue", visit.say("Revenue by day"), "money"), days, amounts),
            _plot(visit, ("orders", visit.say("Orders by day"), "count"), days, counts),
        ]
        if days
        else (),
    }


def text_of(visit: Visit, kind: Kind, value: float | None) -> str:
    """Write a figure."""
    if value is None:
        return "–"
    tellers: Mapping[Kind, Callable[[float], object]] = {
        "count": lambda one: visit.say.number(round(one)),
        "share": visit.say.percent,
        "money": lambda one: visit.say.money(round(one)),
        "decimal": lambda one: visit.say.number(round(one, 1)),
    }
    return str(tellers[kind](value))


def _days(visit: Visit, segment: Segment, count: int) -> Sequence[SegmentDay]:
    first = local_day(visit.now, visit.shop.zone) - timedelta(days=count)
    with visit.runtime.warehouse(visit.shop).reader() as cursor:
        return read_days(cursor, segment.id, first)


def _measure(
    visit: Visit,
    name: str,
    now: metrics.Figures,
    by: float | None,
    days: Sequence[SegmentDay],
) -> Measure:
    label, kind = SHOWN[name]
    value = getattr(now, name)
    change, direction = None, ""
    if by is not None:
        amount = text_of(visit, kind, abs(by))
        is_none = amount == text_of(visit, kind, 0)
        direction = "" if is_none else "up" if by > 0 else "down"
        change = visit.say("unchanged")
        if direction:
            change = ("+" if direction == "up" else "−") + amount
    values = [getattr(metrics.figures_of(one.sums), name) for one in days]
    return Measure(
        name, visit.say(label), text_of(visit, kind, value), change, direction, _spark(values)
    )


def _spark(values: Sequence[float | None]) -> str:
    """Return points inside a small box, the latest at its right end."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    height = SPARK_HEIGHT - 4
    points = [
        (
            1 + place * (SPARK_WIDTH - 2) / (len(values) - 1),
            2 + (height - (value - low) / (high - low) * height if high > low else height / 2),
        )
        for place, value in known
    ]
    return " ".join(f"{x:.0f},{y:.0f}" for x, y in points)


def _last_unknown(days: Sequence[SegmentDay]) -> date | None:
    unknown = [one.shop_day for one in days if not one.is_past_known]
    return unknown[-1] if unknown else None


def _rule_since(days: Sequence[SegmentDay], version: int) -> date | None:
    """Return the first day of the present rule; None where every day shown follows it."""
    older = [one.shop_day for one in days if one.version != version]
    return older[-1] + timedelta(days=1) if older else None


def _plot(
    visit: Visit,
    named: tuple[str, str, Kind],
    days: Sequence[SegmentDay],
    values: Sequence[float | None],
) -> Plot:
    key, title, kind = named
    scale: float = 10**visit.say.currency_digits if kind == "money" else 1
    # Percent is told of a hundred.
    drawn = [
        None if one is None else one * 100 if kind == "share" else one / scale for one in values
    ]
    labels = [visit.say.day(one.shop_day) for one in days]
    spec = plot_spec(
        "bar" if key in {"revenue", "orders"} else "line",
        labels,
        [(title, drawn)],
        {"money": visit.shop.currency, "share": "percent"}.get(kind, "number"),
        pale=[not one.is_past_known for one in days],
    )
    rows = [
        Day(label, text_of(visit, kind, value), day.is_past_known)
        for label, value, day in zip(labels, values, days, strict=True)
    ]
    return Plot(key, title, spec, rows)
