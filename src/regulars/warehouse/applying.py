"""Applying a batch of facts inside one transaction: read what is stored, merge, write what changed.

Every statement works on the whole batch. Which fact wins is decided in Python (customers.py,
orders.py); the tables are touched only where something is different from before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, Final

import duckdb

from regulars.warehouse.applied import Applied
from regulars.warehouse.columns import Shape, given, inside
from regulars.warehouse.customers import (
    CONSENT,
    FIELDS,
    FIGURES,
    PROFILE,
    SETS,
    VALUES,
    CustomerState,
    Mark,
    erase,
    merge_fact,
)
from regulars.warehouse.facts import (
    CustomerDeleted,
    CustomerFact,
    CustomerRedacted,
    CustomersMerged,
    Fact,
)
from regulars.warehouse.memory import Memory
from regulars.warehouse.orders import OrdersChanged, apply_orders, put_order
from regulars.warehouse.places import email_domain
from regulars.warehouse.products import apply_products
from regulars.warehouse.sheets import Sheet, Sheets, Sums, instant_of
from regulars.warehouse.sql import statements
from regulars.warehouse.writing import Columns, Row, Writer

#: By the name of a set, its table and that table's columns.
_SETS: Final[Mapping[str, tuple[str, Columns]]] = {
    "tags": ("customer_tags", ("customer_no", "tag", "tag_key")),
    "tag_marks": (
        "customer_tag_marks",
        ("customer_no", "tag", "tag_key", "is_given", "told_at"),
    ),
    "addresses": (
        "addresses",
        (
            "customer_no",
            "country_code",
            "region_code",
            "city_key",
            "zip",
            "latitude",
            "longitude",
        ),
    ),
    "company_ids": ("customer_companies", ("customer_no", "company_id")),
    "metafields": ("metafields", ("customer_no", "key", "type", "value")),
    "store_credit": (
        "store_credit_accounts",
        ("customer_no", "balance_amount", "currency", "next_expiry_at", "last_credit_at"),
    ),
}
_ABOUT_CUSTOMERS: Final = (CustomerFact, CustomerDeleted, CustomerRedacted, CustomersMerged)
_NOS: Final[Shape] = {"customer_no": "customer"}
_SUMS: Final = ("customer_no", "order_count", "spent_amount", "first_order_at", "last_order_at")
_STORED: Final = (*PROFILE, *CONSENT, *FIGURES)
#: What is read of every customer before the stored values.
_TOLD: Final = (
    "profile_updated_at",
    "tags_updated_at",
    "consent_updated_at",
    "erased_at",
    "is_erased_forever",
    "merged_into_no",
)
#: What is written of a customer, in the order of `_row`.
_CUSTOMER: Final = ("customer_no", *_TOLD, "deleted_at", "email_domain", *_STORED)


def apply_facts(
    writer: Writer,
    facts: Sequence[Fact],
    at: datetime,
    memory: Memory,
) -> Applied:
    """Write the facts inside the open transaction and tell what changed; `memory` follows."""
    cursor, sheets = writer.cursor, memory.sheets
    batch = CustomerBatch(writer, facts, sheets)
    for fact in facts:
        batch.take(fact, at)
    batch.save()
    orders = apply_orders(writer, facts, at, batch.no_of, memory.orders)
    products = apply_products(writer, facts, at)
    moved = batch.move_orders()
    own = batch.changed
    changed = own.keys() | orders.customer_nos | moved
    anew = batch.told_nos | moved | batch.counted_anew(orders)
    followed, sums = _follow(own, orders, sheets, besides=anew)
    sheets.outdate(changed - followed)
    _save_sums(writer, sums)
    _keep(cursor, "keep_sums", (orders.customer_nos | moved) - sums.keys())
    _keep(cursor, "keep_unseen", anew)
    return Applied(
        at=at,
        customer_nos=frozenset(changed),
        order_ids=frozenset(orders.order_ids),
        product_ids=frozenset(products),
        new_customer_nos=batch.new_nos,
        gone_customer_nos=batch.gone_nos,
        numbers=batch.numbers,
    )


def _follow(
    changed: Mapping[int, CustomerState], orders: OrdersChanged, sheets: Sheets, besides: Set[int]
) -> tuple[Set[int], Mapping[int, Sums]]:
    """Let sheets follow where that is simple; return whose did, and the sums of who got orders."""
    followed, sums = set(), {}
    for no in (changed.keys() | orders.plain.keys()) - orders.unplain_nos - besides:
        state = changed.get(no)
        sheet = sheets.find(no)
        if sheet is None and state is not None and state.is_new:
            sheet = sheets.begin(no, state.customer_id)
        if sheet is None or (state is not None and "store_credit" in state.sets):
            continue
        if state is not None:
            _put_own(sheet, state)
        if no in orders.plain:
            for fact in orders.plain[no]:
                put_order(sheet, fact)
            sums[no] = sheet.sum_up()
        sheets.put(sheet)
        followed.add(no)
    return followed, sums


def _put_own(sheet: Sheet, state: CustomerState) -> None:
    values = dict(zip(_CUSTOMER, _row(state), strict=True))
    del values["customer_no"]
    told = [state.versions.get(name) for name in FIGURES]
    sheet.put_own(values, told, [tag for _, tag in sorted(state.tags.items())], state.sets)


def _save_sums(writer: Writer, sums: Mapping[int, Sums]) -> None:
    rows = [
        (
            no,
            one.order_count,
            one.spent_amount,
            inside(instant_of(one.first_order_at)),
            inside(instant_of(one.last_order_at)),
        )
        for no, one in sorted(sums.items())
    ]
    writer.update("customers", _SUMS, rows)


def _keep(cursor: duckdb.DuckDBPyConnection, statement: str, nos: Iterable[int]) -> None:
    """Compute what is kept of these customers again."""
    rows = [(no,) for no in sorted(nos)]
    if rows:
        with given(cursor, "given_nos", _NOS, rows):
            cursor.execute(statements("apply")[statement])


class CustomerBatch:
    """The customers that one batch names: their stored state, then their state after the facts."""

    def __init__(self, writer: Writer, facts: Sequence[Fact], sheets: Sheets) -> None:
        self._writer = writer
        self._cursor = writer.cursor
        self._sheets = sheets
        self._sql = statements("apply")
        self._by_id: dict[str, CustomerState] = {}
        self._by_no: dict[int, CustomerState] = {}
        self._merges: list[tuple[int, int]] = []
        # Orders change no customer's own state, so a batch of orders reads less.
        self._reads_all = any(isinstance(fact, _ABOUT_CUSTOMERS) for fact in facts)
        self._read(sorted(set(_named_customers(facts))))
        self._gone_before = frozenset(state.customer_no for state in self._states if state.is_gone)

    @property
    def _states(self) -> list[CustomerState]:
        return list(self._by_no.values())

    @property
    def changed(self) -> Mapping[int, CustomerState]:
        """Customers whose own row or sets changed."""
        return {s.customer_no: s for s in self._states if s.is_changed}

    @property
    def told_nos(self) -> frozenset[int]:
        """Customers of whom Shopify's lifetime figures were told or taken away."""
        return frozenset(s.customer_no for s in self._states if s.is_counted_anew)

    def counted_anew(self, orders: OrdersChanged) -> set[int]:
        """Return whose unseen orders may differ: Shopify told figures after one of these orders."""
        found = set(orders.recounted_nos)
        for no, earliest in orders.earliest_at.items():
            state = self._by_no.get(no)
            told = [state.versions.get(name) for name in FIGURES] if state else []
            if any(version is not None and version >= earliest for version in told):
                found.add(no)
        return found

    @property
    def new_nos(self) -> frozenset[int]:
        """Customers who were not known before."""
        return frozenset(s.customer_no for s in self._states if s.is_new)

    @property
    def numbers(self) -> dict[str, int]:
        """Numbers by id, of everybody whom the batch names or leads to."""
        return {state.customer_id: state.customer_no for state in self._states}

    @property
    def gone_nos(self) -> frozenset[int]:
        """Customers who went away with this batch."""
        now = frozenset(s.customer_no for s in self._states if s.is_gone)
        return now - self._gone_before

    def take(self, fact: Fact, at: datetime) -> None:
        """Merge one fact about customers; others are left to their own files."""
        if isinstance(fact, CustomerFact):
            merge_fact(self._by_id[fact.customer_id], fact, at)
        elif isinstance(fact, CustomerDeleted):
            erase(self._by_id[fact.customer_id], fact.at, forever=False)
        elif isinstance(fact, CustomerRedacted):
            erase(self._by_id[fact.customer_id], fact.at, forever=True)
        elif isinstance(fact, CustomersMerged):
            self._merge(self._by_id[fact.kept_id], self._by_id[fact.removed_id], fact.at)

    def no_of(self, customer_id: str | None) -> int | None:
        """Return who keeps the orders of this id: the customer, or whom they were merged into."""
        if customer_id is None:
            return None
        return self._end_of(self._by_id[customer_id]).customer_no

    def move_orders(self) -> set[int]:
        """Move the orders of merged customers; return those who lost or gained any."""
        moves = [
            (removed, self._end_of(self._by_no[kept]).customer_no) for removed, kept in self._merges
        ]
        if not moves:
            return set()
        shape: Shape = {"removed_no": "whole", "kept_no": "whole"}
        with given(self._cursor, "given_moves", shape, moves):
            self._cursor.execute(self._sql["move_orders"])
            self._cursor.execute(self._sql["move_lines"])
        return {no for move in moves for no in move}

    def save(self) -> None:
        """Write the states that changed."""
        new = [(s.customer_no, s.customer_id) for s in self._states if s.is_new]
        self._writer.add("customers", ("customer_no", "customer_id"), new)
        changed = [s for s in self._states if s.is_changed]
        if changed:
            self._writer.update("customers", _CUSTOMER, [_row(state) for state in changed])
            self._save_versions(changed)
            self._save_tags(changed)
            self._save_sets(changed)

    def _merge(self, kept: CustomerState, removed: CustomerState, at: datetime) -> None:
        if self._end_of(kept).customer_no == removed.customer_no:
            return
        erase(removed, at, forever=True)
        if removed.merged_into_no != kept.customer_no:
            removed.merged_into_no = kept.customer_no
            removed.is_changed = True
            kept.is_changed = True
            self._merges.append((removed.customer_no, kept.customer_no))

    def _end_of(self, state: CustomerState) -> CustomerState:
        while state.merged_into_no is not None:
            state = self._by_no[state.merged_into_no]
        return state

    def _read(self, ids: list[str]) -> None:
        known = [] if self._reads_all else self._read_sheets(ids)
        ids = [one for one in ids if one not in self._by_id]
        read = self._read_rows("by_id", {"ids": ids}) if ids else []
        wanted = _led_to([*known, *read], self._by_no)
        while wanted:
            further = self._read_rows("by_no", {"nos": wanted})
            read += further
            wanted = _led_to(further, self._by_no)
        self._read_details([state.customer_no for state in read])
        self._number([one for one in ids if one not in self._by_id])

    def _read_sheets(self, ids: list[str]) -> list[CustomerState]:
        """Take over what a batch of orders has to know of customers whose sheets are here."""
        found = []
        for customer_id in ids:
            no = self._sheets.number(customer_id)
            sheet = None if no is None else self._sheets.find(no)
            if sheet is not None:
                values = (sheet.value(name) for name in (*_TOLD, *FIGURES))
                state = self._keep((sheet.customer_no, customer_id, *values))
                if sheet.figures_told_at is not None:
                    named = zip(FIGURES, sheet.figures_told_at, strict=True)
                    state.versions = {name: at for name, at in named if at is not None}
                found.append(state)
        return found

    def _read_rows(self, by: str, asked: dict[str, Any]) -> list[CustomerState]:
        statement = self._sql[f"{'customers' if self._reads_all else 'figures'}_{by}"]
        return [self._keep(row) for row in self._cursor.execute(statement, asked).fetchall()]

    def _keep(self, row: tuple[Any, ...]) -> CustomerState:
        told, tags, consent = row[2:5]
        state = CustomerState(
            customer_no=row[0],
            customer_id=row[1],
            told_at=told,
            consent_updated_at=consent,
            erased_at=row[5],
            is_erased_forever=row[6],
            merged_into_no=row[7],
            values=dict(zip(_STORED if self._reads_all else FIGURES, row[8:], strict=True)),
        )
        # Until a versions row says otherwise, all was told at once by a load.
        if told is not None:
            state.versions = dict.fromkeys(FIELDS, told)
            state.versions.update(dict.fromkeys(CONSENT, consent or told))
            state.versions["tags"] = tags or told
        self._by_id[state.customer_id] = state
        self._by_no[state.customer_no] = state
        return state

    def _read_details(self, nos: list[int]) -> None:
        counted = [no for no in nos if any(self._by_no[no].values[name] for name in FIGURES)]
        if not (nos if self._reads_all else counted):
            return
        asked = {"nos": nos}
        for row in self._cursor.execute(self._sql["versions"], asked).fetchall():
            named = zip((*VALUES, *FIELDS[len(VALUES) :]), row[1:], strict=True)
            self._by_no[row[0]].versions = {name: at for name, at in named if at is not None}
        if not self._reads_all:
            return
        for no, tag, key in self._cursor.execute(self._sql["tags"], asked).fetchall():
            self._by_no[no].stored_tags[key] = tag
        marks = self._cursor.execute(self._sql["tag_marks"], asked).fetchall()
        for no, tag, key, is_given, told in marks:
            self._by_no[no].stored_marks[key] = Mark(tag, is_given, told)
        for no in nos:
            state = self._by_no[no]
            state.tags, state.marks = dict(state.stored_tags), dict(state.stored_marks)

    def _number(self, ids: list[str]) -> None:
        if not ids:
            return
        ((following,),) = self._cursor.execute(self._sql["next_customer_no"]).fetchall()
        for no, customer_id in enumerate(ids, start=following):
            state = CustomerState(no, customer_id, is_new=True, is_changed=True)
            self._by_id[customer_id] = state
            self._by_no[no] = state

    def _save_versions(self, changed: list[CustomerState]) -> None:
        rows = [(s.customer_no, *(s.versions.get(name) for name in FIELDS)) for s in changed]
        self._drop("versions", changed)
        self._writer.add("customer_versions", ("customer_no", *FIELDS), rows)

    def _save_tags(self, changed: list[CustomerState]) -> None:
        tagged = [s for s in changed if s.tags != s.stored_tags]
        tags = [(s.customer_no, tag, key) for s in tagged for key, tag in s.tags.items()]
        self._replace("tags", tagged, tags)
        marked = [s for s in changed if s.marks != s.stored_marks]
        marks = [
            (s.customer_no, mark.tag, key, mark.is_given, mark.told_at)
            for s in marked
            for key, mark in s.marks.items()
        ]
        self._replace("tag_marks", marked, marks)

    def _save_sets(self, changed: list[CustomerState]) -> None:
        for name in SETS:
            told = [s for s in changed if name in s.sets]
            rows = [(s.customer_no, *row) for s in told for row in s.sets[name]]
            self._replace(name, told, rows)

    def _replace(self, name: str, states: list[CustomerState], rows: Sequence[Row]) -> None:
        table, columns = _SETS[name]
        self._drop(name, states)
        self._writer.add(table, columns, rows)

    def _drop(self, name: str, states: list[CustomerState]) -> None:
        nos = [s.customer_no for s in states if not s.is_new]
        if nos:
            self._cursor.execute(self._sql[f"drop_{name}"], {"nos": nos})


def _row(state: CustomerState) -> Row:
    return (
        state.customer_no,
        state.told_at,
        state.versions.get("tags"),
        state.consent_updated_at,
        state.erased_at,
        state.is_erased_forever,
        state.merged_into_no,
        state.erased_at if state.is_gone else None,
        email_domain(state.values.get("email")),
        *(state.values.get(name) for name in _STORED),
    )


def _named_customers(facts: Iterable[Fact]) -> Iterable[str]:
    for fact in facts:
        if isinstance(fact, CustomersMerged):
            yield fact.kept_id
            yield fact.removed_id
            continue
        customer_id = getattr(fact, "customer_id", None)
        if customer_id is not None:
            yield customer_id


def _led_to(states: Iterable[CustomerState], known: dict[int, CustomerState]) -> list[int]:
    into = {state.merged_into_no for state in states}
    return sorted(no for no in into if no is not None and no not in known)
