"""One shop's warehouse: a DuckDB file with facts and membership log, one writer, many readers.

All reads and writes of the program go through here. Deciding what a fact means is applying.py,
who matches a segment is the engine.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb
from pyroaring import BitMap

from regulars.errors import InputError, LimitError, problem
from regulars.warehouse import membership
from regulars.warehouse.applied import Applied, TouchedCustomers
from regulars.warehouse.applying import apply_facts
from regulars.warehouse.columns import given, inside, outside
from regulars.warehouse.facts import Fact
from regulars.warehouse.loading import Allow, Loaded, LoadKind, Progress, merge, staged
from regulars.warehouse.membership import (
    Flip,
    LogEntry,
    LoggedEntry,
    MembershipLog,
    NewMembers,
    bitmap_of,
)
from regulars.warehouse.memory import Memory
from regulars.warehouse.narrowing import narrow
from regulars.warehouse.opening import WarehouseSettings, file_problems, open_file
from regulars.warehouse.reading import read_products, read_sheets, some_products
from regulars.warehouse.record import CustomerRecord
from regulars.warehouse.sheets import Sheet, pack
from regulars.warehouse.sql import statements
from regulars.warehouse.writing import Writer

log = logging.getLogger(__name__)

#: How single customers are found in the tables that grow (sql/indexes.sql), each with the kind of
#: load that writes its table.
INDEXES: Final = {
    "customers_by_id": "customers",
    "customers_by_no": "customers",
    "addresses_by_customer": "customers",
    "tags_by_customer": "customers",
    "orders_by_customer": "orders",
    "lines_by_customer": "orders",
}

# So many customers are read into memory at once: the tables are read as a whole for them.
REMEMBERED_AT_ONCE: Final = 20_000

_EVENTS: Final = ("event_key", "applied_at")

Cursor = duckdb.DuckDBPyConnection
#: Called inside the transaction that applied a batch; the place to log memberships.
Then = Callable[[Cursor, Applied], None]


class Warehouse:
    """The warehouse of one shop. Safe to use from several threads; one of them writes at a time."""

    def __init__(self, path: Path, settings: WarehouseSettings) -> None:
        self._path = path
        self._settings = settings
        self._incoming = path.parent / "incoming"
        self._connection = open_file(path, self._incoming, settings)
        self._writing = threading.Lock()
        self._loading = threading.Lock()
        #: What writes the open transaction, and what waits to write the next batch of facts.
        self._writer: Writer | None = None
        self._standing: Writer | None = None
        self._writer_thread: int | None = None
        self._is_lost = False
        self._log = MembershipLog()
        self._is_committing = False
        self._data_version = int(self.meta("data_version") or 0)
        self._touched = TouchedCustomers(self._data_version)
        self._memory = Memory(settings.sheets_bytes)
        self._remembering = threading.Lock()
        self._lacks_indexes = True
        with self._alone():
            self._index()

    @property
    def is_lost(self) -> bool:
        """Whether DuckDB gave the file up after a fatal error, until it is opened anew."""
        return self._is_lost

    @contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            with file_problems(self._path):
                yield
        except InputError as error:
            if isinstance(error.__cause__, duckdb.FatalException):
                self._is_lost = True
            raise

    # -- transactions --------------------------------------------------------------------------

    @contextmanager
    def reader(self, *, seconds: float | None = None) -> Iterator[Cursor]:
        """Give a cursor that sees one unchanging state and cannot write.

        After `seconds` what runs on it is stopped with LimitError.
        """
        cursor = self._connection.cursor()
        timer = threading.Timer(seconds, cursor.interrupt) if seconds else None
        try:
            with self._problems():
                cursor.execute("BEGIN TRANSACTION READ ONLY")
                if timer is not None:
                    timer.daemon = True
                    timer.start()
                yield cursor
        except duckdb.InterruptException as error:
            raise LimitError(
                problem(
                    "too_slow",
                    "This took longer than {seconds} seconds and was stopped. Try a simpler query.",
                    seconds=seconds,
                )
            ) from error
        finally:
            if timer is not None:
                timer.cancel()
            cursor.close()

    @contextmanager
    def reader_of(
        self,
        customer_nos: BitMap,
        *,
        tables: Collection[str],
        columns: Collection[str],
        since: datetime | None = None,
    ) -> Iterator[Cursor]:
        """Give a reader that sees these customers alone in some tables, and some columns of those.

        Of their orders it sees those from `since` on.
        """
        with self.reader() as cursor:
            narrow(cursor, customer_nos, tables, columns, since)
            yield cursor

    @contextmanager
    def transaction(self, *, changes_facts: bool = True) -> Iterator[Cursor]:
        """Give the writing cursor; commit at the end of the block, roll back on any error.

        Waits for another writer. `changes_facts=False` is for blocks that only append to the
        membership log: `data_version`, and so every cached answer, stays.
        """
        with self._writes(changes_facts=changes_facts) as writer:
            yield writer.cursor

    @contextmanager
    def _writes(self, *, changes_facts: bool = True, stands: bool = False) -> Iterator[Writer]:
        """Open a transaction; one that `stands` is written with what wrote the last such one."""
        with self._alone():
            yield from self._transaction(changes_facts, stands)
            self._checkpoint_if_due()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the writer's lock; waiting for oneself would be for ever, so that is refused."""
        if self._writer_thread == threading.get_ident():
            raise RuntimeError("a transaction is open in this thread already: give its cursor")
        with self._writing:
            self._writer_thread = threading.get_ident()
            try:
                yield
            finally:
                self._writer_thread = None

    def _transaction(self, changes_facts: bool, stands: bool) -> Iterator[Writer]:
        standing = self._standing if stands else None
        writer = self._writer = standing or Writer(self._connection.cursor())
        version = self._data_version + 1 if changes_facts else self._data_version
        kept = False
        try:
            with self._problems():
                writer.cursor.execute("BEGIN TRANSACTION")
                try:
                    yield writer
                    if changes_facts:
                        self._set_meta(writer.cursor, "data_version", str(version))
                        self._is_committing = True
                    writer.cursor.execute("COMMIT")
                    kept = True
                except BaseException:
                    _roll_back(writer.cursor)
                    raise
        finally:
            self._log.settle(kept=kept)
            if changes_facts:
                self._memory.settle(self._touched.settle(version, kept=kept), kept=kept)
            else:
                self._memory.sheets.settle((), kept=kept)
            self._writer = None
            if stands:
                self._standing = writer if kept else None
            if not (stands and kept):
                writer.close()
            if kept:
                self._data_version = version
            self._is_committing = False

    @contextmanager
    def _reading(self, cursor: Cursor | None) -> Iterator[Cursor]:
        with nullcontext(cursor) if cursor is not None else self.reader() as reading:
            yield reading

    # -- facts ---------------------------------------------------------------------------------

    def apply(
        self,
        facts: Iterable[Fact],
        *,
        at: datetime,
        event_keys: Collection[str] = (),
        then: Then | None = None,
    ) -> Applied:
        """Write the facts and run `then` in one transaction; return what changed.

        Facts may come in any order and repeatedly: the end is the same. `event_keys` name the
        deliveries that the facts came by; when all of them were applied before, nothing is done.
        """
        batch = list(facts)
        with self._writes(stands=True) as writer:
            if event_keys and not self._add_events(writer, event_keys, at):
                self._touched.add(())
                return Applied(at=at, skipped=True)
            applied = apply_facts(writer, batch, at, self._memory)
            self._memory.forget_products(applied.product_ids)
            self._touched.add(applied.customer_nos, products=bool(applied.product_ids))
            if then is not None:
                then(writer.cursor, applied)
        return applied

    def apply_batches(
        self,
        batches: Callable[[Cursor], Iterable[Sequence[Fact]]],
        *,
        at: datetime,
        then: Then | None = None,
    ) -> Applied:
        """Apply batch after batch in one transaction, for imports; return whom they changed.

        Orders and products are not listed in the result, there may be millions. `batches` is given
        the transaction's cursor, to look up what earlier batches wrote.
        """
        with self._writes() as writer:
            changed, new, gone = BitMap(), BitMap(), BitMap()
            memory = Memory()
            for batch in batches(writer.cursor):
                part = apply_facts(writer, batch, at, memory)
                changed.update(part.customer_nos)
                new.update(part.new_customer_nos)
                gone.update(part.gone_customer_nos)
            applied = Applied(
                at=at,
                customer_nos=frozenset(changed),
                new_customer_nos=frozenset(new),
                gone_customer_nos=frozenset(gone),
            )
            if then is not None:
                then(writer.cursor, applied)
        return applied

    def _add_events(self, writer: Writer, event_keys: Collection[str], at: datetime) -> bool:
        """Keep the deliveries that are new; return whether there were any."""
        keys = sorted(set(event_keys))
        maybe = self._memory.events.possible(keys)
        known = set()
        if maybe:
            asked = writer.cursor.execute(statements("apply")["known_events"], {"keys": maybe})
            known = {key for (key,) in asked.fetchall()}
        new = [key for key in keys if key not in known]
        writer.add("applied_events", _EVENTS, [(key, inside(at)) for key in new])
        self._memory.events.add(new)
        return bool(new)

    def forget_events(self, before: datetime) -> None:
        """Forget deliveries applied before an instant; Shopify retries for four hours only."""
        with self.transaction(changes_facts=False) as cursor:
            cursor.execute("DELETE FROM applied_events WHERE applied_at < ?", [inside(before)])
            self._memory.events.forget()

    def load_jsonl(
        self,
        kind: LoadKind,
        path: Path,
        currency: str,
        *,
        as_of: datetime | None = None,
        delete_missing: bool = False,
        allow: Allow | None = None,
        compares: bool = False,
        progress: Progress | None = None,
    ) -> Loaded:
        """Take over a file of Shopify's bulk operations: everything of it or nothing.

        `as_of` is when the operation was made: each row is true at least until then. Facts told
        newer stay. `delete_missing` marks customers deleted whom the file, being complete, does not
        list; `allow` is told how many before and may raise; `compares` has the values named that
        were different here. Load customers before orders, so that
        customers are numbered in the shop's order.
        """
        tell = progress or (lambda _: None)
        with (
            self._loading,
            staged(path, kind, currency, self._incoming, self._settings) as target,
            self._attached(target),
            self._writes() as writer,
        ):
            tell(0.5)
            self._drop_indexes(writer.cursor, kind)
            loaded = merge(
                writer,
                kind,
                as_of=as_of,
                delete_missing=delete_missing,
                allow=allow,
                compares=compares,
                progress=tell,
            )
        self.checkpoint()
        tell(1.0)
        return loaded

    def _drop_indexes(self, cursor: Cursor, kind: LoadKind) -> None:
        for name, loaded_with in INDEXES.items():
            if loaded_with == kind:
                cursor.execute(statements("indexes")[f"drop_{name}"])
                self._lacks_indexes = True

    def _index(self) -> None:
        """Make the indexes that are not there; they decide about speed alone."""
        cursor = self._connection.cursor()
        try:
            with file_problems(self._path):
                for name in INDEXES:
                    cursor.execute(statements("indexes")[f"add_{name}"])
            self._lacks_indexes = False
        except duckdb.TransactionException:
            # Somebody reads an older state; the next checkpoint tries again.
            log.info("%s stays without indexes for now", self._path.name)
        finally:
            cursor.close()

    @contextmanager
    def _attached(self, staging: Path) -> Iterator[None]:
        cursor = self._connection.cursor()
        try:
            with file_problems(self._path):
                cursor.execute(statements("load")["attach"], [str(staging)])
            yield
        finally:
            cursor.execute("DETACH DATABASE IF EXISTS incoming")
            cursor.close()

    # -- customers -----------------------------------------------------------------------------

    def records(
        self, customer_nos: Iterable[int], cursor: Cursor | None = None
    ) -> list[CustomerRecord]:
        """Return all that is known about these customers, ordered by number."""
        is_writer = cursor is not None and self._writer_thread == threading.get_ident()
        products = self._memory.products if is_writer else {}
        with self._reading(cursor) as reading:
            nos = sorted(set(customer_nos))
            found = self._known_sheets(nos) if is_writer else {}
            for no, text in read_sheets(reading, (no for no in nos if no not in found)):
                found[no] = Sheet(no, text)
                if is_writer:
                    self._memory.sheets.put(found[no])
            sheets = [found[no] for no in nos if no in found]
            ids = {product_id for sheet in sheets for product_id in sheet.product_ids}
            if is_writer and ids and not products:
                ids |= some_products(reading)
            read_products(reading, ids, products)
        return [sheet.record(products) for sheet in sheets]

    def _known_sheets(self, nos: Iterable[int]) -> dict[int, Sheet]:
        sheets = ((no, self._memory.sheets.find(no)) for no in nos)
        return {no: sheet for no, sheet in sheets if sheet is not None}

    @property
    def is_lacking(self) -> bool:
        """Whether something has to be read into memory that makes applying quicker."""
        return self._memory.is_lacking

    def remember(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Read into memory what it lacks: which orders there are, and those who ordered last.

        The next order of each of them is applied without looking for them in the tables. Returns
        how many are there; ends early where the memory is full or `go_on` says no.
        """
        if self.is_lacking and self._remembering.acquire(blocking=False):
            try:
                self._read_marks()
                self._read_customers(go_on)
            finally:
                self._remembering.release()
        return len(self._memory.sheets)

    def _read_marks(self) -> None:
        for marks in (self._memory.orders, self._memory.events):
            if not marks.is_whole:
                age = marks.age
                with self.reader() as cursor:
                    found = marks.read(cursor)
                with self._alone():
                    marks.complete(found, age)

    def _read_customers(self, go_on: Callable[[], bool]) -> None:
        if not self._memory.sheets.is_lacking:
            return
        self._memory.sheets.is_lacking = False
        with self.reader() as cursor:
            asked = cursor.execute(
                statements("read")["ordered_last"], {"most": self._memory.sheets.most}
            )
            nos = [no for (no,) in asked.fetchall()]
        for start in range(0, len(nos), REMEMBERED_AT_ONCE):
            if not go_on() or not self._remember(nos[start : start + REMEMBERED_AT_ONCE]):
                break

    def _remember(self, nos: Sequence[int]) -> bool:
        """Read these customers into memory; return whether there was room for them."""
        # Older than what the cursor sees, or as old: who was touched since is left out.
        version = self._data_version
        with self.reader() as cursor:
            texts = dict(read_sheets(cursor, nos))
        found = [(no, texts[no]) for no in nos if no in texts]
        packed = [(no, Sheet(no, text).customer_id, pack(text.encode())) for no, text in found]
        with self._alone():
            touched = self._touched.since(version)
            known = [] if touched is None else [one for one in packed if one[0] not in touched]
            return self._memory.sheets.remember(known)

    def customer_ids(
        self, customer_nos: Iterable[int], cursor: Cursor | None = None
    ) -> dict[int, str]:
        """Return the ids of these customers by number."""
        nos = list(customer_nos)
        if not nos:
            return {}
        with self._reading(cursor) as reading:
            rows = reading.execute(statements("read")["customer_ids"], {"nos": nos})
            return dict(rows.fetchall())

    def customer_nos(
        self, customer_ids: Iterable[str], cursor: Cursor | None = None
    ) -> dict[str, int]:
        """Return the numbers of those of these ids that are known."""
        ids = list(customer_ids)
        if not ids:
            return {}
        with self._reading(cursor) as reading:
            rows = reading.execute(statements("read")["customer_nos"], {"ids": ids})
            return dict(rows.fetchall())

    def titles(self, of: str, ids: Iterable[str]) -> dict[str, str]:
        """Return the known titles of products, collections or categories, as `of` says, by id."""
        rows = [(one,) for one in ids]
        if not rows:
            return {}
        with self._reading(None) as reading, given(reading, "given_ids", {"id": "text"}, rows):
            return dict(reading.execute(statements("read")[f"titles_{of}"]).fetchall())

    def universe(self, kind: str, cursor: Cursor | None = None) -> BitMap:
        """Return "all" customers of the shop's list, or its "buyers"."""
        if kind not in {"all", "buyers"}:
            raise ValueError(f"no universe {kind!r}")
        with self._reading(cursor) as reading:
            return bitmap_of(reading.execute(statements("read")[f"universe_{kind}"]))

    def customer_count(self) -> int:
        """Return how many customers there are rows for, deleted ones included: a size, at once."""
        with self.reader() as cursor:
            ((count,),) = cursor.execute("SELECT count(*) FROM customers").fetchall()
        return int(count)

    # -- the file ------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    @property
    def data_version(self) -> int:
        """Rises with each commit that may have changed facts."""
        return self._data_version

    def touched_since(self, version: int) -> frozenset[int] | None:
        """Return whose facts changed after that version; None where that is not known any more.

        It is known of the latest versions that `apply` made, in this process.
        """
        return self._touched.since(version)

    def are_products_as_in(self, version: int) -> bool:
        """Whether no product changed after that version; its buyers do not count as touched."""
        return self._touched.are_products_as_in(version)

    @property
    def settled_version(self) -> int | None:
        """The version of the facts; None while a newer one is being committed.

        A statement before and after which it is the same number has seen that version.
        """
        version = self._data_version
        return None if self._is_committing else version

    def facts_until(self) -> datetime | None:
        """Return the latest instant that any fact mentions; None while there are none."""
        with self.reader() as cursor:
            ((instant,),) = cursor.execute(statements("read")["facts_until"]).fetchall()
        return outside(instant) if instant is not None else None

    def meta(self, name: str) -> str | None:
        """Return a small fact about the file itself."""
        with self.reader() as cursor:
            rows = cursor.execute("SELECT value FROM meta WHERE name = ?", [name]).fetchall()
        return rows[0][0] if rows else None

    def set_meta(self, name: str, value: str | None, cursor: Cursor | None = None) -> None:
        """Keep a small fact about the file itself; with a cursor as part of its transaction."""
        if cursor is not None:
            self._set_meta(cursor, name, value)
            return
        with self.transaction(changes_facts=False) as own:
            self._set_meta(own, name, value)

    @staticmethod
    def _set_meta(cursor: Cursor, name: str, value: str | None) -> None:
        values = {"name": name, "value": value}
        changed = cursor.execute("UPDATE meta SET value = $value WHERE name = $name", values)
        if changed.fetchall() == [(0,)]:
            cursor.execute("INSERT INTO meta VALUES ($name, $value)", values)

    @contextmanager
    def held_still(self) -> Iterator[Sequence[Path]]:
        """Let nobody write while the block runs; gives the files, which are whole and consistent.

        The write-ahead log is one of them where somebody reads an older state meanwhile.
        """
        with self._alone():
            self._checkpoint()
            log = self._path.with_name(f"{self._path.name}.wal")
            yield [self._path, log] if log.exists() else [self._path]

    def checkpoint(self) -> bool:
        """Fold the write-ahead log into the file; return whether it could be done now."""
        with self._alone():
            return self._checkpoint()

    def _checkpoint(self) -> bool:
        cursor = self._connection.cursor()
        try:
            with self._problems():
                cursor.execute("CHECKPOINT")
        except duckdb.TransactionException:
            # Somebody reads an older state; the next commit tries again.
            return False
        finally:
            cursor.close()
        if self._lacks_indexes:
            self._index()
        return True

    def _checkpoint_if_due(self) -> None:
        try:
            size = self._path.with_name(f"{self._path.name}.wal").stat().st_size
        except FileNotFoundError:
            return
        if size < self._settings.checkpoint_bytes:
            return
        try:
            self._checkpoint()
        except InputError as error:
            # What was committed stays: the write-ahead log has it when the file is opened again.
            log.error("the checkpoint of %s failed: %s", self._path, error)

    def close(self) -> None:
        """Close the file; waits for a running transaction."""
        with self._alone():
            if self._standing is not None:
                self._standing.close()
            self._connection.close()

    # -- membership ----------------------------------------------------------------------------

    def log(self, entries: Iterable[LogEntry]) -> int:
        """Append flips inside this thread's transaction; those that change nothing are left out."""
        if self._writer is None or self._writer_thread != threading.get_ident():
            raise RuntimeError("no transaction is open in this thread")
        return self._log.log(self._writer, entries)

    def log_members(self, cursor: Cursor, news: Iterable[NewMembers], *, at: datetime) -> None:
        """Make these the members of their segments inside the transaction."""
        self._log.log_members(cursor, news, at=at)

    def current_members(self, segment_id: int, cursor: Cursor | None = None) -> BitMap:
        """Return who belongs now, by the log. Inside a transaction give its cursor."""
        if cursor is not None:
            return self._log.current(cursor, segment_id)
        with self._alone(), self.reader() as reading:
            return self._log.current(reading, segment_id)

    def members_at(
        self, segment_id: int, instant: datetime, cursor: Cursor | None = None
    ) -> BitMap:
        """Return who belonged at an instant, by the log."""
        with self._reading(cursor) as reading:
            return membership.members_at(reading, segment_id, instant)

    def members_ever(
        self, segment_id: int, start: datetime, end: datetime, cursor: Cursor | None = None
    ) -> BitMap:
        """Return who belonged at any time in [start, end), by the log."""
        with self._reading(cursor) as reading:
            return membership.members_ever(reading, segment_id, start, end)

    def flips_after(self, key: int, most: int) -> Sequence[Flip]:
        """Return what the log tells after the entry with this key, oldest first."""
        with self.reader() as cursor:
            return membership.flips_after(cursor, key, most)

    def last_log_key(self) -> int:
        """Return the key of the newest entry of the log; -1 while there is none."""
        with self.reader() as cursor:
            return membership.last_key(cursor)

    def log_entries(
        self,
        *,
        segment_id: int | None = None,
        customer_nos: Iterable[int] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        joined: bool | None = None,
        cause: str | None = None,
        before: int | None = None,
        limit: int = 100,
        cursor: Cursor | None = None,
    ) -> Sequence[LoggedEntry]:
        """Return a page of the log, newest first; continue with `before` = the last entry's key.

        `since` and `until` are themselves inside; `joined` keeps those who joined, or who left.
        """
        with self._reading(cursor) as reading:
            return membership.entries(
                reading,
                segment_id=segment_id,
                customer_nos=customer_nos,
                since=since,
                until=until,
                joined=joined,
                cause=cause,
                before=before,
                limit=limit,
            )


def _roll_back(cursor: Cursor) -> None:
    try:
        cursor.execute("ROLLBACK")
    except duckdb.Error:
        # The error has ended the transaction already; nothing of it is kept.
        return


class Warehouses:
    """All shops' warehouses of one home folder, opened when first asked for."""

    def __init__(self, folder: Path, settings: WarehouseSettings | None = None) -> None:
        self._folder = folder
        self._settings = settings or WarehouseSettings()
        self._open: dict[int, Warehouse] = {}
        self._opening = threading.Lock()
        #: How often a file was opened again after a fatal error, since the start.
        self.reopened_count = 0

    def of(self, shop_id: int) -> Warehouse:
        """Return the shop's warehouse, made where there is none yet.

        One that DuckDB gave up after a fatal error is opened again: another object then, as nobody
        knows what of the last transaction was kept.
        """
        with self._opening:
            found = self._open.get(shop_id)
            if found is not None and found.is_lost:
                log.error("the warehouse of shop %s is opened again", shop_id)
                with suppress(duckdb.Error):
                    found.close()
                found = self._open[shop_id] = Warehouse(found.path, self._settings)
                self.reopened_count += 1
            if found is None:
                path = self._folder / f"{int(shop_id)}.duckdb"
                found = self._open[shop_id] = Warehouse(path, self._settings)
            return found

    def reopen_lost(self) -> int:
        """Open again what DuckDB gave up; return how many cannot be opened."""
        with self._opening:
            lost = [shop_id for shop_id, one in self._open.items() if one.is_lost]
        count = 0
        for shop_id in lost:
            try:
                self.of(shop_id)
            except InputError as error:
                log.error("the warehouse of shop %s cannot be opened: %s", shop_id, error)
                count += 1
        return count

    @property
    def are_lacking(self) -> bool:
        """Whether an open warehouse has not read into memory who ordered last."""
        return any(warehouse.is_lacking for warehouse in list(self._open.values()))

    def remember(self, go_on: Callable[[], bool]) -> None:
        """Have every open warehouse read into memory who ordered last."""
        for warehouse in list(self._open.values()):
            warehouse.remember(go_on)

    def remove(self, shop_id: int) -> None:
        """Close a shop's warehouse and remove its files for good."""
        with self._opening:
            found = self._open.pop(shop_id, None)
            if found is not None:
                found.close()
            for path in self._folder.glob(f"{int(shop_id)}.duckdb*"):
                path.unlink()

    def close(self) -> None:
        """Close every open file."""
        with self._opening:
            for warehouse in self._open.values():
                warehouse.close()
            self._open.clear()
