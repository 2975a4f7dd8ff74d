"""The usual texts of a shop: what its customers order most and where they come from."""

from __future__ import annotations

import duckdb

from regulars.warehouse.sql import statements


def usual_values(cursor: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the most frequent texts by place; "type2" is the second of "type" and so on."""
    found: dict[str, str] = {}
    for place, statement in statements("usual").items():
        for rank, (text,) in enumerate(cursor.execute(statement).fetchall()):
            found[place if rank == 0 else f"{place}{rank + 1}"] = text
    return found
