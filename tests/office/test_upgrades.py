"""An upgrade keeps everything: also one that is killed in the middle, at whatever statement."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from alembic import command

from regulars.office import Office
from regulars.office.database import alembic_config, newest_revision, revision_of
from regulars.warehouse import opening
from tests.exploring import DEEP
from tests.office.upgrading import OFFICE, WAREHOUSE

#: Rows of each table, by name; a row is its values by column.
Kept = Mapping[str, list[dict[str, Any]]]
#: Values of the oldest version that mean something to those who read them.
TOLD = {"time_zone": "Asia/Tokyo", "currency": "JPY", "kind": "shopify", "universe": "all"}


#: Whatever is a number is 1, so that each row belongs to the others.
OF_TYPE = {
    bool: True,
    int: 1,
    float: 1.0,
    date: date(2026, 3, 1),
    datetime: datetime(2026, 3, 1, 9),  # noqa: DTZ001 - as it is stored
    bytes: b"12345678901234567890123456789012",
    dict: [],
}


def value_of(table: str, column: sa.Column[Any]) -> Any:
    """A value that a column may have."""
    told = f"{table}.{column.name}"[: getattr(column.type, "length", None) or 60]
    return TOLD.get(column.name, OF_TYPE.get(column.type.python_type, told))


def old_office(path: Path) -> None:
    """Make an office of the first revision with a row in every table."""
    office = Office(f"sqlite:///{path}")
    with office.engine.connect() as connection:
        command.upgrade(alembic_config(connection), "0001")
    told = sa.MetaData()
    told.reflect(office.engine)
    with office.engine.begin() as connection:
        for table in told.sorted_tables:
            if table.name != "alembic_version":
                row = {one.name: value_of(table.name, one) for one in table.columns}
                connection.execute(table.insert().values(row))
    office.close()


def old_warehouse(path: Path) -> None:
    """Make a warehouse of the first schema with a row in its log and a customer."""
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute(opening._text("schema.sql"))
        connection.execute("DROP TABLE segment_days; DROP TABLE list_log")
        connection.execute("INSERT INTO meta VALUES ('schema_version', '1'), ('data_version', '7')")
        connection.execute(
            "INSERT INTO membership_log (segment_id, customer_no, happened_at, joined, cause,"
            " version) VALUES (1, 0, TIMESTAMP '2026-03-01', true, 'order', 1)"
        )


def rows_of_office(path: Path) -> Kept:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]
            for (name,) in names
            if name not in ("alembic_version", "sqlite_sequence")
        }


def rows_of_warehouse(path: Path) -> Kept:
    with closing(duckdb.connect(str(path))) as connection:
        names = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE NOT internal"
        ).fetchall()
        found: dict[str, list[dict[str, Any]]] = {}
        for (name,) in names:
            told = connection.execute(f'SELECT * FROM "{name}"')
            columns = [column for column, *_ in told.description]
            found[name] = [dict(zip(columns, row, strict=True)) for row in told.fetchall()]
        return found


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of the oldest version, and one for each place at which its upgrade was killed."""
    base = tmp_path_factory.mktemp("upgrades")
    old_office(base / OFFICE)
    old_warehouse(base / WAREHOUSE)
    where = "everywhere" if DEEP else "here and there"
    command = [sys.executable, "-m", "tests.office.upgrading", str(base), where]
    subprocess.run(command, check=True, capture_output=True)
    return base


def killed(homes: Path, what: str) -> list[Path]:
    found = [one for one in homes.glob(f"{what}-*") if one.name != f"{what}-whole"]
    assert len(found) > 3
    return found


def is_kept(before: Kept, after: Kept) -> bool:
    """Whether each row is there with the values it had; a column may have gone, not all of them."""
    for name, rows in before.items():
        for old, new in zip(rows, after[name], strict=True):
            shared = old.keys() & new.keys()
            assert len(shared) > 1, name
            assert {one: old[one] for one in shared} == {one: new[one] for one in shared}, name
    return True


def test_an_office_whose_upgrade_was_killed_is_whole_and_finishes_at_the_next_start(homes):
    before = rows_of_office(homes / OFFICE)
    assert all(before.values()), [name for name, rows in before.items() if not rows]
    found = set()
    for home in killed(homes, "office"):
        office = Office(f"sqlite:///{home / OFFICE}")
        with office.engine.connect() as connection:
            found.add(revision_of(connection))
        office.migrate()
        with office.engine.connect() as connection:
            assert revision_of(connection) == newest_revision()
        office.close()
        assert is_kept(before, rows_of_office(home / OFFICE)), home.name

    # It was done as a whole or not at all.
    assert found == {"0001", newest_revision()}


def test_a_warehouse_whose_upgrade_was_killed_is_whole_and_finishes_at_the_next_start(homes):
    before = dict(rows_of_warehouse(homes / WAREHOUSE))
    told = {row["name"]: row["value"] for row in before.pop("meta")}
    assert (told["schema_version"], len(before["membership_log"])) == ("1", 1)
    for home in killed(homes, "warehouse"):
        path = home / WAREHOUSE
        opening.open_file(path, home / "incoming", opening.WarehouseSettings()).close()
        after = dict(rows_of_warehouse(path))
        meta = {row["name"]: row["value"] for row in after.pop("meta")}

        assert meta == told | {"schema_version": str(opening.SCHEMA_VERSION)}
        assert is_kept(before, after), home.name
        assert {"segment_days", "list_log"} <= after.keys()
