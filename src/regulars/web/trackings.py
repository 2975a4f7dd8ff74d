"""What the pages and the API of trackings share: counting many, lift, comparison. Sums only.

No function here returns a customer; sets of customers are met, counted and forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from pyroaring import BitMap
from sqlalchemy import select

from regulars import tracking
from regulars.errors import InputError, problem
from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment, TagHoldout
from regulars.office.models.trackings import RevenueTracking
from regulars.segments import find_segment
from regulars.tracking.comparison import Line, Measure, Measured, View
from regulars.tracking.comparison import compare as compare_lines

if TYPE_CHECKING:
    from regulars.runtime import Runtime

COMPARED_MIN, COMPARED_MAX = 2, 12
#: Shares held out for which the smallest effect is told where no holdout runs yet.
SHARES_SUGGESTED = (0.05, 0.1, 0.2)

#: In what compared trackings differ, so that they do not compare like with like.
Difference = Literal["lengths", "days", "populations", "zones", "currencies"]


@dataclass(frozen=True)
class Row:
    """One tracking with its figures."""

    one: RevenueTracking
    figures: tracking.Figures
    standing: tracking.Standing

    @property
    def headline(self) -> tracking.PopulationFigures:
        """The figures of the population chosen for it."""
        return self.figures.populations[tracking.read_population(self.one.population)]

    @property
    def measured(self) -> Measured:
        """What a comparison looks at: the days so far."""
        shown = max(self.standing.day_no, 1)
        head = self.headline
        return Measured(self.one.name, self.figures.days[:shown], head.days[:shown], head.customers)


@dataclass(frozen=True)
class Compared:
    """Trackings side by side."""

    rows: Sequence[Row]
    labels: Sequence[str]
    series: Sequence[tuple[str, Line]]
    differences: Sequence[Difference]
    #: How many customers each two have in common, who belonged at any time of both periods.
    overlap: Sequence[Sequence[int]]


@dataclass(frozen=True)
class Effect:
    """The smallest difference per customer, in minor units, that a holdout would show."""

    share: float
    treated: int
    held_out: int
    amount: float


@dataclass(frozen=True)
class Outlook:
    """What can be seen in a period to come, judged by what the members spent in as many days."""

    customers: int
    #: What a member spent on average, in minor units.
    mean: float
    effects: Sequence[Effect]
    #: Whether the share is the one that is held out now; else shares are suggested.
    is_held_out: bool


def counted(
    runtime: Runtime, shop: Shop, wanted: Sequence[RevenueTracking], now: datetime
) -> list[Row]:
    """Count trackings now, reading what they share once."""
    counter = tracking.counter_of(runtime.warehouse(shop))
    figures = counter.figures([tracking.asked_of(one, shop.zone) for one in wanted])
    pairs = zip(wanted, figures, strict=True)
    at = tracking.reached(shop, now)
    return [Row(one, found, tracking.standing(one, at)) for one, found in pairs]


def listed(
    runtime: Runtime, shop: Shop, choice: tracking.Choice, now: datetime
) -> list[RevenueTracking]:
    """Return the chosen trackings of a shop, the latest period first."""
    with runtime.office.reading() as session:
        found = tracking.list_trackings(session, shop)
    at = tracking.reached(shop, now)
    return [one for one in found if choice.lets(one, at)]


def tracked_segments(runtime: Runtime, shop: Shop, wanted: Sequence[str]) -> frozenset[int]:
    """Return the segments named by id or name, those that only trackings remember included."""
    with runtime.office.reading() as session:
        known = {one.segment_id: one.segment_name for one in tracking.list_trackings(session, shop)}
        found = set()
        for text in wanted:
            ids = {number for number, name in known.items() if text in {str(number), name}}
            found |= ids or {find_segment(session, shop, text).id}
    return frozenset(found)


def compared(
    runtime: Runtime,
    shop: Shop,
    ids: Sequence[int],
    measure: Measure,
    view: View,
    *,
    by_date: bool,
    now: datetime,
) -> Compared:
    """Put two to twelve trackings side by side; raises InputError for fewer and more."""
    wanted = list(dict.fromkeys(ids))
    if not COMPARED_MIN <= len(wanted) <= COMPARED_MAX:
        template = "Choose {least} to {most} trackings to compare; {count} are chosen."
        raise InputError(
            problem(
                "compare_count",
                template,
                field="ids",
                least=COMPARED_MIN,
                most=COMPARED_MAX,
                count=len(wanted),
            )
        )
    with runtime.office.reading() as session:
        found = [tracking.find_tracking(session, shop, one) for one in wanted]
    rows = counted(runtime, shop, found, now)
    labels, series = compare_lines([row.measured for row in rows], measure, view, by_date=by_date)
    counter = tracking.counter_of(runtime.warehouse(shop))
    sets = counter.customers([tracking.asked_of(one, shop.zone) for one in found])
    overlap = [[left.intersection_cardinality(right) for right in sets] for left in sets]
    return Compared(rows, labels, series, _differences(found), overlap)


def _differences(found: Sequence[RevenueTracking]) -> list[Difference]:
    looks: dict[Difference, set[object]] = {
        "lengths": {one.ends_on - one.starts_on for one in found},
        "days": {(one.starts_on, one.ends_on) for one in found},
        "populations": {one.population for one in found},
        "zones": {one.time_zone for one in found},
        "currencies": {one.currency for one in found},
    }
    return [name for name, values in looks.items() if len(values) > 1]


def lift_of(
    runtime: Runtime, shop: Shop, row: RevenueTracking
) -> tuple[tracking.Lift | None, float | None]:
    """Return the lift over customers held out of the segment's tags, and what could be seen.

    The smallest detectable effect comes from what the same customers spent in as many days before.
    """
    warehouse, asked = runtime.warehouse(shop), tracking.asked_of(row, shop.zone)
    start, end = asked.bounds
    held = _held_out(runtime, shop, row.segment_id, start, end)
    if not held:
        return None, None
    members = tracking.counter_of(warehouse).members(asked)
    held &= members
    treated = members - held
    with warehouse.reader() as cursor:
        sides = [tracking.spending(cursor, side, start, end) for side in (treated, held)]
        history = tracking.spending(cursor, members, start - (end - start), start)
    effect = tracking.smallest_effect(history, len(treated), len(held))
    return tracking.lift(*sides), effect


def outlook(
    runtime: Runtime, shop: Shop, segment: Segment, day_count: int, now: datetime
) -> Outlook:
    """Tell what a holdout would show in so many days, by what the members spent in as many."""
    warehouse = runtime.warehouse(shop)
    members = BitMap(runtime.memberships(shop).members(segment.id))
    with warehouse.reader() as cursor:
        history = tracking.spending(cursor, members, now - timedelta(days=day_count), now)
    held = len(_held_out(runtime, shop, segment.id, now, now) & members)
    sizes = [held] if held else [round(len(members) * share) for share in SHARES_SUGGESTED]
    effects = []
    for size in sizes:
        treated = len(members) - size
        amount = tracking.smallest_effect(history, treated, size)
        if amount is not None:
            effects.append(Effect(size / len(members), treated, size, amount))
    return Outlook(len(members), history.mean, effects, is_held_out=bool(held))


def _held_out(
    runtime: Runtime, shop: Shop, segment_id: int, start: datetime, end: datetime
) -> BitMap:
    """Return who was held out of the segment's tags at any instant of [start, end]."""
    with runtime.office.reading() as session:
        ids = session.scalars(
            select(TagHoldout.customer_id)
            .join(TagAssignment, TagAssignment.id == TagHoldout.assignment_id)
            .where(
                TagAssignment.shop_id == shop.id,
                TagAssignment.segment_id == segment_id,
                TagHoldout.since <= end,
                TagHoldout.until.is_(None) | (TagHoldout.until > start),
            )
        ).all()
    return BitMap(runtime.warehouse(shop).customer_nos(set(ids)).values())


def rounded(value: Fraction) -> int:
    """Return the nearest whole minor unit, halves away from zero."""
    half = Decimal(value.numerator) / Decimal(value.denominator)
    return int(half.to_integral_value("ROUND_HALF_UP"))
