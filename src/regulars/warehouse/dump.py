"""All facts of a warehouse as text that does not depend on numbering, row order or file.

Two warehouses that were told the same, in whatever order, have the same text.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from regulars.warehouse.sql import statements


def dump_facts(cursor: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Give every fact as a line: its table, then its values."""
    for table, statement in statements("dump").items():
        cursor.execute(statement)
        while rows := cursor.fetchmany(10_000):
            for row in rows:
                yield f"{table} {row!r}\n"
