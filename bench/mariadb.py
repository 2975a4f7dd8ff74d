"""A MariaDB of the bench's own, and the algorithm by which Mautic keeps its segments on it.

Mautic asks for each segment who matches and is not listed yet, adds them in batches, asks who is
listed and matches no more, and takes them off in batches. Here the batches are written at once and
without Mautic's pauses; its PHP is left out altogether.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.postgres import TABLES, text_blocks
from bench.report import CONSOLE
from regulars.warehouse.warehouse import Warehouse

#: Mautic's own size of a batch.
BATCH = 300
KEYS = (
    "customers (customer_no)",
    "customers (order_count)",
    "customers (spent_amount)",
    "customers (last_order_at)",
    "customer_tags (tag_key, customer_no)",
    "addresses (country_code, customer_no)",
    "orders (order_id, is_test, cancelled_at)",
    "orders (customer_no, processed_at)",
    "orders (processed_at, customer_no)",
    "lines_ (product_id, processed_at, customer_no, order_id)",
    "lines_ (vendor, customer_no, amount, order_id)",
    "product_tags (tag_key, product_id)",
)
LENGTHS = {"text": "varchar(190)", "boolean": "tinyint", "timestamp": "datetime(6)"}
SETTINGS = {
    "innodb_buffer_pool_size": "4G",
    "innodb_log_file_size": "1G",
    "innodb_sort_buffer_size": "64M",
    "innodb_flush_log_at_trx_commit": "0",
    "innodb_doublewrite": "0",
    "tmp_table_size": "256M",
    "max_heap_table_size": "256M",
    "join_buffer_size": "8M",
}
END = "-- end of answer --"


class MariaDB:
    """A client program that is kept open; it reads statements and writes rows as lines."""

    def __init__(self, client: subprocess.Popen[str]) -> None:
        self._client = client

    def rows(self, sql: str) -> list[str]:
        """Run statements; return what they told, a text per row."""
        if self._client.stdin is None or self._client.stdout is None:
            raise RuntimeError("the client has no pipes")
        self._client.stdin.write(f"{sql};\nSELECT '{END}';\n")
        self._client.stdin.flush()
        found = []
        while (line := self._client.stdout.readline().rstrip("\n")) != END:
            if self._client.poll() is not None:
                raise RuntimeError(f"MariaDB did not take: {sql[:200]}")
            found.append(line)
        return found

    def run(self, sql: str) -> None:
        """Do something that gives no answer."""
        self.rows(sql)

    def ids(self, sql: str) -> list[int]:
        """Return one column of numbers."""
        return [int(row) for row in self.rows(named(sql))]

    def fill(self, warehouse: Warehouse, folder: Path) -> None:
        """Copy the bench's tables and index them."""
        for table, columns in TABLES.items():
            names = [one.strip().split()[0] for one in columns.split(",")]
            types = [
                LENGTHS.get(one.strip().split()[1], one.split()[1]) for one in columns.split(",")
            ]
            told = ", ".join(f"{name} {type_}" for name, type_ in zip(names, types, strict=True))
            name = "lines_" if table == "lines" else table
            self.rows(f"CREATE TABLE {name} ({told}) ENGINE=InnoDB")
            path = folder / f"{table}.tsv"
            values = [
                f"{name}::{'INT::VARCHAR' if type_ == 'tinyint' else 'VARCHAR'}"
                for name, type_ in zip(names, types, strict=True)
            ]
            with path.open("w", encoding="utf-8") as file:
                file.writelines(text_blocks(warehouse, table, values))
            self.rows(f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE {name}")
            path.unlink()
        for key in KEYS:
            self.rows(f"CREATE INDEX k{KEYS.index(key)} ON {key}")
        self.rows(
            "CREATE TABLE lead_lists_leads (leadlist_id int, lead_id int, manually_added tinyint"
            " DEFAULT 0, PRIMARY KEY (leadlist_id, lead_id), KEY (lead_id)) ENGINE=InnoDB"
        )
        self.rows("ANALYZE TABLE customers, customer_tags, addresses, orders, lines_, product_tags")

    def list_members(self, segment: int, sql: str) -> None:
        """List everybody who matches, before anything is measured."""
        self.rows(
            f"INSERT INTO lead_lists_leads SELECT DISTINCT {segment}, customer_no, 0"
            f" FROM ({named(sql)}) q"
        )

    def rebuild(self, segment: int, sql: str) -> None:
        """Bring the list of one segment to its rule, as Mautic does it."""
        listed = f"SELECT lead_id FROM lead_lists_leads WHERE leadlist_id = {segment}"
        new = f"SELECT customer_no FROM ({named(sql)}) q WHERE customer_no NOT IN ({listed})"
        old = (
            f"SELECT lead_id FROM lead_lists_leads WHERE leadlist_id = {segment} AND"
            f" manually_added = 0 AND lead_id NOT IN ({named(sql)})"
        )
        # As Mautic does, it counts first and then asks again for each batch.
        for _ in range(_batches(self, new)):
            found = self.rows(f"{new} LIMIT {BATCH}")
            values = ", ".join(f"({segment}, {one}, 0)" for one in found)
            self.rows(f"INSERT INTO lead_lists_leads VALUES {values}")
        for _ in range(_batches(self, old)):
            gone = ", ".join(self.rows(f"{old} LIMIT {BATCH}"))
            here = f"leadlist_id = {segment} AND lead_id IN ({gone})"
            self.rows(f"DELETE FROM lead_lists_leads WHERE {here}")

    def listed(self, segment: int) -> list[int]:
        """Return who is listed."""
        return self.ids(f"SELECT lead_id FROM lead_lists_leads WHERE leadlist_id = {segment}")


def _batches(server: MariaDB, sql: str) -> int:
    count = int(server.rows(f"SELECT count(*) FROM ({sql}) n")[0])
    return -(-count // BATCH)


def named(sql: str) -> str:
    """Write a statement for MariaDB, where `lines` is a word of the language."""
    return sql.replace("FROM lines l", "FROM lines_ l").replace("INTO lines ", "INTO lines_ ")


@contextmanager
def started(wanted: bool) -> Iterator[MariaDB | None]:
    """Run a server for the block; None, with the reason said, where that cannot be."""
    reason = None
    if not wanted:
        reason = "not asked for"
    elif not all(shutil.which(one) for one in ("mariadbd", "mariadb-install-db", "mariadb")):
        reason = "mariadbd, mariadb-install-db and mariadb are not on PATH"
    if reason is not None:
        CONSOLE.print(f"MariaDB is left out: {reason}")
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="bench-maria-"))
    try:
        yield from _running(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _running(folder: Path) -> Iterator[MariaDB]:
    account = _account()
    shutil.chown(folder, account)
    folder.chmod(0o755)
    as_ = [f"--user={account}", f"--datadir={folder / 'data'}"]
    install = ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal"]
    subprocess.run([*install, *as_], check=True, capture_output=True)
    socket = folder / "socket"
    settings = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
    server = subprocess.Popen(
        ["mariadbd", "--no-defaults", *as_, f"--socket={socket}", "--skip-networking", *settings],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait = ["mariadb-admin", f"--socket={socket}", "-uroot", "--wait=60", "status"]
        subprocess.run(wait, check=True, capture_output=True)
        yield from _client(socket)
    finally:
        server.terminate()
        server.wait()


def _client(socket: Path) -> Iterator[MariaDB]:
    command = ["mariadb", f"--socket={socket}", "-uroot", "-N", "-B", "--unbuffered", "--quick"]
    subprocess.run([*command, "-e", "CREATE DATABASE bench"], check=True)
    with subprocess.Popen(
        [*command, "--local-infile=1", "bench"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as client:
        yield MariaDB(client)
        client.terminate()


def _account() -> str:
    """Return who the server runs as: ourselves unless we are root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    known = {one.pw_name for one in pwd.getpwall()}
    return "mysql" if "mysql" in known else "nobody"


def literals(rows: Sequence[Sequence[object]]) -> str:
    """Write rows as values of an INSERT that PostgreSQL and MariaDB both take."""
    return ", ".join(f"({', '.join(_literal(one) for one in row)})" for row in rows)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"
