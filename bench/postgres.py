"""A PostgreSQL of the bench's own: started in a temporary folder, tuned, indexed, thrown away."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from rich.console import Console

from regulars.warehouse.warehouse import Warehouse

TABLES = {
    "customers": "customer_no int, email_domain text, language text, account_status text,"
    " email_subscription_status text, order_count int, spent_amount bigint,"
    " first_order_at timestamp, last_order_at timestamp",
    "customer_tags": "customer_no int, tag_key text",
    "addresses": "customer_no int, country_code text, region_code text",
    "orders": "order_id text, customer_no int, processed_at timestamp, cancelled_at timestamp,"
    " is_test boolean, total_amount bigint, refunded_amount bigint, source_name text, app_id text",
    "lines": "order_id text, customer_no int, processed_at timestamp, product_id text, vendor text,"
    " quantity int, amount bigint",
    "product_tags": "product_id text, tag_key text",
}
INDEXES = (
    "customers (customer_no)",
    "customers (order_count) INCLUDE (customer_no)",
    "customers (spent_amount) INCLUDE (customer_no)",
    "customers (last_order_at) INCLUDE (customer_no)",
    "customers (first_order_at) INCLUDE (customer_no)",
    "customer_tags (tag_key, customer_no)",
    "customer_tags (customer_no, tag_key)",
    "addresses (country_code, customer_no)",
    "addresses (lower(region_code), customer_no)",
    "addresses (customer_no)",
    "orders (order_id) INCLUDE (is_test, cancelled_at)",
    "orders (customer_no, processed_at) INCLUDE (order_id, total_amount, is_test, cancelled_at)",
    "orders (processed_at) INCLUDE (customer_no, is_test, cancelled_at)",
    "lines (product_id, processed_at) INCLUDE (customer_no, order_id, quantity, amount)",
    "lines (vendor, processed_at) INCLUDE (customer_no, order_id, amount)",
    "lines (customer_no, product_id)",
    "lines (order_id)",
    "product_tags (tag_key, product_id)",
)
#: Rows that are written together.
ROWS_AT_ONCE = 100_000
SETTINGS = {
    "shared_buffers": "2GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    "effective_cache_size": "6GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "1",
    "fsync": "off",
    "listen_addresses": "",
}


class Postgres:
    """A connection to the running server."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    @property
    def host(self) -> str:
        """Where other connections find the server."""
        return self._connection.info.host

    def ids(self, sql: str) -> np.ndarray[Any, Any]:
        """Return the ids in one value: row by row would be several times slower."""
        text = f"SELECT string_agg(int4send(customer_no), ''::bytea) FROM ({sql}) q"
        with self._connection.cursor(binary=True) as cursor:
            (joined,) = cursor.execute(text).fetchone() or (None,)  # type: ignore[arg-type]
        return np.frombuffer(joined or b"", dtype=">i4")

    def value(self, sql: str) -> Any:
        return self.row(sql, None)[0]

    def row(self, sql: str, values: Mapping[str, object] | None) -> tuple[Any, ...]:
        return self._connection.execute(sql, values).fetchone() or ()  # type: ignore[arg-type]

    def run(self, sql: str) -> None:
        """Do something that gives no answer."""
        self._connection.execute(sql)  # type: ignore[arg-type]

    def rebuild(self, queries: Mapping[int, str]) -> None:
        """Bring kept members to their rules, segment by segment, each in one transaction."""
        for segment_id, sql in queries.items():
            with self._connection.transaction():
                self.run(f"CREATE TEMP TABLE now_in ON COMMIT DROP AS {sql}")
                self._take_over(segment_id, f"segment_id = {segment_id}")

    def follow(self, queries: Mapping[int, str], customer_nos: Sequence[int]) -> None:
        """The same for these customers alone, all segments in one transaction."""
        among = f"customer_no IN ({', '.join(map(str, customer_nos))})"
        with self._connection.transaction():
            self.run("CREATE TEMP TABLE now_in (customer_no int) ON COMMIT DROP")
            for segment_id, sql in queries.items():
                self.run(f"INSERT INTO now_in {only(sql, among)}")
                self._take_over(segment_id, f"segment_id = {segment_id} AND {among}")
                self.run("TRUNCATE now_in")

    def _take_over(self, segment_id: int, which: str) -> None:
        self.run(
            f"INSERT INTO members SELECT DISTINCT {segment_id}, n.customer_no FROM now_in n"
            f" WHERE NOT EXISTS (SELECT 1 FROM members m WHERE m.segment_id = {segment_id}"
            " AND m.customer_no = n.customer_no)"
        )
        self.run(
            f"DELETE FROM members m WHERE {which}"
            " AND NOT EXISTS (SELECT 1 FROM now_in n WHERE n.customer_no = m.customer_no)"
        )

    def fill(
        self,
        warehouse: Warehouse,
        tables: Mapping[str, str] = TABLES,
        indexes: Sequence[str] = INDEXES,
    ) -> None:
        """Copy the bench's tables, index and vacuum them."""
        for table, columns in tables.items():
            names = [one.strip().split()[0] for one in columns.split(",")]
            self._connection.execute(f"CREATE TABLE {table} ({columns})")  # type: ignore[arg-type]
            with (
                self._connection.cursor() as cursor,
                cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy,  # type: ignore[arg-type]
            ):
                for block in text_blocks(warehouse, table, [f"{name}::VARCHAR" for name in names]):
                    copy.write(block)
        for index in indexes:
            self._connection.execute(f"CREATE INDEX ON {index}")  # type: ignore[arg-type]
        self._connection.execute("VACUUM (FREEZE, ANALYZE)")

    @staticmethod
    @contextmanager
    def started(wanted: bool, console: Console) -> Iterator[Postgres | None]:
        """Run a server for the block; None, with the reason said, where that cannot be."""
        account = _account()
        reason = None
        if not wanted:
            reason = "not asked for"
        elif not (shutil.which("initdb") and shutil.which("pg_ctl")):
            reason = "initdb and pg_ctl are not on PATH"
        elif account is None:
            reason = (
                "PostgreSQL does not run as root, and there is no account `postgres` or `nobody`"
            )
        if reason is not None:
            console.print(f"PostgreSQL is left out: {reason}")
            yield None
            return
        folder = Path(tempfile.mkdtemp(prefix="bench-pg-"))
        try:
            yield from _running(folder, account or "")
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def text_blocks(warehouse: Warehouse, table: str, values: Sequence[str]) -> Iterator[str]:
    """Write a table as lines of values between tabs, which PostgreSQL and MariaDB both read.

    DuckDB writes them block by block: row by row takes minutes, and all at once more memory than
    it may use.
    """
    line = " || chr(9) || ".join(f"coalesce({value}, '\\N')" for value in values)
    with warehouse.reader() as reader:
        ((last,),) = reader.execute(f"SELECT max(rowid) FROM {table}").fetchall()
        for start in range(0, (last or 0) + 1, ROWS_AT_ONCE):
            rows = reader.execute(
                f"SELECT string_agg({line}, chr(10)) FROM {table}"
                " WHERE rowid >= $start AND rowid < $stop",
                {"start": start, "stop": start + ROWS_AT_ONCE},
            )
            ((block,),) = rows.fetchall()
            if block is not None:
                yield f"{block}\n"


def only(sql: str, among: str) -> str:
    """Ask a query of the suite of some customers alone, in its inner questions too."""
    for inner in ("FROM customer_tags WHERE ", "FROM addresses WHERE ", "FROM orders o WHERE "):
        sql = sql.replace(inner, f"{inner}{among} AND ")
    sql = sql.replace(" WHERE l.", f" WHERE l.{among} AND l.")
    head, _, rule = sql.partition("FROM customers WHERE ")
    return f"{head}FROM customers WHERE {among} AND ({rule})"


def _account() -> str | None:
    """Return who the server runs as: ourselves unless we are root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    known = {one.pw_name for one in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


def _running(folder: Path, account: str) -> Iterator[Postgres]:
    data = folder / "data"
    if os.geteuid() == 0:
        shutil.chown(folder, account)
    options = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
    _run(account, "initdb", "-D", str(data), "-U", "bench", "-A", "trust", "--no-sync")
    start = ("-o", f"{options} -k {folder}", "-w", "-l", str(folder / "log"), "start")
    _run(account, "pg_ctl", "-D", str(data), *start)
    try:
        address = f"host={folder} user=bench dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            yield Postgres(connection)
    finally:
        _run(account, "pg_ctl", "-D", str(data), "-m", "immediate", "stop")


def _run(account: str, *command: str) -> None:
    name = account if os.geteuid() == 0 else None
    subprocess.run(command, check=True, capture_output=True, user=name, cwd="/")
