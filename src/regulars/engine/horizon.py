"""Whether anything was told that happened after an instant: then the kept sums are wrong for it.

Asked once per state of the data and remembered as two bounds, because what has nothing after it
has nothing after any later instant either.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb
from numpy.typing import NDArray
from sqlglot import exp

from regulars.engine.days import MICROSECOND
from regulars.engine.predicates import (
    Binds,
    BoundValue,
    at_least,
    at_most,
    below,
    column,
    missing,
    present,
)
from regulars.engine.rfm import RfmThresholds
from regulars.warehouse.record import CustomerRecord

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: In microseconds since 1970: before any instant.
ALWAYS = -(2**62)

#: The instants that kept sums and the universe depend on.
_INSTANTS = (
    ("orders", "processed_at"),
    ("orders", "cancelled_at"),
    ("refunds", "refunded_at"),
    ("customers", "added_at"),
)


#: Runs a statement with its bound values over one state of the data.
Ask = Callable[[str, Mapping[str, BoundValue | list[int]]], duckdb.DuckDBPyConnection]


class Horizon:
    """What is known of one state of the data; shared between threads, which at worst ask twice."""

    def __init__(self) -> None:
        self._clear_from: datetime | None = None
        self._later_than: datetime | None = None
        self._there: tuple[NDArray[Any], NDArray[Any]] | None = None
        #: Customers who were read one by one in this state; None for numbers that nobody has.
        self.records: dict[int, CustomerRecord | None] = {}
        #: The thresholds of RFM scores, by instant and zone.
        self.rfm: dict[tuple[datetime, str], RfmThresholds] = {}

    def known(self, as_of: datetime) -> bool | None:
        """Whether something is later than the instant; None where that was not asked yet."""
        if self._clear_from is not None and as_of >= self._clear_from:
            return False
        if self._later_than is not None and as_of <= self._later_than:
            return True
        return None

    def look(self, as_of: datetime, ask: Ask) -> bool:
        """Return whether something is later than the instant, and remember it."""
        ((later,),) = ask(_statement(), {"at": _told(as_of)}).fetchall()
        if later:
            self._later_than = max(as_of, self._later_than or as_of)
        else:
            self._clear_from = min(as_of, self._clear_from or as_of)
        return bool(later)

    def there(self, as_of: datetime, ask: Ask) -> NDArray[Any]:
        """Return the numbers of the customers who were there at an instant.

        Since when each of them is there is asked once: a year of days then costs no more than one.
        """
        if self._there is None:
            rows = ask(_since(), {}).fetchnumpy()
            self._there = rows["customer_no"], rows["there_from"]
        numbers, there_from = self._there
        return numbers[there_from <= _microseconds(as_of)]


def _microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // MICROSECOND


def ordered_between(stretches: Iterable[tuple[datetime, datetime]], ask: Ask) -> NDArray[Any]:
    """Return whose orders stand from an instant up to another, of one pair or more."""
    binds = Binds()
    inside = [
        exp.and_(
            at_least(column("processed_at"), binds.instant(start)),
            below(column("processed_at"), binds.instant(end)),
        )
        for start, end in stretches
    ]
    query = exp.Select().select(column("customer_no")).from_(exp.to_table("orders"))
    query = query.where(exp.or_(*inside), present(column("customer_no")))
    return ask(query.sql("duckdb"), binds.values).fetchnumpy()["customer_no"]


def came_between(start: datetime, end: datetime, ask: Ask) -> Iterator[NDArray[Any]]:
    """Give whose facts happened after an instant, and not after another one."""
    bounds = {"start": _told(start), "end": _told(end)}
    for table, name in _INSTANTS:
        yield ask(_came_statement(table, name), bounds).fetchnumpy()["customer_no"]


def _told(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


@functools.cache
def _came_statement(table: str, name: str) -> str:
    start, end = exp.Placeholder(this="start"), exp.Placeholder(this="end")
    after, until = below(start, column(name)), at_most(column(name), end)
    query = exp.Select().select(column("customer_no")).where(after, until)
    query = query.where(present(column("customer_no"))).from_(exp.to_table(table))
    if table == "refunds":
        query = query.join(exp.to_table("orders"), using=[exp.to_identifier("order_id")])
    return query.sql("duckdb")


@functools.cache
def _since() -> str:
    """Write since when each customer is there: from being added, or from the first order.

    One of whom neither is known is always there; the deleted never are.
    """
    known = exp.func("epoch_us", exp.func("least", column("added_at"), column("first_at")))
    there_from = exp.Coalesce(this=known, expressions=[exp.Literal.number(str(ALWAYS))])
    real = [exp.Not(this=column("is_test")), present(column("customer_no"))]
    first = exp.alias_(exp.Min(this=column("processed_at")), "first_at")
    orders = exp.Select().select(column("customer_no"), first).from_(exp.to_table("orders"))
    orders = orders.where(*real).group_by(column("customer_no"))
    query = exp.Select().select(column("customer_no", "customers"))
    query = query.select(exp.alias_(there_from, "there_from")).from_(exp.to_table("customers"))
    query = query.join(
        exp.alias_(exp.Subquery(this=orders), "firsts", table=True),
        using=[exp.to_identifier("customer_no")],
        join_type="left",
    )
    return query.where(missing(column("deleted_at"))).sql("duckdb")


@functools.cache
def _statement() -> str:
    """Write one question per column: with OR inside, DuckDB would read all the rows."""
    asked = [_any_later(table, name) for table, name in _INSTANTS]
    either = functools.reduce(lambda left, right: exp.Or(this=left, expression=right), asked)
    return exp.Select().select(either, copy=False).sql("duckdb")


def _any_later(table: str, name: str) -> exp.Expr:
    later = below(exp.Placeholder(this="at"), column(name))
    query = exp.Select().select(exp.Literal.number(1), copy=False)
    query = query.from_(exp.to_table(table), copy=False).where(later, copy=False)
    return exp.Exists(this=query)
