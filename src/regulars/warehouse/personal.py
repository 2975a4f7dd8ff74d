"""What a warehouse holds about one person: read it whole, and blank what redaction leaves open.

The tables are found by their columns, so a new one is never forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from regulars.warehouse.sql import statements


def rows_about(
    cursor: duckdb.DuckDBPyConnection, customer_no: int
) -> dict[str, list[dict[str, Any]]]:
    """Return every row about a customer, by table; tables without any are left out."""
    sql = statements("personal")
    found: dict[str, list[dict[str, Any]]] = {}
    for names, rows in (("tables", "rows"), ("order_tables", "order_rows")):
        for (name,) in cursor.execute(sql[names]).fetchall():
            values = {"name": name, "customer_no": customer_no}
            told = cursor.execute(sql[rows], values)
            columns = [column[0] for column in told.description or ()]
            listed = [dict(zip(columns, row, strict=True)) for row in told.fetchall()]
            if listed:
                found[name] = listed
    return found


def blank(cursor: duckdb.DuckDBPyConnection, customer_no: int) -> None:
    """Blank what orders and lists could still say about a redacted person."""
    sql = statements("personal")
    for name in ("blank_orders", "forget_checked", "forget_listed", "forget_listed_before"):
        cursor.execute(sql[name], {"customer_no": customer_no})


def forget_keys(
    cursor: duckdb.DuckDBPyConnection,
    customer_id: str,
    emails: Sequence[str],
    phones: Sequence[str],
) -> None:
    """Forget rows of files and lists that wait for somebody who is called by one of these."""
    sql = statements("personal")
    for name in ("forget_keys_checked", "forget_keys_listed"):
        cursor.execute(sql[name], {"id": customer_id, "emails": emails, "phones": phones})
