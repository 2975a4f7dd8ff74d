"""Calendar arithmetic of the shop: which instants belong to which local day.

A day may have 23, 24 or 25 hours, and a zone may leave a day out. Everything is exact for the years
0001 to 9999; a bound outside them is None, which means unbounded.
"""

from __future__ import annotations

import calendar
import functools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return the calendar day of an instant in a zone; years outside 1 to 9999 stay at the edge."""
    try:
        return instant.astimezone(zone).date()
    except OverflowError:
        return date.min if instant.year == 1 else date.max


@functools.lru_cache(maxsize=16_384)
def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local day in UTC.

    Where the zone skips midnight the day starts at the first instant after the gap; a day that the
    zone leaves out altogether starts where the next one does. Edges of the calendar are clamped.
    """
    return local_instant(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001


def day_end(day: date, zone: ZoneInfo) -> datetime | None:
    """Return the first instant after a local day, or None after the last day there is."""
    return None if day == date.max else day_start(day + DAY, zone)


def local_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the zone's clock shows `wall`, or the first one after it.

    A time that the clock shows twice is the earlier of the two; one in a gap is the end of the gap.
    """
    try:
        earlier = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if earlier.astimezone(zone).replace(tzinfo=None) == wall:
            return earlier
        return _gap_end(wall, zone, earlier)
    except OverflowError:
        edge = datetime.min if wall.year == 1 else datetime.max  # noqa: DTZ901
        return edge.replace(tzinfo=UTC)


def _gap_end(wall: datetime, zone: ZoneInfo, after: datetime) -> datetime:
    """Search the transition whose gap holds `wall`: the first second showing a later wall time."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    low, high = 0, int((after - before).total_seconds())
    while low < high:
        middle = (low + high) // 2
        if (before + middle * SECOND).astimezone(zone).replace(tzinfo=None) >= wall:
            high = middle
        else:
            low = middle + 1
    return before + low * SECOND


def shift(day: date, amount: int, unit: str) -> date:
    """Move a day by days, weeks, calendar months or years.

    A shorter month clamps to its last day: one month after 31 January is 28 or 29 February. Days
    outside the years 1 to 9999 clamp to the first or last day there is.
    """
    if unit in {"d", "w"}:
        ordinal = day.toordinal() + amount * (7 if unit == "w" else 1)
        return date.fromordinal(min(max(ordinal, 1), date.max.toordinal()))
    months = day.year * 12 + day.month - 1 + amount * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    if year < date.min.year:
        return date.min
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def next_midnights(instant: datetime, zone: ZoneInfo, count: int) -> list[tuple[date, datetime]]:
    """Return the next `count` local days after the instant's, each with its first instant."""
    today = local_day(instant, zone)
    last = min(today.toordinal() + count, date.max.toordinal())
    listed = (date.fromordinal(number) for number in range(today.toordinal() + 1, last + 1))
    return [(day, day_start(day, zone)) for day in listed]
