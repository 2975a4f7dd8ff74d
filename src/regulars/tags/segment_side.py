"""What tag rules need to know of segments: who belongs, and whose membership changed since.

Rules speak to the `Members` protocol, so that thousands of histories can be played without a
warehouse; `SegmentMembers` is the real thing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from pyroaring import BitMap

from regulars.segments import Memberships
from regulars.warehouse import Warehouse
from regulars.warehouse.membership import bitmap_of


class Members(Protocol):
    """The members of one shop's segments, by customer number, and the log of their changes."""

    def members(self, segment_id: int) -> BitMap:
        """Return who belongs now; the caller may change the answer."""

    def customer_ids(self, numbers: Iterable[int]) -> Mapping[int, str]:
        """Return the customers' ids by number."""

    def log_key(self) -> int:
        """Return the newest entry of the log, -1 for none."""

    def touched(self, since: int, segment_ids: Collection[int]) -> BitMap:
        """Return who joined or left these segments after an entry of the log."""


class SegmentMembers:
    """The members in a shop's warehouse."""

    def __init__(self, warehouse: Warehouse, memberships: Memberships) -> None:
        self._warehouse = warehouse
        self._memberships = memberships

    def members(self, segment_id: int) -> BitMap:
        """Return who belongs now; the caller may change the answer."""
        return self._memberships.members(segment_id)

    def customer_ids(self, numbers: Iterable[int]) -> Mapping[int, str]:
        """Return the customers' ids by number."""
        return self._warehouse.customer_ids(numbers)

    def log_key(self) -> int:
        """Return the newest entry of the log, -1 for none."""
        with self._warehouse.reader() as cursor:
            (found,) = cursor.execute("SELECT max(rowid) FROM membership_log").fetchone() or (None,)
        return -1 if found is None else int(found)

    def touched(self, since: int, segment_ids: Collection[int]) -> BitMap:
        """Return who joined or left these segments after an entry of the log."""
        asked: Sequence[int] = list(segment_ids)
        with self._warehouse.reader() as cursor:
            return bitmap_of(
                cursor.execute(
                    "SELECT DISTINCT customer_no FROM membership_log"
                    " WHERE rowid > $1 AND list_contains($2, segment_id)",
                    [since, asked],
                )
            )
