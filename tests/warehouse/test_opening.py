"""Opening files: what can go wrong with a file is told with a next step, and nothing is changed."""

import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb
import pytest

from regulars.errors import ConflictError, InputError, LimitError
from regulars.warehouse import Warehouse, Warehouses
from regulars.warehouse.opening import file_problems


def test_a_reader_cannot_write_and_cannot_reach_files(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for statement in (
        "INSERT INTO meta VALUES ('a', 'b')",
        "SET memory_limit = '8GB'",
        "SET enable_external_access = true",
        f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
        f"COPY meta TO '{tmp_path}/out.csv'",
        f"ATTACH '{tmp_path}/other.duckdb' AS other",
        "INSTALL httpfs",
    ):
        with pytest.raises(duckdb.Error), warehouse.reader() as cursor:
            cursor.execute(statement)
    assert not (tmp_path / "out.csv").exists()


def test_a_reader_sees_one_state_while_others_write(warehouse: Warehouse) -> None:
    with warehouse.reader() as cursor:
        before = cursor.execute("SELECT count(*) FROM meta").fetchall()
        warehouse.set_meta("loaded_at", "2024-01-01")
        after = cursor.execute("SELECT count(*) FROM meta").fetchall()

    assert before == after
    assert warehouse.meta("loaded_at") == "2024-01-01"


def test_a_slow_read_is_stopped_with_its_limit_named(warehouse: Warehouse) -> None:
    slow = "SELECT count(*) FROM range(100000) a, range(100000) b WHERE a.range * b.range = 7"
    with (
        pytest.raises(LimitError, match=r"0\.05 seconds"),
        warehouse.reader(seconds=0.05) as cursor,
    ):
        cursor.execute(slow).fetchall()


def test_a_second_transaction_in_one_thread_is_our_own_mistake(warehouse: Warehouse) -> None:
    with (
        warehouse.transaction(),
        pytest.raises(RuntimeError, match="already"),
        warehouse.transaction(),
    ):
        pass
    warehouse.set_meta("still", "usable")


def test_the_data_version_survives_closing(warehouses: Warehouses, tmp_path: Path) -> None:
    with warehouses.of(1).transaction():
        pass
    warehouses.close()
    again = Warehouses(tmp_path / "shops")

    assert again.of(1).data_version == 1
    again.close()


def _hold(path: Path, ready: Connection) -> None:
    connection = duckdb.connect(str(path))
    ready.send("open")
    ready.recv()
    connection.close()


def test_a_file_that_another_process_holds_is_named_with_the_way_out(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    path = tmp_path / "1.duckdb"
    process = multiprocessing.get_context("spawn").Process(target=_hold, args=(path, theirs))
    process.start()
    ours.recv()
    try:
        with pytest.raises(ConflictError) as refused:
            Warehouses(tmp_path).of(1)
    finally:
        ours.send("close")
        process.join()

    assert refused.value.code == "warehouse_in_use"
    assert "running Regulars" in str(refused.value)


def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "1.duckdb"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(InputError) as refused:
        Warehouses(tmp_path).of(1)

    assert refused.value.code == "warehouse_damaged"
    assert path.read_bytes() == b"not a database" * 1000


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError) as refused:
        Warehouses(tmp_path / "file" / "shops").of(1)

    assert refused.value.code == "folder_not_writable"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("IO Error: Could not write file: No space left on device", "disk_full"),
        ("IO Error: Cannot open file: Permission denied", "folder_not_writable"),
        ("IO Error: Read-only file system", "folder_not_writable"),
        ("IO Error: Corrupt database file: computed checksum differs", "warehouse_damaged"),
    ],
)
def test_what_the_system_says_becomes_a_next_step(tmp_path: Path, said: str, code: str) -> None:
    with pytest.raises(InputError) as told, file_problems(tmp_path / "1.duckdb"):
        raise duckdb.IOException(said)

    assert told.value.code == code


def test_a_file_of_a_newer_version_is_refused(warehouses: Warehouses, tmp_path: Path) -> None:
    path = warehouses.of(1).path
    warehouses.close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
    with pytest.raises(ConflictError) as refused:
        Warehouses(path.parent).of(1)

    assert refused.value.code == "warehouse_too_new"
