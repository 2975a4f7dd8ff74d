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
        self._touches_products = False
        #: The newest version that changed products.
        self._products_version = version

    def add(self, customer_nos: Iterable[int], *, products: bool = False) -> None:
        """Tell whom the open transaction touches; without this, its version is not known."""
        self._open = frozenset(customer_nos) | (self._open or frozenset())
        self._touches_products = self._touches_products or products

    def settle(self, version: int, *, kept: bool) -> frozenset[int] | None:
        """Close the transaction: what was told belongs to `version`, if that was kept.

        Returns whom it touched; None where it did not tell.
        """
        told, self._open = self._open, None
        products, self._touches_products = self._touches_products, False
        if not kept:
            return told
        if products or told is None:
            self._products_version = version
        self._version = version
        if told is None:
            self._known.clear()
        else:
            self._known.append((version, told))
        return told

    def since(self, version: int) -> frozenset[int] | None:
        """Return who was touched after a version; None where a part of that is not known."""
        later = tuple(self._known)
        newest = self._version
        known = later[len(later) - (newest - version) :] if newest > version else ()
        if [number for number, _ in known] != list(range(version + 1, newest + 1)):
            return None
        return frozenset().union(*(told for _, told in known))

    def are_products_as_in(self, version: int) -> bool:
        """Whether products, whose buyers are not told, are known to be as they were then."""
        return version >= self._products_version
