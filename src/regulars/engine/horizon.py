"""Whether anything was told that happened after an instant: then the kept sums are wrong for it.

Asked once per state of the data and remembered as two bounds, because what has nothing after it
has nothing after any later instant either.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime

import duckdb
from sqlglot import exp

from regulars.engine.predicates import below, column
from regulars.engine.rfm import RfmThresholds

#: The instants that kept sums and the universe depend on.
_INSTANTS = (
    ("orders", "processed_at"),
    ("orders", "cancelled_at"),
    ("refunds", "refunded_at"),
    ("customers", "added_at"),
)


class Horizon:
    """What is known of one state of the data; shared between threads, which at worst ask twice."""

    def __init__(self) -> None:
        self._clear_from: datetime | None = None
        self._later_than: datetime | None = None
        #: The thresholds of RFM scores, by instant and zone.
        self.rfm: dict[tuple[datetime, str], RfmThresholds] = {}

    def known(self, as_of: datetime) -> bool | None:
        """Whether something is later than the instant; None where that was not asked yet."""
        if self._clear_from is not None and as_of >= self._clear_from:
            return False
        if self._later_than is not None and as_of <= self._later_than:
            return True
        return None

    def look(self, as_of: datetime, cursor: duckdb.DuckDBPyConnection) -> bool:
        """Return whether something is later than the instant, and remember it."""
        at = as_of.astimezone(UTC).replace(tzinfo=None)
        ((later,),) = cursor.execute(_statement(), {"at": at}).fetchall()
        if later:
            self._later_than = max(as_of, self._later_than or as_of)
        else:
            self._clear_from = min(as_of, self._clear_from or as_of)
        return bool(later)


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
