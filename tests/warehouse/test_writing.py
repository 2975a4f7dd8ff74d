"""Writing: rows added without a statement are rows of the open transaction, and of no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import duckdb
import pytest

from regulars.warehouse import LogEntry, Warehouse
from regulars.warehouse.writing import Writer
from tests.warehouse.test_applying import NOW, order, sums

COLUMNS = ("name", "value")


def names(cursor: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return cursor.execute("SELECT name, value FROM small ORDER BY name").fetchall()


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(
            "CREATE TABLE small (name VARCHAR NOT NULL, value VARCHAR, told_at TIMESTAMP)"
        )
        yield opened


@pytest.fixture
def writer(connection: duckdb.DuckDBPyConnection) -> Writer:
    return Writer(connection.cursor())


def test_rows_belong_to_the_open_transaction_and_are_seen_in_it(writer: Writer) -> None:
    writer.cursor.execute("BEGIN")
    writer.add("small", COLUMNS, [("a", "1"), ("b", None)])
    assert names(writer.cursor) == [("a", "1"), ("b", None)]
    writer.cursor.execute("ROLLBACK")
    assert names(writer.cursor) == []

    writer.cursor.execute("BEGIN")
    writer.add("small", COLUMNS, [("c\0\N{GRINNING FACE}", "")])
    writer.cursor.execute("COMMIT")
    assert names(writer.cursor) == [("c\0\N{GRINNING FACE}", "")]


def test_an_update_changes_the_rows_named_and_their_columns_alone(writer: Writer) -> None:
    at = datetime(2024, 2, 29, 1, 2, 3, 456789)  # noqa: DTZ001 - as the tables hold it
    writer.add("small", (*COLUMNS, "told_at"), [("a", "1", at), ("b", "2", at)])
    writer.update("small", COLUMNS, [("b", "3"), ("z", "9")])

    found = writer.cursor.execute("SELECT * FROM small ORDER BY name").fetchall()
    assert found == [("a", "1", at), ("b", "3", at)]


def test_rows_half_taken_are_written_by_nobody(
    connection: duckdb.DuckDBPyConnection, writer: Writer
) -> None:
    with pytest.raises(duckdb.Error):
        writer.add("small", COLUMNS, [("a", "1"), (None, "2")])
    writer.close()

    following = Writer(connection.cursor())
    following.add("small", COLUMNS, [("b", "1")])
    assert names(connection) == [("b", "1")]


def test_a_warehouse_writes_on_after_a_transaction_that_failed(warehouse: Warehouse) -> None:
    warehouse.apply([order("o1", "1", 1, 500)], at=NOW)
    too_long = LogEntry(2**70, 0, NOW, True, "order", 1)

    def fail(_: duckdb.DuckDBPyConnection, applied: object) -> None:
        warehouse.log([LogEntry(1, 0, NOW, True, "order", 1), too_long])

    with pytest.raises(duckdb.Error):
        warehouse.apply([order("o2", "1", 2, 700)], at=NOW, then=fail)
    assert sums(warehouse, "1") == (1, 500)

    later = NOW + timedelta(days=1)
    warehouse.apply([order("o3", "1", 3, 900)], at=later)
    assert sums(warehouse, "1") == (2, 1400)
    assert warehouse.log_entries() == []


def test_a_log_outside_a_transaction_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(RuntimeError, match="no transaction"):
        warehouse.log([LogEntry(1, 0, NOW, True, "order", 1)])
