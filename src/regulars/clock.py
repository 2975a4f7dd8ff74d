"""The only place that reads the time. Everything else is given an instant or a clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

#: A clock returns the present instant as an aware UTC datetime.
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


class SettableClock:
    """A clock that stands still until it is moved; for tests, demo and replay."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def __call__(self) -> datetime:
        """Return where the clock stands."""
        return self.instant
