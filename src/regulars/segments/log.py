"""The membership log: append-only rows of who joined and left which segment, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from regulars.warehouse import Warehouse

#: Why a customer joined or left.
CAUSES = {
    "order": "an order, a refund or a cancellation",
    "profile": "a change of the customer's profile, tags or consent",
    "product": "a product that was bought got other tags, type or vendor",
    "created": "the segment was made",
    "edited": "the segment's query was edited",
    "day_change": "a new day began",
    "loaded": "the shop's data was loaded or fetched again",
    "part_changed": "a segment that this one is made of changed",
    "deleted": "the customer was deleted or redacted",
    "merged": "the customer was merged with another",
}


class Entry(NamedTuple):
    """One row of the log."""

    segment_id: int
    customer_no: int
    happened_at: datetime
    joined: bool
    #: A key of CAUSES.
    cause: str
    #: The version of the segment's query that decided.
    version: int


def append(warehouse: Warehouse, cursor: DuckDBPyConnection, entries: Sequence[Entry]) -> None:
    """Write rows into the open transaction."""
    if entries:
        warehouse.log(cursor, entries)
