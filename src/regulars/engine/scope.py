"""What a plan is written for: the present or a past instant, the zone, and its bound values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from regulars.engine.predicates import Binds

#: Given a table, a column and folded texts, the stored texts that fold to one of them.
Spellings = Callable[[str, str, tuple[str, ...]], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Scope:
    """One statement in the making.

    `past` is None when nothing in the warehouse is later than the instant: the kept sums are then
    right. Otherwise order rows are looked at as they stood at `past`.
    """

    past: datetime | None
    as_of: datetime
    zone: ZoneInfo
    spellings: Spellings
    binds: Binds = field(default_factory=Binds)
