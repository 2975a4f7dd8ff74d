"""What the pages of the insights show: figures with labels, plots and links, for one reader."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from regulars import insights
from regulars.language.literals import quoted
from regulars.language.places import place_name
from regulars.office.models.segments import Segment
from regulars.segments import list_segments
from regulars.web import comparing
from regulars.web.deps import Visit
from regulars.web.i18n import N_
from regulars.web.plots import plot_spec
from regulars.web.sankey import sankey

KIND_NAMES = {
    "products": N_("Products bought"),
    "types": N_("Product types bought"),
    "collections": N_("Collections bought from"),
    "vendors": N_("Vendors bought from"),
    "product_tags": N_("Tags of products bought"),
    "discounts": N_("Discount codes used"),
    "channels": N_("Sales channels"),
    "weekdays": N_("Weekdays of orders"),
    "hours": N_("Hours of orders"),
    "spend": N_("Total spent"),
    "order_counts": N_("Number of orders"),
    "gaps": N_("Days between orders"),
    "tags": N_("Customer tags"),
    "regions": N_("Regions of the addresses"),
}
ORDER_NAMES = {
    "all": N_("All orders"),
    "first": N_("The first order"),
    "second": N_("The second order"),
    "repeat": N_("Every order after the first"),
    "latest": N_("The latest order"),
}
BY_NAMES = {
    "month": N_("Month after month"),
    "order": N_("Order after order"),
}
WEEKDAYS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"),
    N_("Sunday"),
)  # fmt: skip
#: As many bars as can be told apart; a distribution is shown whole.
BARS_MAX = 12
#: The latest cohorts have a line of their own in the plot.
LINES_MAX = 6
HEAT_STEPS = 8
#: How many others a segment's own page compares it with before anybody has chosen.
BESIDE_AT_FIRST = 5
#: The shortest past that the log or an order may tell of.
FIRST_DAY = date(1990, 1, 1)


def overlap_values(visit: Visit, chosen: Sequence[Segment]) -> dict[str, Any]:
    """Return the matrix of these segments, with a link that makes a segment of each cell."""
    found = comparing.overlap_of(visit.runtime, visit.shop, chosen)
    ids = [one.id for one in chosen]
    names = [one.name for one in chosen]
    return {
        "chosen": chosen,
        "found": found,
        "links": {(a.id, b.id): _both(a, b) for a in chosen for b in chosen},
        "only_links": {a.id: _only(visit, a, [b for b in chosen if b is not a]) for a in chosen},
        "heat": {
            (a, b): heat(found.counts[a][b], found.counts[a][a]) if a != b else 0
            for a in ids
            for b in ids
        },
        "spec": plot_spec(
            "bar",
            names,
            (
                (visit.say("Customers"), [found.counts[one][one] for one in ids]),
                (visit.say("Only in this one"), [found.only[one] for one in ids]),
            ),
            across=True,
        ),
        "csv_address": _csv("/insights", [("segment", one) for one in ids]),
    }


def features_values(visit: Visit, segment: Segment) -> dict[str, Any]:
    """Return a segment beside everybody by the kind of value that was asked for."""
    kind = _choice(visit, "kind", insights.KINDS)
    takes_orders = kind in insights.KINDS_OF_ORDERS
    orders = _choice(visit, "orders", insights.ORDERS) if takes_orders else "all"
    found = comparing.features_of(visit.runtime, visit.shop, segment, kind=kind, orders=orders)
    rows = [(value_name(visit, kind, one.value), one) for one in found.rows]
    is_whole = kind in insights.DISTRIBUTIONS
    shown = rows if is_whole else rows[:BARS_MAX]
    asked = [("segment", segment.id), ("kind", kind), ("orders", orders)]
    return {
        "compared": found,
        "rows": rows,
        "kind": kind,
        "kind_name": visit.say(KIND_NAMES[kind]),
        "kinds": _shown(visit, KIND_NAMES),
        "orders": orders,
        "orders_shown": _shown(visit, ORDER_NAMES) if takes_orders else (),
        "is_distribution": is_whole,
        "spec": plot_spec(
            "bar",
            [name for name, _one in shown],
            (
                (segment.name, [_percent(one.member_share) for _name, one in shown]),
                (visit.say("Everybody"), [_percent(one.everybody_share) for _name, one in shown]),
            ),
            "percent",
            across=not is_whole,
        ),
        "csv_address": _csv("/insights/features", asked),
    }


def cohorts_values(visit: Visit, segment: Segment | None) -> dict[str, Any]:
    """Return cohorts: who bought again, and revenue per customer added up."""
    by: insights.By = "order" if visit.request.query_params.get("by") == "order" else "month"
    found = comparing.cohorts_of(visit.runtime, visit.shop, segment, by=by, now=visit.now)
    rows = [insights.together(found), *found] if found else []
    heads = _cohort_heads(visit, by)
    lines = rows[:1] + found[-LINES_MAX + 1 :]
    # A first order is no information; the plot begins after it.
    again = {
        cohort_name(visit, one): [share(one.buyers[at], one.known[at]) for at in range(len(heads))]
        for one in lines
    }
    scale = 10**visit.say.currency_digits
    each = {
        cohort_name(visit, one): [
            None if one.revenue[at] is None else _per(one.revenue[at], one.known[at], scale)
            for at in range(len(heads))
        ]
        for one in lines
    }
    asked = [("segment", segment.id)] if segment else []
    return {
        "rows": rows,
        "by": by,
        "ways": _shown(visit, BY_NAMES),
        "heads": [(head, "number") for head in heads],
        "cohort_name": lambda one: cohort_name(visit, one),
        "heat_of": heat,
        "again_spec": plot_spec("line", heads, again.items(), "percent"),
        "value_spec": plot_spec("line", heads, each.items(), visit.shop.currency),
        "csv_address": _csv("/insights/cohorts", [*asked, ("by", by)]),
    }


def journey_values(visit: Visit, chosen: Sequence[Segment]) -> dict[str, Any]:
    """Return who moved between these segments in a period."""
    today = visit.say.local(visit.now).date()
    until = min(_day(visit, "until", today), today)
    since = min(_day(visit, "since", today - timedelta(days=29)), until)
    moves = comparing.journey_of(
        visit.runtime, visit.shop, chosen, since=since, until=until, now=visit.now
    )
    asked = [("segment", one.id) for one in chosen]
    presets = [
        (n, urlencode([*asked, ("since", today - timedelta(days=n - 1)), ("until", today)]))
        for n in (7, 30, 90, 365)
    ]
    return {
        "chosen": chosen,
        "moves": moves,
        "since": since,
        "until": until,
        "today": today,
        "presets": presets,
        "days_count": (until - since).days + 1 if until == today else None,
        "first_made": max((one.created_at for one in chosen), default=None),
        "drawing": _drawing(visit, chosen, moves),
        "csv_address": _csv("/insights/journey", [*asked, ("since", since), ("until", until)]),
    }


def insights_of_segment(visit: Visit, segment: Segment, tab: str) -> dict[str, Any]:
    """Return what one of the insights tells on a segment's own page."""
    with visit.runtime.office.reading() as session:
        known = [one for one in list_segments(session, visit.shop) if one.id != segment.id]
    wanted = set(visit.request.query_params.getlist("with"))
    others = [one for one in known if str(one.id) in wanted] or known[:BESIDE_AT_FIRST]
    others = others[: insights.SEGMENTS_MAX - 1]
    given: dict[str, Any] = {
        "of": segment,
        "known": known,
        "chosen": [segment],
        "chosen_ids": {one.id for one in others},
        "most": insights.SEGMENTS_MAX,
        "action": f"/segments/{segment.id}",
    }
    if tab == "overlap":
        return {**given, **overlap_values(visit, [segment, *others])}
    if tab == "features":
        return {**given, **features_values(visit, segment)}
    return {**given, **cohorts_values(visit, segment)}


def heat(count: int | None, whole: int) -> int:
    """Return how dark a cell of a matrix is, 0 to 8, by its share of the whole."""
    if not count or not whole:
        return 0
    return max(1, round(HEAT_STEPS * min(count / whole, 1)))


def cohort_name(visit: Visit, one: insights.Cohort) -> str:
    """Return the month of a row as the reader writes it."""
    if not one.month:
        return visit.say("All months")
    return visit.say.month(date.fromisoformat(f"{one.month}-01"))


def value_name(visit: Visit, kind: str, value: str) -> str:
    """Return a value of a feature in words."""
    say = visit.say
    if kind == "weekdays":
        return say(WEEKDAYS[int(value) - 1])
    if kind == "hours":
        return say("{hour}:00", hour=value)
    if kind == "regions":
        attribute = "customer_regions" if "-" in value else "customer_countries"
        return place_name(attribute, value, visit.language) or value
    if kind == "order_counts":
        return say("{count} or more", count=value) if value == "10" else value
    if kind in insights.STEPS:
        return _step_name(visit, kind, int(value))
    return value


def _step_name(visit: Visit, kind: str, low: int) -> str:
    say, steps = visit.say, insights.STEPS[kind]
    high = next((step for step in steps if step > low), None)
    if kind == "gaps":
        if high is None:
            return say("{low} days or more", low=say.number(low))
        return say("{low} to under {high} days", low=say.number(low), high=say.number(high))
    if low == 0:
        return say("nothing")
    if high is None:
        return say("{low} or more", low=say.money(low))
    if low == 1:
        return say("under {high}", high=say.money(high))
    return say("{low} to under {high}", low=say.money(low), high=say.money(high))


def share(count: int | None, whole: int) -> float | None:
    """Return a share as a percentage for a plot; None where it is not known."""
    return None if count is None or not whole else _percent(count / whole)


def _per(amount: int | None, whole: int, scale: int) -> float | None:
    return None if amount is None or not whole else round(amount / whole / scale, 2)


def _percent(part: float) -> float:
    return round(part * 100, 1)


def _cohort_heads(visit: Visit, by: insights.By) -> list[str]:
    columns = range(insights.COLUMNS[by])
    if by == "month":
        return [f"+{at}" for at in columns]
    return [visit.say("Order {number}", number=at + 1) for at in columns]


def _drawing(visit: Visit, chosen: Sequence[Segment], moves: insights.Moves) -> Any:
    names = [*(one.name for one in chosen), visit.say("None of these")]
    none = len(chosen)
    flows = {
        (a, b): moves.moved[first.id][second.id]
        for a, first in enumerate(chosen)
        for b, second in enumerate(chosen)
    }
    flows |= {(a, none): moves.gone[one.id] for a, one in enumerate(chosen)}
    flows |= {(none, b): moves.new[one.id] for b, one in enumerate(chosen)}
    gone, new = sum(moves.gone.values()), sum(moves.new.values())
    return sankey(
        names,
        flows,
        at_start=[*(moves.at_start[one.id] for one in chosen), new],
        at_end=[*(moves.at_end[one.id] for one in chosen), gone],
    )


def _shown(visit: Visit, names: dict[str, str]) -> list[tuple[str, str]]:
    return [(key, visit.say(text)) for key, text in names.items()]


def _choice(visit: Visit, name: str, known: Sequence[str]) -> str:
    given = visit.request.query_params.get(name, "")
    return given if given in known else known[0]


def _day(visit: Visit, name: str, default: date) -> date:
    try:
        return max(date.fromisoformat(visit.request.query_params.get(name, "")), FIRST_DAY)
    except ValueError:
        return default


def _csv(path: str, asked: Sequence[tuple[str, object]]) -> str:
    return f"{path}?" + urlencode([*asked, ("format", "csv")])


def _both(a: Segment, b: Segment) -> str:
    if a.id == b.id:
        return f"/segments/{a.id}"
    return _new(f"{_in(a)} AND {_in(b)}", f"{a.name} + {b.name}")


def _only(visit: Visit, a: Segment, others: Sequence[Segment]) -> str:
    query = " AND ".join([_in(a), *(f"NOT {_in(one)}" for one in others)])
    return _new(query, visit.say("Only {name}", name=a.name))


def _in(segment: Segment) -> str:
    return f"segment = {quoted(segment.name)}"


def _new(query: str, name: str) -> str:
    return "/segments/new?" + urlencode({"query": query, "name": name[:255]})
