"""The membership log: who joined and left which segment, when and why.

Append-only, in the order of happening. Entries that would change nothing (a join of a member, a
leave of somebody outside) are left out here, in the one place that writes, so a customer never has
two open intervals in a segment. Deciding *who matches* is the engine's work.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from regulars.warehouse.columns import inside, outside
from regulars.warehouse.sql import statements
from regulars.warehouse.writing import Writer

#: Flips of several segments are written together, up to so many.
ROWS_AT_ONCE: Final = 100_000

_ENTRIES: Final = ("segment_id", "customer_no", "happened_at", "joined", "cause", "version")


class LogEntry(NamedTuple):
    """One flip: a customer joined or left a segment at an instant, by a version of its query."""

    segment_id: int
    customer_no: int
    at: datetime
    joined: bool
    cause: str
    version: int


class NewMembers(NamedTuple):
    """Who belongs to a segment from now on, why that may have changed, and by which version."""

    segment_id: int
    members: BitMap
    cause: str
    version: int


class LoggedEntry(NamedTuple):
    """A stored flip with the key that pages continue from."""

    key: int
    segment_id: int
    customer_no: int
    at: datetime
    joined: bool
    cause: str
    version: int


class Flip(NamedTuple):
    """A stored flip as other programs are told of it."""

    key: int
    segment_id: int
    customer_id: str
    at: datetime
    joined: bool
    cause: str


def bitmap_of(result: duckdb.DuckDBPyConnection) -> BitMap:
    """Return the one unsigned column of a result as a set."""
    (values,) = result.fetchnumpy().values()
    return set_of(values)


def set_of(values: NDArray[np.uint32]) -> BitMap:
    """Return numbers as a set; array.array is ten times numpy's way."""
    return BitMap(array("I", np.ascontiguousarray(values, dtype=np.uint32).tobytes()))


class _Flips(NamedTuple):
    """Rows of the log, by column; `said` are the instant and the cause of all of them."""

    said: tuple[datetime, str]
    columns: dict[str, NDArray[Any]]


def _batches(flips: Iterable[_Flips]) -> Iterator[list[_Flips]]:
    """Put what is said of one instant and cause together, up to so many rows and a segment's."""
    batch: list[_Flips] = []
    count = 0
    for one in flips:
        if batch and (one.said != batch[0].said or count > ROWS_AT_ONCE):
            yield batch
            batch, count = [], 0
        more = len(one.columns["customer_no"])
        if more:
            batch.append(one)
            count += more
    if batch:
        yield batch


class MembershipLog:
    """The log of one warehouse file, with the current sets kept in memory once asked for."""

    def __init__(self) -> None:
        self._sql = statements("membership")
        self._current: dict[int, BitMap] = {}
        self._latest: dict[int, datetime | None] = {}
        self._touched: set[int] = set()

    def current(self, cursor: duckdb.DuckDBPyConnection, segment_id: int) -> BitMap:
        """Return a copy of the segment's members now."""
        return BitMap(self._loaded(cursor, segment_id))

    def log(self, writer: Writer, entries: Iterable[LogEntry]) -> int:
        """Append the entries that change something; return how many.

        An entry older than the segment's last one is dated like that one: the log never goes
        backwards.
        """
        rows = []
        last_at: datetime | None = None
        changing: dict[int, tuple[BitMap, datetime]] = {}
        for segment_id, customer_no, at, joined, cause, version in entries:
            if at != last_at:
                changing.clear()
                last_at = at
            found = changing.get(segment_id)
            if found is None:
                found = self._changing(writer.cursor, segment_id), self._date(segment_id, at)
                changing[segment_id] = found
            members, date = found
            if (customer_no in members) == joined:
                continue
            (members.add if joined else members.discard)(customer_no)
            rows.append((segment_id, customer_no, date, joined, cause, version))
        writer.add("membership_log", _ENTRIES, rows)
        return len(rows)

    def log_members(
        self, cursor: duckdb.DuckDBPyConnection, news: Iterable[NewMembers], *, at: datetime
    ) -> None:
        """Make these the members of their segments from `at` on."""
        for batch in _batches(self._flips(cursor, new, at) for new in news):
            names = batch[0].columns
            rows = {name: np.concatenate([one.columns[name] for one in batch]) for name in names}
            cursor.register("given_flips", rows)
            try:
                cursor.execute(self._sql["add_flips"], batch[0].said)
            finally:
                cursor.unregister("given_flips")

    def _flips(self, cursor: duckdb.DuckDBPyConnection, new: NewMembers, at: datetime) -> _Flips:
        """Take over a segment's members; return who joined and who left by that."""
        before = self._changing(cursor, new.segment_id)
        flips = (new.members - before, before - new.members)
        numbers = np.concatenate([np.array(who.to_array(), np.uint32) for who in flips])
        self._current[new.segment_id] = BitMap(new.members)
        columns = {
            "customer_no": numbers,
            "segment_id": np.full(len(numbers), new.segment_id, np.int64),
            "joined": np.repeat([True, False], [len(who) for who in flips]),
            "version": np.full(len(numbers), new.version, np.int32),
        }
        return _Flips((self._date(new.segment_id, at), new.cause), columns)

    def settle(self, *, kept: bool) -> None:
        """End a transaction: what it touched is either right in memory or read again."""
        if not kept:
            for segment_id in self._touched:
                self._current.pop(segment_id, None)
                self._latest.pop(segment_id, None)
        self._touched.clear()

    def _changing(self, cursor: duckdb.DuckDBPyConnection, segment_id: int) -> BitMap:
        members = self._loaded(cursor, segment_id)
        self._touched.add(segment_id)
        return members

    def _loaded(self, cursor: duckdb.DuckDBPyConnection, segment_id: int) -> BitMap:
        members = self._current.get(segment_id)
        if members is None:
            members = bitmap_of(cursor.execute(self._sql["current"], [segment_id]))
            ((latest,),) = cursor.execute(self._sql["latest"], [segment_id]).fetchall()
            self._latest[segment_id] = latest
            self._current[segment_id] = members
        return members

    def _date(self, segment_id: int, at: datetime) -> datetime:
        date = inside(at)
        last = self._latest.get(segment_id)
        if last is not None and last > date:
            return last
        self._latest[segment_id] = date
        return date


def members_at(cursor: duckdb.DuckDBPyConnection, segment_id: int, instant: datetime) -> BitMap:
    """Return who belonged at `instant`."""
    values = [segment_id, inside(instant)]
    return bitmap_of(cursor.execute(statements("membership")["members_at"], values))


def members_ever(
    cursor: duckdb.DuckDBPyConnection, segment_id: int, start: datetime, end: datetime
) -> BitMap:
    """Return who belonged at any time in [start, end)."""
    values = [segment_id, inside(end), inside(start)]
    return bitmap_of(cursor.execute(statements("membership")["ever"], values))


def entries(
    cursor: duckdb.DuckDBPyConnection,
    *,
    segment_id: int | None,
    customer_nos: Iterable[int] | None,
    since: datetime | None,
    until: datetime | None,
    joined: bool | None,
    cause: str | None,
    before: int | None,
    limit: int,
) -> list[LoggedEntry]:
    """Return a page of entries, newest first."""
    rows = cursor.execute(
        statements("membership")["entries"],
        {
            "segment_id": segment_id,
            "customer_nos": None if customer_nos is None else list(customer_nos),
            "since": inside(since),
            "until": inside(until),
            "joined": joined,
            "cause": cause,
            "before": before,
            "most": limit,
        },
    ).fetchall()
    found = []
    for key, segment, customer, at, has_joined, why, version in rows:
        one = LoggedEntry(key, segment, customer, outside(at), has_joined, why, version)
        found.append(one)
    return found


def flips_after(cursor: duckdb.DuckDBPyConnection, key: int, most: int) -> list[Flip]:
    """Return what happened after the entry with this key, oldest first."""
    rows = cursor.execute(statements("membership")["flips_after"], [key, most]).fetchall()
    return [
        Flip(number, segment, customer, outside(at), joined, cause)
        for number, segment, customer, at, joined, cause in rows
    ]


def last_key(cursor: duckdb.DuckDBPyConnection) -> int:
    """Return the key of the newest entry; -1 for an empty log."""
    ((key,),) = cursor.execute(statements("membership")["last_key"]).fetchall()
    return int(key)
