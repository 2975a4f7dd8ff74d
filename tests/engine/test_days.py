"""Days of a zone: gaps, overlaps, left-out days, and the ends of the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.engine.days import day_end, day_start, local_day, local_instant, shift
from tests.engine.pool import ZONES
from tests.exploring import looking


def hours(day: date, zone: str) -> float:
    start, end = day_start(day, ZoneInfo(zone)), day_end(day, ZoneInfo(zone))
    assert end is not None
    return (end - start) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("day", "zone", "expected"),
    [
        (date(2024, 3, 10), "America/New_York", 23),
        (date(2024, 11, 3), "America/New_York", 25),
        (date(2024, 3, 31), "Europe/Berlin", 23),
        (date(2024, 10, 27), "Europe/Berlin", 25),
        (date(2024, 4, 7), "Australia/Lord_Howe", 24.5),
        (date(2024, 3, 15), "Asia/Tokyo", 24),
        # Midnight itself is skipped: the day starts at 01:00 ...
        (date(2018, 11, 4), "America/Sao_Paulo", 23),
        # ... and Samoa left out 30 December 2011 altogether.
        (date(2011, 12, 30), "Pacific/Apia", 0),
        # Half an hour before midnight to half an hour after it.
        (date(1919, 3, 31), "America/Toronto", 23.5),
    ],
)
def test_a_day_has_the_hours_its_zone_gives_it(day: date, zone: str, expected: float) -> None:
    assert expected == hours(day, zone)


def test_a_day_without_midnight_starts_when_its_clock_starts() -> None:
    zone = ZoneInfo("America/Sao_Paulo")

    assert datetime(2018, 11, 4, 3, tzinfo=UTC) == day_start(date(2018, 11, 4), zone)
    assert date(2018, 11, 4) == local_day(datetime(2018, 11, 4, 3, tzinfo=UTC), zone)
    assert date(2018, 11, 3) == local_day(datetime(2018, 11, 4, 2, 59, 59, tzinfo=UTC), zone)


def test_a_time_in_a_gap_is_the_end_of_the_gap() -> None:
    zone = ZoneInfo("America/New_York")

    assert datetime(2024, 3, 10, 7, tzinfo=UTC) == local_instant(datetime(2024, 3, 10, 2, 30), zone)  # noqa: DTZ001


def test_a_time_shown_twice_is_the_first_of_the_two() -> None:
    zone = ZoneInfo("America/New_York")

    assert datetime(2024, 11, 3, 5, 30, tzinfo=UTC) == local_instant(
        datetime(2024, 11, 3, 1, 30),  # noqa: DTZ001
        zone,
    )


@given(day=st.dates(date(1970, 1, 1), date(2100, 1, 1)), zone=st.sampled_from(ZONES))
@looking(60)
def test_an_instant_lies_in_the_day_that_starts_before_it(day: date, zone: ZoneInfo) -> None:
    start, end = day_start(day, zone), day_end(day, zone)
    assert end is not None

    assert day == local_day(start, zone)
    assert day == local_day(end - timedelta(microseconds=1), zone)
    assert day != local_day(start - timedelta(microseconds=1), zone)


@pytest.mark.parametrize(
    ("day", "amount", "unit", "expected"),
    [
        (date(2021, 5, 15), -7, "d", date(2021, 5, 8)),
        (date(2024, 3, 31), -1, "m", date(2024, 2, 29)),
        (date(2023, 3, 31), -1, "m", date(2023, 2, 28)),
        (date(2024, 2, 29), 1, "y", date(2025, 2, 28)),
        (date(2024, 2, 29), -4, "y", date(2020, 2, 29)),
        (date(2024, 1, 31), 13, "m", date(2025, 2, 28)),
        (date(2024, 1, 1), -2, "w", date(2023, 12, 18)),
        (date(2024, 1, 1), -99_999, "y", date.min),
        (date(2024, 1, 1), 99_999, "m", date.max),
        (date(2024, 1, 1), 9_999_999, "d", date.max),
    ],
)
def test_moving_a_day(day: date, amount: int, unit: str, expected: date) -> None:
    assert expected == shift(day, amount, unit)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_ends_of_the_calendar_have_bounds_in_every_zone(zone: str) -> None:
    info = ZoneInfo(zone)

    assert day_start(date.min, info) < day_start(date(1, 1, 3), info)
    assert day_end(date.max, info) is None
    assert day_start(date.max, info) > day_start(date(9999, 12, 29), info)
