"""CSV lists as named sets: who is on which list now, and who comes onto one by appearing.

The truth is the warehouse's list_rows; the bitmaps here are its copy. They change together with it
inside one transaction and are put back when that is rolled back. Each change is logged, so that it
is known who was on a list at any instant since the list was made.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from pyroaring import BitMap
from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.errors import InputError, Problem, QueryError, problem
from regulars.language.tree import Filter, Node, Text, filters_of
from regulars.office import Shop
from regulars.office.models.uploads import CsvList
from regulars.segments.graph import list_references
from regulars.segments.keys import calling_code, keys_of_customer, marks_of
from regulars.segments.names import name_key
from regulars.warehouse import Warehouse
from regulars.warehouse.lists import Keys, ListRows
from regulars.warehouse.record import CustomerRecord

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def check_lists(session: Session, shop: Shop, tree: Node, query: str) -> None:
    """Check that the CSV lists a query names exist; raises QueryError with the places."""
    if not list_references(tree):
        return
    rows = session.scalars(select(CsvList).where(CsvList.shop_id == shop.id)).all()
    names = {row.name_key: row.name for row in rows}
    problems = [
        _unknown(leaf, written.value, names, query)
        for leaf in filters_of(tree)
        if leaf.attribute == "csv_list"
        for written in leaf.operands
        if isinstance(written, Text) and name_key(written.value) not in names
    ]
    if problems:
        raise QueryError(*problems)


def _unknown(leaf: Filter, written: str, names: Mapping[str, str], query: str) -> Problem:
    near = difflib.get_close_matches(name_key(written), names, n=1)
    template = 'There is no CSV list "{name}" in this shop.'
    if near:
        template = 'There is no CSV list "{name}" in this shop. Did you mean "{near}"?'
    start = leaf.span.start
    return replace(
        problem("unknown_list", template, name=written, near=names[near[0]] if near else ""),
        start=start,
        length=leaf.span.end - start,
        line=query.count("\n", 0, start) + 1,
        column=start - (query.rfind("\n", 0, start) + 1),
    )


class Lists:
    """The lists of one shop. Changed under the memberships' lock only."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        #: By the key of the list's name.
        self._ids: dict[str, int] = {}
        #: Changed in place during a transaction: compiled queries may hold on to these objects.
        self._members: dict[int, BitMap] = {}
        #: A mark of each key that waits for its customer, of all lists.
        self._marks = BitMap()
        self._before: dict[int, BitMap] = {}
        self._marks_before: BitMap | None = None
        #: What the log says of lists that were changed in the transaction at hand.
        self._logged: dict[int, BitMap] = {}
        #: Redacted in it: nothing may be written about them.
        self._erased = BitMap()
        #: Since when it is known who was on a list, by its id.
        self._known_from: dict[int, datetime | None] = {}

    def load(self, session: Session, shop: Shop) -> None:
        """Read which lists there are, and the members of those that are new here."""
        rows = session.scalars(select(CsvList).where(CsvList.shop_id == shop.id)).all()
        self._ids = {row.name_key: row.id for row in rows}
        self._known_from = {row.id: row.known_from for row in rows}
        for gone in set(self._members) - set(self._ids.values()):
            del self._members[gone]
        new = [row.id for row in rows if row.id not in self._members]
        if new:
            with self._warehouse.reader() as cursor:
                listed = ListRows(cursor)
                for list_id in new:
                    self._members[list_id] = listed.members(list_id)
                self._marks = listed.marks(self._members)

    def members(self, name: str) -> BitMap:
        """Return the customers of a list by its name; raises InputError where there is none."""
        return self._members[self._id(name)]

    def members_at(self, name: str, instant: datetime) -> BitMap:
        """Return who was on a list at an instant; before it is known, who was on it at first."""
        list_id = self._id(name)
        with self._warehouse.reader() as cursor:
            return ListRows(cursor).members_at(list_id, instant)

    def is_known_at(self, name: str, instant: datetime) -> bool:
        """Whether it is known who was on a list at an instant."""
        known_from = self._known_from.get(self._ids.get(name_key(name), 0))
        return known_from is not None and known_from <= instant

    def _id(self, name: str) -> int:
        list_id = self._ids.get(name_key(name))
        if list_id is None:
            template = 'There is no CSV list "{name}" in this shop.'
            raise InputError(problem("unknown_list", template, name=name))
        return list_id

    def of(self, list_id: int) -> BitMap:
        """Return the customers of a list; empty for one that is not there yet."""
        return self._members.get(list_id, BitMap())

    def keys_of(self, list_ids: Iterable[int]) -> frozenset[str]:
        """Return the keys of these lists' names."""
        wanted = set(list_ids)
        return frozenset(key for key, list_id in self._ids.items() if list_id in wanted)

    # -- inside a transaction --------------------------------------------------------------------

    def follow(
        self,
        cursor: DuckDBPyConnection,
        shop: Shop,
        records: Sequence[CustomerRecord],
        now: datetime,
    ) -> tuple[BitMap, BitMap]:
        """Look whether a changed customer is waited for, was merged or is to be forgotten.

        Returns who came onto a list, and who else has to be evaluated for it.
        """
        if not self._members:
            return BitMap(), BitMap()
        rows = ListRows(cursor)
        others = self._follow_gone(rows, [one for one in records if _is_gone(one)])
        code = calling_code(shop.currency)
        waited_for = [
            keys
            for record in records
            if not _is_gone(record)
            for keys in [keys_of_customer(record.values, record.customer_id, code)]
            if any(mark in self._marks for mark in marks_of(keys))
        ]
        joined = self._claim(rows, code, waited_for) if waited_for else BitMap()
        self._log(rows, now)
        return joined | others, joined

    def follow_all(self, cursor: DuckDBPyConnection, shop: Shop, now: datetime) -> frozenset[str]:
        """Look for everybody who is waited for; return the names of lists that changed, by key."""
        if not self._marks and not self._members:
            return frozenset()
        rows = ListRows(cursor)
        before = {list_id: len(members) for list_id, members in self._members.items()}
        for list_id in self._members:
            rows.follow_merges(list_id)
        if self._marks:
            rows.claim(list(self._members), calling_code(shop.currency))
        for list_id in self._members:
            self.read(cursor, list_id, now)
        moved = [one for one, count in before.items() if len(self._members[one]) != count]
        return self.keys_of(moved)

    def read(self, cursor: DuckDBPyConnection, list_id: int, now: datetime) -> None:
        """Read a list anew after its rows were changed, and what waits."""
        rows = ListRows(cursor)
        found = rows.members(list_id)
        members = self._changing(list_id)
        members.clear()
        members |= found
        self._keep_marks()
        self._marks = rows.marks(self._members)
        self._log(rows, now)

    def settle(self, *, kept: bool) -> None:
        """End a transaction: keep the changes, or put everything back."""
        if not kept:
            for list_id, before in self._before.items():
                members = self._members[list_id]
                members.clear()
                members |= before
            if self._marks_before is not None:
                self._marks = self._marks_before
        self._before.clear()
        self._logged.clear()
        self._erased.clear()
        self._marks_before = None

    def _log(self, rows: ListRows, now: datetime) -> None:
        """Write down who came onto a list and who went since this was last done."""
        for list_id, before in self._before.items():
            members, told = self._members[list_id], self._logged.get(list_id, before)
            if members != told:
                rows.log(list_id, members - told, told - members - self._erased, now)
                self._logged[list_id] = members.copy()

    def _claim(self, rows: ListRows, code: str, people: Sequence[Keys]) -> BitMap:
        found = rows.claim(list(self._members), code, people)
        joined = BitMap()
        for list_id, numbers in found.items():
            members = self._changing(list_id)
            joined |= numbers
            members |= numbers
        return joined

    def _follow_gone(self, rows: ListRows, gone: Sequence[CustomerRecord]) -> BitMap:
        others = BitMap()
        for record in gone:
            number = record.customer_no
            on = [one for one, members in self._members.items() if number in members]
            if not on:
                continue
            kept_no = record.values.get("merged_into_no")
            if isinstance(kept_no, int):
                rows.move(number, kept_no)
                others.add(kept_no)
            elif record.values.get("is_erased_forever"):
                rows.erase(number)
                self._erased.add(number)
            else:
                # Deleted: no longer in the universe; the list remembers the number only.
                continue
            for list_id in on:
                members = self._changing(list_id)
                members.discard(number)
                if isinstance(kept_no, int):
                    members.add(kept_no)
        return others

    def _changing(self, list_id: int) -> BitMap:
        members = self._members.setdefault(list_id, BitMap())
        self._before.setdefault(list_id, members.copy())
        return members

    def _keep_marks(self) -> None:
        if self._marks_before is None:
            self._marks_before = self._marks


def _is_gone(record: CustomerRecord) -> bool:
    return record.values.get("deleted_at") is not None
