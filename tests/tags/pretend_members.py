"""Segments of tag rules in memory, for thousands of histories: members, and the log of changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pyroaring import BitMap


@dataclass
class PretendMembers:
    """Who belongs to which segment; customers are known by their number as text."""

    belonging: dict[int, set[str]] = field(default_factory=dict)
    #: (segment, customer) of each change.
    log: list[tuple[int, str]] = field(default_factory=list)

    def set(self, segment_id: int, customer_id: str, belongs: bool) -> None:
        """Let a customer join or leave."""
        present = self.belonging.setdefault(segment_id, set())
        if (customer_id in present) is belongs:
            return
        present.symmetric_difference_update({customer_id})
        self.log.append((segment_id, customer_id))

    def forget(self, customer_id: str) -> None:
        """Let a customer who is gone leave everything."""
        for segment_id in self.belonging:
            self.set(segment_id, customer_id, False)

    def members(self, segment_id: int) -> BitMap:
        return BitMap(map(int, self.belonging.get(segment_id, ())))

    def customer_ids(self, numbers: Iterable[int]) -> Mapping[int, str]:
        return {number: str(number) for number in numbers}

    def log_key(self) -> int:
        return len(self.log) - 1

    def touched(self, since: int, segment_ids: Collection[int]) -> BitMap:
        changed = self.log[since + 1 :]
        return BitMap(int(one) for segment_id, one in changed if segment_id in segment_ids)
