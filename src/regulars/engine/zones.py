"""The shop's local day inside SQL, from the same zone rules that Python uses.

DuckDB has its own copy of the zone rules, which may be older or newer than Python's. So the offsets
are looked up here and written into the statement as a short list of cases.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlglot import exp

from regulars.engine.predicates import Binds, again, at_least

#: Offsets are exact between these years; orders outside take the nearest offset.
_FIRST = datetime(1990, 1, 1, tzinfo=UTC)
_LAST = datetime(2060, 1, 1, tzinfo=UTC)
_STEP = timedelta(days=20)


@functools.lru_cache(maxsize=64)
def offsets(zone: ZoneInfo) -> tuple[tuple[datetime, int], ...]:
    """Return (from, seconds ahead of UTC) pairs in order; the first holds before it too."""
    found = [(_FIRST, _seconds(_FIRST, zone))]
    at = _FIRST
    while at < _LAST:
        after = at + _STEP
        if _seconds(at, zone) != _seconds(after, zone):
            found.append((_change(at, after, zone), _seconds(after, zone)))
        at = after
    return tuple(found)


def offset_since(zone: ZoneInfo, instant: datetime) -> datetime:
    """Return when the offset that holds at an instant began."""
    known = offsets(zone)
    at = bisect_right(known, instant, key=lambda offset: offset[0])
    return known[max(at, 1) - 1][0]


def _seconds(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """Search the second at which the offset becomes that of `high`."""
    before = _seconds(low, zone)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if _seconds(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


def local_day(
    instant: exp.Expr, zone: ZoneInfo, binds: Binds, until: datetime | None = None
) -> exp.Expr:
    """Return the shop's calendar day of a stored instant, as a DATE.

    `until` says that no instant is later, which spares the cases of the years after it. The newest
    offset is looked at first, as most orders are young.
    """
    (first, *later) = offsets(zone)
    known = [(at, seconds) for at, seconds in later if until is None or at <= until]
    ahead: exp.Expr = exp.Literal.number(first[1])
    if known:
        cases = exp.Case(default=ahead)
        for at, seconds in reversed(known):
            since = at_least(again(instant), binds.instant(at))
            cases = cases.when(since, exp.Literal.number(seconds), copy=False)
        ahead = exp.Paren(this=cases)
    interval = exp.Interval(this=ahead, unit=exp.var("SECOND"))
    return exp.cast(exp.Add(this=again(instant), expression=interval), "DATE", copy=False)
