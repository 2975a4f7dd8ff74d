"""Periods: whole days in one time zone, both ends included, and what is refused (row R2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from regulars.engine.days import day_start
from regulars.errors import InputError, Problem, problem
from regulars.office import Shop
from regulars.segments import day_of

#: A year that has a 29 February.
PERIOD_DAYS_MAX = 366


class SpokenDay(date):
    """A day that stands in an English sentence as 21 November 2026; the web writes it otherwise."""

    @classmethod
    def of(cls, day: date) -> SpokenDay:
        """Return the same day, spoken."""
        return cls(day.year, day.month, day.day)

    def __format__(self, spec: str) -> str:
        return format(date(self.year, self.month, self.day), spec or f"{self.day} %B %Y")


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `starts_on` to `ends_on`, both counted, at `zone`'s midnights."""

    starts_on: date
    ends_on: date
    zone: ZoneInfo

    @property
    def day_count(self) -> int:
        """Return how many days the period has."""
        return (self.ends_on - self.starts_on).days + 1

    @property
    def days(self) -> list[date]:
        """Return the days in order."""
        return [self.starts_on + timedelta(days=n) for n in range(self.day_count)]

    @property
    def starts_at(self) -> datetime:
        """Return the first instant of the period, in UTC."""
        return day_start(self.starts_on, self.zone)

    @property
    def ends_at(self) -> datetime:
        """Return the first instant after the period, in UTC."""
        return day_start(self.ends_on + timedelta(days=1), self.zone)

    def day_bounds(self) -> list[datetime]:
        """Return the first instant of each day, in UTC; days of 23 and 25 hours included."""
        return [day_start(day, self.zone) for day in self.days]


def today_in(zone: ZoneInfo, now: datetime) -> date:
    """Return the day that `now` belongs to."""
    return now.astimezone(zone).date()


def reached(shop: Shop, now: datetime) -> datetime:
    """Return the instant that a shop has come to: now, or the beginning of its day.

    A clock that is set back over midnight does not bring the day before back: what has begun or
    ended by then stays so.
    """
    return max(now, day_start(day_of(shop, now), shop.zone))


def check_period(starts_on: date, ends_on: date, zone: ZoneInfo, now: datetime) -> Period:
    """Return the period, or raise InputError with every rule of R2 that it breaks."""
    period = Period(starts_on, ends_on, zone)
    found = [
        _past_problem(starts_on, today_in(zone, now), zone),
        _order_problem(starts_on, ends_on),
        _length_problem(period),
    ]
    problems = [one for one in found if one is not None]
    if problems:
        raise InputError(*problems)
    return period


def _past_problem(starts_on: date, today: date, zone: ZoneInfo) -> Problem | None:
    if starts_on >= today:
        return None
    return problem(
        "period_in_the_past",
        "The period must start today or later. Today is {today} in your shop's time zone ({zone}).",
        field="starts_on",
        today=SpokenDay.of(today),
        zone=zone.key,
    )


def _order_problem(starts_on: date, ends_on: date) -> Problem | None:
    if ends_on >= starts_on:
        return None
    return problem(
        "period_ends_before_it_starts",
        "The last day ({last}) is before the first day ({first}). Choose a later last day.",
        field="ends_on",
        first=SpokenDay.of(starts_on),
        last=SpokenDay.of(ends_on),
    )


def _length_problem(period: Period) -> Problem | None:
    if period.day_count <= PERIOD_DAYS_MAX:
        return None
    return problem(
        "period_too_long",
        "A tracking can last up to one year ({most} days). This one would last {count} days.",
        field="ends_on",
        most=PERIOD_DAYS_MAX,
        count=period.day_count,
    )


def parse_day(text: str, field: str) -> date:
    """Read a day written as 2026-11-21; raises InputError that names the field."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            problem(
                "unreadable_day",
                '"{text}" is not a day. Write it as year-month-day, such as 2026-11-21.',
                field=field,
                text=text[:40],
            )
        ) from None
