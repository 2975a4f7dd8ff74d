"""Importing files into a shop's warehouse: all good rows in one transaction, the others to a file.

An import may be repeated: the same rows end in the same orders and customers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import duckdb

from regulars.importing.kinds import (
    Buyer,
    Read,
    ReadOrder,
    Rejected,
    Result,
    Surroundings,
    customer_kind,
    order_kind,
)
from regulars.importing.rejects import RejectsFile
from regulars.importing.rows import RowsFile, open_rows
from regulars.money import digits
from regulars.warehouse import Applied, Warehouse
from regulars.warehouse.facts import CustomerFact, Fact

#: Told rows read, bytes read of the present file, and its size in bytes.
Progress = Callable[[int, int, int], None]
#: Called inside the transaction with all that the import changed.
Then = Callable[[duckdb.DuckDBPyConnection, Applied], None]

# Large enough that each statement's scan of the tables is paid rarely, small enough to bound
# memory.
_BATCH: Final = 10_000


@dataclass(slots=True)
class FileReport:
    """How one file went. `rows` = `kept_rows` + `rejected_rows`; blank lines are no rows."""

    name: str
    kind: str
    encoding: str
    separator: str
    kept_rows: int = 0
    rejected_rows: int = 0

    @property
    def rows(self) -> int:
        """All rows of the file, without the header."""
        return self.kept_rows + self.rejected_rows


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    orders: FileReport
    customers: FileReport | None
    #: Orders told by the file.
    order_count: int
    #: Customers who were not known before.
    new_customer_count: int
    #: Where the rows are that could not be read, if there are any.
    rejects: Path | None
    applied: Applied


def import_files(
    warehouse: Warehouse,
    *,
    orders: Path,
    currency: str,
    zone: ZoneInfo,
    rejects: Path,
    at: datetime,
    customers: Path | None = None,
    progress: Progress | None = None,
    then: Then | None = None,
) -> ImportReport:
    """Read the files and apply what they say in one transaction, `at` the instant of the import.

    Dates without an offset are the shop's (`zone`), a day alone is its midnight there. Raises
    UploadError, and changes nothing, when a file cannot be read at all.
    """
    digits(currency)
    around = Surroundings(currency, zone, at)
    tell = progress or (lambda *_: None)
    with ExitStack() as open_files:
        order_rows = open_files.enter_context(open_rows(orders))
        run = _Run(around, open_files.enter_context(RejectsFile(rejects)), tell)
        read_orders = run.begin(order_rows, order_kind(order_rows))
        read_customers = None
        if customers is not None:
            customer_rows = open_files.enter_context(open_rows(customers))
            read_customers = run.begin(customer_rows, customer_kind(customer_rows))

        def batches(cursor: duckdb.DuckDBPyConnection) -> Iterator[list[Fact]]:
            if read_customers is not None:
                yield from run.customers(read_customers)
            yield from run.orders(read_orders, cursor)

        applied = warehouse.apply_batches(batches, at=at, then=then)
        return ImportReport(
            orders=read_orders.report,
            customers=None if read_customers is None else read_customers.report,
            order_count=run.order_count,
            new_customer_count=len(applied.new_customer_nos),
            rejects=run.rejects.path,
            applied=applied,
        )


@dataclass(slots=True)
class _Reading:
    """One file on its way."""

    file: RowsFile
    read: Read
    report: FileReport


@dataclass(slots=True)
class _Run:
    """One import on its way."""

    around: Surroundings
    rejects: RejectsFile
    tell: Progress
    order_count: int = 0

    def begin(self, file: RowsFile, kind: tuple[str, Read]) -> _Reading:
        """Start the report of a file."""
        name, read = kind
        report = FileReport(file.path.name, name, file.encoding, file.separator)
        return _Reading(file, read, report)

    def customers(self, reading: _Reading) -> Iterator[list[Fact]]:
        """Give the customers of a file, a batch at a time."""
        for results in self._batches(reading):
            yield [result.customer for result in results if result.customer is not None]

    def orders(self, reading: _Reading, cursor: duckdb.DuckDBPyConnection) -> Iterator[list[Fact]]:
        """Give the orders of a file, a batch at a time, with buyers who are new."""
        for results in self._batches(reading):
            read = [result.order for result in results if result.order is not None]
            self.order_count += len(read)
            yield list(_with_buyers(read, cursor, self.around.at))

    def _batches(self, reading: _Reading) -> Iterator[list[Result]]:
        batch: list[Result] = []
        for result in reading.read(reading.file, self.around):
            reading.report.kept_rows += result.kept_rows
            for rejected in result.rejected:
                self._reject(reading, rejected)
            batch.append(result)
            if len(batch) == _BATCH:
                self._progress(reading)
                yield batch
                batch = []
        self._progress(reading)
        yield batch

    def _reject(self, reading: _Reading, rejected: Rejected) -> None:
        reading.report.rejected_rows += 1
        self.rejects.write(reading.report.name, rejected)

    def _progress(self, reading: _Reading) -> None:
        self.tell(reading.report.rows, reading.file.bytes_done, reading.file.bytes_total)


def _with_buyers(
    read: Iterable[ReadOrder], cursor: duckdb.DuckDBPyConnection, at: datetime
) -> Iterator[Fact]:
    """Give orders with their customers' ids; an unknown buyer gets the e-mail or phone as id."""
    orders = list(read)
    buyers = {order.buyer for order in orders if order.buyer is not None}
    known = _known(cursor, buyers)
    for buyer in sorted(buyers - known.keys(), key=str):
        customer_id = buyer.email or buyer.phone
        if customer_id is not None:
            known[buyer] = customer_id
            yield CustomerFact(
                customer_id=customer_id, updated_at=at, email=buyer.email, phone=buyer.phone
            )
    for order in orders:
        if order.buyer is None:
            yield order.order
        else:
            yield replace(order.order, customer_id=known.get(order.buyer))


def _known(cursor: duckdb.DuckDBPyConnection, buyers: Iterable[Buyer]) -> dict[Buyer, str]:
    """Look buyers up by e-mail, then by phone; of two with one e-mail the older counts."""
    listed = list(buyers)
    emails = sorted({buyer.email for buyer in listed if buyer.email is not None})
    phones = sorted({buyer.phone for buyer in listed if buyer.phone is not None})
    by_email = dict(cursor.execute(_BY_EMAIL, [emails]).fetchall()) if emails else {}
    by_phone = dict(cursor.execute(_BY_PHONE, [phones]).fetchall()) if phones else {}
    found: dict[Buyer, str] = {}
    for buyer in listed:
        customer_id = by_email.get(buyer.email) or by_phone.get(buyer.phone)
        if customer_id is not None:
            found[buyer] = customer_id
    return found


# Customers with these e-mails.
_BY_EMAIL: Final = """
SELECT lower(email), arg_min(customer_id, customer_no) FROM customers
WHERE deleted_at IS NULL AND lower(email) IN (SELECT unnest(?::VARCHAR[])) GROUP BY 1
"""
# Customers with these phones.
_BY_PHONE: Final = """
SELECT phone, arg_min(customer_id, customer_no) FROM customers
WHERE deleted_at IS NULL AND phone IN (SELECT unnest(?::VARCHAR[])) GROUP BY 1
"""
