"""What one applied batch changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch changed, for whoever re-evaluates memberships.

    `customer_nos`: customers of whom anything changed, those of moved and deleted orders included.
    `product_ids`: changed products; their buyers are not listed, there may be very many.
    `skipped`: whether all deliveries were applied before, so that nothing was done.
    """

    at: datetime
    customer_nos: frozenset[int] = frozenset()
    order_ids: frozenset[str] = frozenset()
    product_ids: frozenset[str] = frozenset()
    #: Customers who were not known before this batch.
    new_customer_nos: frozenset[int] = frozenset()
    #: Customers who were deleted, merged away or redacted by this batch.
    gone_customer_nos: frozenset[int] = frozenset()
    #: Numbers of the customers whom the batch named by id.
    numbers: Mapping[str, int] = field(default_factory=dict)
    skipped: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.customer_nos or self.order_ids or self.product_ids)


class TouchedCustomers:
    """Whom the latest versions changed, for whoever keeps figures and wants to mend only those."""

    #: A page that has not been looked at for longer is counted anew.
    VERSIONS_MAX = 2_000

    def __init__(self, version: int) -> None:
        self._open: frozenset[int] | None = None
        #: Versions without a gap, the newest last.
        self._known: deque[tuple[int, frozenset[int]]] = deque(maxlen=self.VERSIONS_MAX)
        self._version = version

    def add(self, customer_nos: Iterable[int]) -> None:
        """Tell whom the open transaction touches; without this, its version is not known."""
        self._open = frozenset(customer_nos) | (self._open or frozenset())

    def settle(self, version: int, *, kept: bool) -> None:
        """Close the transaction: what was told belongs to `version`, if that was kept."""
        told, self._open = self._open, None
        if not kept:
            return
        self._version = version
        if told is None:
            self._known.clear()
        else:
            self._known.append((version, told))

    def since(self, version: int) -> frozenset[int] | None:
        """Return who was touched after a version; None where a part of that is not known."""
        known = [(number, told) for number, told in tuple(self._known) if number > version]
        if len(known) != self._version - version:
            return None
        return frozenset().union(*(told for _, told in known))
