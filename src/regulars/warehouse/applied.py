"""What one applied batch changed."""

from __future__ import annotations

from dataclasses import dataclass
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
    skipped: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.customer_nos or self.order_ids or self.product_ids)
