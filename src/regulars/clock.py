"""The only place that reads the time. Everything else is given an instant or a clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

#: A clock returns the present instant as an aware UTC datetime.
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def is_over(last: datetime | None, pause: timedelta, now: datetime) -> bool:
    """Whether a pause since something was done last is over, if it was ever done.

    It is over too where that instant has not come: the clock was set back.
    """
    return last is None or not now - pause < last <= now


class SettableClock:
    """A clock that stands still until it is moved; for tests, demo and replay."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def __call__(self) -> datetime:
        """Return where the clock stands."""
        return self.instant
