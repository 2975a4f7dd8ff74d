"""Differences: which values a complete file of Shopify's told otherwise than we had them.

Looked at inside the load's transaction: what is there before is noted, and compared with what is
there after. Repairing is the load's own work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from regulars.warehouse.sql import statements

#: So many are named; all are counted.
NAMED_MAX: Final = 50
#: The step of a load's steps after which its rows are chosen and nothing is replaced yet.
CHOSEN: Final = {"taken_customers": "customers", "taken_orders": "orders"}
#: What tells of a person is named without its values: reports outlive a redaction.
_PERSONAL: Final = frozenset({"email", "phone", "display_name", "note"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that was different. Instants are UTC, amounts minor units."""

    kind: str
    #: Of the customer or order.
    id: str
    attribute: str
    #: What we had, and what Shopify has; both None where the values tell of a person.
    ours: str | None
    theirs: str | None


def note(cursor: duckdb.DuckDBPyConnection, kind: str) -> None:
    """Keep what is there, before it is replaced."""
    sql = statements("differ")
    for name in (f"note_{kind}", f"texts_of_{kind}", "note_texts"):
        cursor.execute(sql[name])


def differences(cursor: duckdb.DuckDBPyConnection, kind: str) -> tuple[int, Sequence[Difference]]:
    """Return how many noted values are otherwise now, and the first of them."""
    sql = statements("differ")
    cursor.execute(sql[f"differing_{kind}"])
    cursor.execute(sql["differing_texts"])
    ((count,),) = cursor.execute(sql["count"]).fetchall()
    rows = cursor.execute(sql["sample"], {"most": NAMED_MAX}).fetchall()
    return count, tuple(
        Difference(kind, id_, name, *((None, None) if name in _PERSONAL else (ours, theirs)))
        for id_, name, ours, theirs in rows
    )
