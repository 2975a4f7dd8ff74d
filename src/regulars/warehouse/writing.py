"""The connection that writes: its cursor, and a standing appender for each table that batches fill.

Planning a statement costs several times what adding a few rows does. An appender is planned once
and adds rows as long as its connection lives, inside whatever transaction is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import duckdb

#: Columns by name, in the order of a row's values.
Columns = tuple[str, ...]
Row = Sequence[Any]


class Writer:
    """What writes to one file, transaction after transaction, until one of them fails."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self.cursor = cursor
        self._appenders: dict[tuple[str, Columns, str | None], duckdb.Appender] = {}

    def add(self, table: str, columns: Columns, rows: Sequence[Row]) -> None:
        """Add rows to a table inside the open transaction; instants as the tables hold them."""
        self._append(table, columns, None, rows)

    def update(self, table: str, columns: Columns, rows: Sequence[Row]) -> None:
        """Change the rows of a table that have the same value in the first of these columns."""
        self._append(table, columns, columns[0], rows)

    def close(self) -> None:
        """Forget what was not written and close the cursor: rows half taken must go nowhere."""
        for end in (*(appender.clear for appender in self._appenders.values()), self.cursor.close):
            # Where the file was given up nothing is left to be forgotten.
            with suppress(duckdb.Error):
                end()
        self._appenders.clear()

    def _append(self, table: str, columns: Columns, key: str | None, rows: Sequence[Row]) -> None:
        if not rows:
            return
        appender = self._appenders.get((table, columns, key))
        if appender is None:
            appender = self._appenders[table, columns, key] = (
                self.cursor.appender(table, columns=list(columns))
                if key is None
                else self.cursor.appender(table, columns=list(columns), action="update", key=[key])
            )
        appender.append_rows(rows)
        appender.flush()
