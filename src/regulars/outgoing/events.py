"""Which events there are, and what each one tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from regulars.office import Shop

JOINED: Final = "customers.joined"
LEFT: Final = "customers.left"
TEST: Final = "test"

#: Event → what it means, for the page of the API; told in the reader's language by the web room.
EVENTS: Final[Mapping[str, str]] = {
    JOINED: "customers joined a segment",
    LEFT: "customers left a segment",
    "tag.assigned": "a tag was assigned",
    "tag.failed": "a tag could not be assigned",
    "tag.removed": "a tag was removed",
    "tracking.started": "a revenue tracking began",
    "tracking.finished": "a revenue tracking ended",
    "tracking.cancelled": "a revenue tracking was cancelled",
}
#: What Shopify Flow can be told: its triggers are about one customer.
FLOW_EVENTS: Final = (JOINED, LEFT)

#: So many customers stand in one event; a larger change is several events. 500 numbers are about
#: 8 KB, which every receiver takes.
CUSTOMERS_MAX: Final = 500


def body_of(
    shop: Shop, event: str, event_id: str, happened_at: datetime, data: Mapping[str, object]
) -> dict[str, object]:
    """Return what is sent of an event."""
    return {
        "id": event_id,
        "event": event,
        "shop": shop.name,
        "shop_domain": shop.domain,
        "happened_at": happened_at.isoformat(),
        "data": dict(data),
    }
