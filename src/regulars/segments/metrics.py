"""Metrics of a segment: six figures for now and for the end of every day, back to a year ago.

Orders count as they stand when they are counted: neither test nor cancelled, less their refunds.
Days on which the segment existed are read from the membership log; earlier ones are worked out by
the rule as it is now, and marked where a condition's past was not kept. On such earlier days an
order belongs to the segment where its customer was a member when the day began.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pyroaring import BitMap

from regulars.engine import SetEvaluator, unknown_past
from regulars.engine.days import MICROSECOND, day_start, local_day
from regulars.office import Shop
from regulars.segments.definitions import Definition
from regulars.segments.memberships import Memberships
from regulars.warehouse import Warehouse, metrics
from regulars.warehouse.metrics import CustomerSums, SegmentDay, Sums

DAYS_BACK = 365
#: So many days are worked out in one go; then other work has its turn.
DAYS_AT_ONCE = 30
#: The change of a figure is told against its mean over so many days.
DAYS_COMPARED = 7
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """The six figures; money in minor units, None where nobody or nothing is there to divide by."""

    customers: int
    #: Customers with two or more orders ÷ customers.
    repeat_rate: float | None
    #: The mean of total spend.
    lifetime_value: float | None
    #: The mean of each buyer's own mean order.
    average_order_value: float | None
    orders_per_customer: float | None
    #: Days from one order of a customer to the next.
    purchase_interval_days: float | None
    #: Beside the average: money ÷ orders, where who orders often weighs more.
    order_mean: float | None


def figures_of(sums: Sums) -> Figures:
    """Return the figures that follow from sums."""
    days = sums.gap_seconds / 86_400
    return Figures(
        customers=sums.customer_count,
        repeat_rate=_ratio(sums.repeat_count, sums.customer_count),
        lifetime_value=_ratio(sums.spent_amount, sums.customer_count),
        average_order_value=_ratio(sums.mean_sum, sums.buyer_count),
        orders_per_customer=_ratio(sums.order_count, sums.customer_count),
        purchase_interval_days=_ratio(days, sums.gap_count),
        order_mean=_ratio(sums.spent_amount, sums.order_count),
    )


def change_of(now: Figures, days: Sequence[SegmentDay]) -> Mapping[str, float | None]:
    """Return each figure's change against its mean over the last seven days that are known."""
    last = [figures_of(one.sums) for one in days[-DAYS_COMPARED:]]
    told: dict[str, float | None] = {}
    for name in Figures.__slots__:
        known = [value for one in last if (value := getattr(one, name)) is not None]
        value = getattr(now, name)
        told[name] = value - sum(known) / len(known) if known and value is not None else None
    return told


def present_figures(warehouse: Warehouse, shop: Shop, members: BitMap, now: datetime) -> Figures:
    """Return the figures of the members now; as for memberships, everything told today counts."""
    with warehouse.reader() as cursor:
        until = _end(local_day(now, shop.zone), shop)
        return figures_of(CustomerSums(cursor, until).of(members))


def back_fill(
    warehouse: Warehouse,
    evaluator: SetEvaluator,
    memberships: Memberships,
    shop: Shop,
    one: Definition,
    *,
    now: datetime,
    days_back: int = DAYS_BACK,
    was_in_trash: bool = False,
    tell: Callable[[float], object] = lambda _share: None,
) -> int:
    """Work out days before the stored ones by the rule as it is now; return how many.

    The latest first, some at a time, as far as orders reach; 0 when all is done. Of a segment that
    `was_in_trash`, the days that ended there come first: nobody kept who belonged on them.
    """
    today = local_day(now, shop.zone)
    with warehouse.reader() as cursor:
        oldest = metrics.first_order_at(cursor)
        stored = [day.shop_day for day in metrics.read_days(cursor, one.segment_id, date.min)]
    if oldest is None:
        return 0
    reached = max(today - days_back * DAY, local_day(oldest, shop.zone))
    last = min([today, *stored]) - DAY
    if was_in_trash and stored and max(stored) < today - DAY:
        reached = max(reached, max(stored) + DAY)
        last = min(today - DAY, reached + (DAYS_AT_ONCE - 1) * DAY)
    first = max(reached, last - (DAYS_AT_ONCE - 1) * DAY)
    if last < first:
        return 0
    span = _days(first, last)
    found = _worked_out(warehouse, evaluator, memberships, shop, one=one, span=span, tell=tell)
    _keep(warehouse, {one.segment_id: found})
    return len(found)


def _worked_out(
    warehouse: Warehouse,
    evaluator: SetEvaluator,
    memberships: Memberships,
    shop: Shop,
    *,
    one: Definition,
    span: Sequence[date],
    tell: Callable[[float], object],
) -> list[SegmentDay]:
    """Return what a segment was like at the end of each day of a span, by the rule as it is now."""

    def members_at(instant: datetime) -> tuple[BitMap, bool]:
        context = memberships.context(shop, instant)
        return evaluator.members(one.tree, context), not unknown_past(one.tree, context)

    found: list[SegmentDay] = []
    began = day_start(span[0], shop.zone)
    with warehouse.reader() as cursor:
        sums = CustomerSums(cursor, began)
        before, _is_known = members_at(began - MICROSECOND)
        for place, day in enumerate(span):
            end = _end(day, shop)
            count, amount = sums.move_on(end, before)
            before, is_known = members_at(end - MICROSECOND)
            found.append(
                SegmentDay(
                    day,
                    one.version,
                    is_recorded=False,
                    is_past_known=is_known,
                    sums=sums.of(before),
                    day_order_count=count,
                    day_amount=amount,
                )
            )
            tell((place + 1) / len(span))
    return found


def close_days(
    warehouse: Warehouse, shop: Shop, current: Sequence[Definition], *, now: datetime
) -> int:
    """Store the days that ended since the last stored one, by the membership log; return how many.

    Segments without any stored day are left to `back_fill`.
    """
    yesterday = local_day(now, shop.zone) - DAY
    with warehouse.reader() as cursor:
        stored = metrics.last_days(cursor)
        open_days = {
            one: _days(stored[one.segment_id] + DAY, yesterday)
            for one in current
            if one.segment_id in stored and stored[one.segment_id] < yesterday
        }
        if not open_days:
            return 0
        first = min(days[0] for days in open_days.values())
        sums = CustomerSums(cursor, day_start(first, shop.zone))
        found: dict[int, list[SegmentDay]] = {one.segment_id: [] for one in open_days}
        for day in _days(first, yesterday):
            start, end = day_start(day, shop.zone), _end(day, shop)
            sums.move_on(end, BitMap())
            for one, days in open_days.items():
                if day in days:
                    members = warehouse.members_at(one.segment_id, end - MICROSECOND, cursor)
                    count, amount = metrics.at_order_time(cursor, one.segment_id, start, end)
                    found[one.segment_id].append(
                        SegmentDay(
                            day,
                            one.version,
                            is_recorded=True,
                            is_past_known=True,
                            sums=sums.of(members),
                            day_order_count=count,
                            day_amount=amount,
                        )
                    )
    _keep(warehouse, found)
    return sum(len(days) for days in found.values())


def _keep(warehouse: Warehouse, found: Mapping[int, Sequence[SegmentDay]]) -> None:
    with warehouse.transaction(changes_facts=False) as cursor:
        for segment_id, days in found.items():
            metrics.keep_days(cursor, segment_id, days)


def _days(first: date, last: date) -> list[date]:
    return [first + number * DAY for number in range((last - first).days + 1)]


def _end(day: date, shop: Shop) -> datetime:
    return day_start(day + DAY, shop.zone)


def _ratio(upper: float, lower: int) -> float | None:
    return upper / lower if lower else None
