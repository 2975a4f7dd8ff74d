"""Choosing among a shop's trackings: by segment, by days, by status, by part of a name. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from regulars.office.models.trackings import RevenueTracking
from regulars.tracking.trackings import Status, standing

#: How a tracking's period meets the chosen days: some day of both, or none outside of them.
Meets = Literal["overlaps", "within"]
#: Days chosen by one word.
Preset = Literal["next_30", "last_30", "last_90", "last_365"]
#: The first and the last day of each, counted from today.
PRESETS: Mapping[Preset, tuple[int, int]] = {
    "next_30": (0, 29),
    "last_30": (-29, 0),
    "last_90": (-89, 0),
    "last_365": (-364, 0),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a tracking has to be to be listed; what is empty lets everything through."""

    segment_ids: frozenset[int] = frozenset()
    first: date | None = None
    last: date | None = None
    meets: Meets = "overlaps"
    status: Status | None = None
    #: Part of the tracking's or its segment's name.
    words: str = ""

    def lets(self, tracking: RevenueTracking, now: datetime) -> bool:
        """Whether a tracking is chosen."""
        words = self.words.strip().casefold()
        return (
            (not self.segment_ids or tracking.segment_id in self.segment_ids)
            and self._meets(tracking.starts_on, tracking.ends_on)
            and (self.status is None or standing(tracking, now).status == self.status)
            and (words in tracking.name.casefold() or words in tracking.segment_name.casefold())
        )

    def _meets(self, starts_on: date, ends_on: date) -> bool:
        left, right = (starts_on, ends_on) if self.meets == "within" else (ends_on, starts_on)
        return (self.first is None or left >= self.first) and (
            self.last is None or right <= self.last
        )


def preset_days(preset: Preset, today: date) -> tuple[date, date]:
    """Return the days that a word stands for.

    >>> preset_days("last_30", date(2026, 11, 30))
    (datetime.date(2026, 11, 1), datetime.date(2026, 11, 30))
    """
    first, last = PRESETS[preset]
    return today + timedelta(days=first), today + timedelta(days=last)
