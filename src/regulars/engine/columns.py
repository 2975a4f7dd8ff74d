"""Columns of customers kept in memory, which answer comparisons of one value without a statement.

A column is read once, then patched by the customers that changed. Only what the present data says
is here: questions about the past, about rows of orders, and columns of too many different texts
are answered by statements, which stay the definition that tests compare these answers with.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap
from sqlglot import exp

from regulars.engine.bitmaps import bitmap_of, bitmap_of_mask
from regulars.engine.days import MICROSECOND, day_end, day_start
from regulars.engine.kept import Kept
from regulars.engine.lowered import Instants, Question, Range, Steps, Test, Texts
from regulars.engine.plans import RANKED_BY, UNSEEN, days_between_bounds
from regulars.engine.predicates import INT64, LARGEST, BoundValue, column, within
from regulars.engine.zones import offsets
from regulars.language.catalogue import folded
from regulars.language.shapes import Figure, Labels, Rank, Value

#: Columns kept per evaluator: one of a million customers takes 9 MB.
COLUMN_BYTES: Final = 256 * 1024 * 1024
#: A column of more different texts is not kept: its list of texts would cost more than it saves.
TEXTS_MAX: Final = 5_000
#: More changed customers than this, and the column is read anew.
PATCHED_MAX: Final = 1_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000

#: Runs a statement with its bound values over one state of the data.
Ask = Callable[[str, Mapping[str, BoundValue | list[int]]], duckdb.DuckDBPyConnection]
#: Whom the versions after one have changed; None where that is not known, or too many.
Touched = Callable[[int], frozenset[int] | None]

Mask = NDArray[np.bool_]
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of one state of the data.

    Of `customers` the values stand at the customer's number, and `numbers` is None; of other tables
    `numbers` says whose they are. Texts stand as DuckDB's hashes, `texts` says which is which.
    """

    version: int
    values: Array
    present: Mask
    numbers: Array | None = None
    texts: Mapping[str, int] | None = None

    @property
    def size(self) -> int:
        """How many bytes it takes, about."""
        numbers = 0 if self.numbers is None else self.numbers.nbytes
        return int(self.values.nbytes + self.present.nbytes + numbers) + 100 * len(self.texts or ())


class TooManyTextsError(Exception):
    """A column has too many different texts to be kept."""


class Columns:
    """The columns that were looked at so far; shared between threads, which at worst read twice."""

    def __init__(self, most_bytes: int = COLUMN_BYTES) -> None:
        self._kept: Kept[Column] = Kept(most_bytes, lambda one: one.size)
        self._refused: set[tuple[str, str]] = set()

    def forget(self) -> None:
        """Forget every column; only somebody who measures has a reason to."""
        self._kept.forget()

    def at(self, version: int, zone: ZoneInfo, ask: Ask, touched: Touched) -> Look:
        """Look at the columns in one state of the data."""
        return Look(self, version, zone, ask, touched)

    def column(self, table: str, name: str, look: Look) -> Column | None:
        """Return a column of one state; None where it is not kept."""
        key = table, name
        if key in self._refused:
            return None
        found = self._kept.get(key)
        if found is not None and found.version == look.version:
            return found
        if found is not None and found.version > look.version:
            return None
        try:
            made = look.patched(table, name, found) if found is not None else None
            made = made or look.read(table, name)
        except TooManyTextsError:
            self._refused.add(key)
            return None
        self._kept.put(key, made)
        return made


class Look:
    """Columns as one evaluation sees them: reads, patches and compares them."""

    def __init__(
        self, columns: Columns, version: int, zone: ZoneInfo, ask: Ask, touched: Touched
    ) -> None:
        self._columns = columns
        self.version = version
        self._zone = zone
        self._ask = ask
        self._touched = touched

    def answer(self, question: Question) -> BitMap | None:
        """Return for whom a question about the present is true; None where a statement has to."""
        source, test = question.source, question.test
        match source:
            case Value():
                return self._of_customers(self._value(source.column, test))
            case Labels() if isinstance(test, Texts):
                return self._labels(source, test)
            case Figure():
                return self._of_customers(self._figure(question, source.name))
            case Rank() if isinstance(test, Steps | Instants):
                return self._of_customers(
                    self._ordered(1, self._compared(RANKED_BY[source.of], test))
                )
        return None

    @staticmethod
    def _of_customers(mask: Mask | None) -> BitMap | None:
        return None if mask is None else bitmap_of_mask(mask)

    # -- comparisons -------------------------------------------------------------------------------

    def _value(self, name: str, test: Test) -> Mask | None:
        """Compare a value as a filter means it, with the orders that we may not read."""
        if name not in UNSEEN or not isinstance(test, Steps):
            return self._compared(name, test)
        found = self._column("customers", name)
        unseen = self._column("customers", UNSEEN[name])
        if found is None or unseen is None:
            return None
        size = min(len(found.values), len(unseen.values))
        values = found.values[:size] + unseen.values[:size]
        both = replace(found, values=values, present=found.present[:size])
        return _between(both, *_bounds(test))

    def _compared(self, name: str, test: Test) -> Mask | None:
        if not isinstance(test, Texts | Steps | Instants):
            return None
        found = self._column("customers", name)
        if found is None:
            return None
        if isinstance(test, Texts):
            return _among(found, _hashes(found, test.values))
        return _between(found, *_bounds(test))

    def _labels(self, source: Labels, test: Texts) -> BitMap | None:
        found = self._column(source.table, source.column)
        if found is None or found.numbers is None:
            return None
        wanted: tuple[str, ...] = test.values
        if source.fold and source.column != "tag_key":
            wanted = tuple(text for text in found.texts or () if folded(text) in test.values)
        return bitmap_of(found.numbers[_among(found, _hashes(found, wanted))])

    def _figure(self, question: Question, name: str) -> Mask | None:
        test = question.test
        if not isinstance(test, Range):
            return None
        if name.startswith("days_since_") and question.today is not None:
            of = "first_order_at" if name.endswith("first_order") else "last_order_at"
            return self._days_since(of, test, question.today)
        orders = self._column("customers", "order_count")
        if orders is None:
            return None
        if name == "average_order_value":
            spent = self._column("customers", "spent_amount")
            return None if spent is None else self._mean(spent.values, orders.values, test, 1)
        if name == "average_days_between_orders":
            apart = self._days_apart()
            return None if apart is None else self._mean(apart, orders.values - 1, test, 2)
        return None

    def _days_since(self, name: str, test: Range, today: date) -> Mask | None:
        latest, earliest, is_empty = days_between_bounds(test, today)
        start = None if earliest is None else day_start(earliest, self._zone)
        end = None if latest is None else day_end(latest, self._zone)
        bounds = Steps(1, 0, 0) if is_empty else Instants(start, end, None, None)
        return self._ordered(1, self._compared(name, bounds))

    def _mean(self, sums: Array, counts: Array, test: Range, least: int) -> Mask | None:
        return self._ordered(least, _ratio(sums, counts, test))

    def _days_apart(self) -> Array | None:
        """Return the shop's days from each customer's first order to the last."""
        first = self._column("customers", "first_order_at")
        last = self._column("customers", "last_order_at")
        if first is None or last is None:
            return None
        size = min(len(first.values), len(last.values))
        days = (_days(one.values[:size], self._zone) for one in (last, first))
        return next(days) - next(days)

    def _ordered(self, least: int, mask: Mask | None) -> Mask | None:
        """Keep those who have placed so many orders."""
        orders = self._column("customers", "order_count")
        if mask is None or orders is None:
            return None
        size = min(len(mask), len(orders.values))
        return mask[:size] & (orders.values[:size] >= least) & orders.present[:size]

    def _column(self, table: str, name: str) -> Column | None:
        return self._columns.column(table, name, self)

    # -- reading -----------------------------------------------------------------------------------

    def read(self, table: str, name: str) -> Column:
        """Read a whole column."""
        texts = None
        if table != "customers" or name in TEXT_COLUMNS:
            texts = _dictionary(self._ask(_texts_statement(table, name), {}).fetchall())
        rows = self._ask(_statement(table, name), {}).fetchnumpy()
        numbers, values, present = _arrays(rows)
        if table != "customers":
            return Column(self.version, values, present, numbers, texts)
        size = int(numbers.max()) + 1 if len(numbers) else 0
        if size != len(numbers) or not _is_sorted(numbers):
            values, present = _placed(numbers, values, present, size)
        return Column(self.version, values, present, None, texts)

    def patched(self, table: str, name: str, before: Column) -> Column | None:
        """Return a column with the rows of changed customers read anew; None where all have to."""
        touched = self._touched(before.version)
        if touched is None or len(touched) > PATCHED_MAX:
            return None
        if not touched:
            return replace(before, version=self.version)
        asked = {"nos": sorted(touched)}
        texts = before.texts
        if texts is not None:
            fresh = self._ask(_texts_statement(table, name, some=True), asked).fetchall()
            texts = _dictionary([*texts.items(), *fresh])
        rows = self._ask(_statement(table, name, some=True), asked).fetchnumpy()
        numbers, values, present = _arrays(rows)
        changed = np.array(asked["nos"], dtype=np.int64)
        if before.numbers is not None:
            stays = ~np.isin(before.numbers, changed)
            return Column(
                self.version,
                np.concatenate([before.values[stays], values]),
                np.concatenate([before.present[stays], present]),
                np.concatenate([before.numbers[stays], numbers]),
                texts,
            )
        size = max(len(before.values), int(changed[-1]) + 1)
        all_values, all_present = _placed(
            np.arange(len(before.values)), before.values, before.present, size
        )
        all_present[changed] = False
        all_values[numbers], all_present[numbers] = values, present
        return Column(self.version, all_values, all_present, None, texts)


#: The columns of `customers` that hold texts.
TEXT_COLUMNS: Final = frozenset({
    "customer_id", "display_name", "email", "email_domain", "phone", "language", "note",
    "account_status", "email_subscription_status", "sms_subscription_status",
    "product_subscription_status", "predicted_spend_tier", "rfm_group",
})  # fmt: skip
_INSTANTS: Final = frozenset({
    "added_at", "abandoned_checkout_at", "profile_updated_at", "tags_updated_at",
    "consent_updated_at", "first_order_at", "last_order_at",
})  # fmt: skip


def _arrays(rows: Mapping[str, Array]) -> tuple[Array, Array, Mask]:
    numbers, values = rows["customer_no"].astype(np.int64), rows["value"]
    if np.ma.isMaskedArray(values):
        masked = cast("np.ma.MaskedArray[Any, Any]", values)
        return numbers, masked.filled(0), ~np.ma.getmaskarray(masked)
    return numbers, values, np.ones(len(values), dtype=np.bool_)


def _placed(numbers: Array, values: Array, present: Mask, size: int) -> tuple[Array, Mask]:
    """Put values at the customers' numbers."""
    all_values, all_present = np.zeros(size, values.dtype), np.zeros(size, np.bool_)
    all_values[numbers], all_present[numbers] = values, present
    return all_values, all_present


def _is_sorted(numbers: Array) -> bool:
    return bool(np.all(numbers[1:] > numbers[:-1]))


def _dictionary(rows: list[tuple[str, int]]) -> dict[str, int]:
    """Return the hash of each text; texts that share one cannot be told apart."""
    found = dict(rows)
    if len(found) > TEXTS_MAX or len(set(found.values())) != len(found):
        raise TooManyTextsError
    return found


@functools.cache
def _statement(table: str, name: str, *, some: bool = False) -> str:
    value: exp.Expr = column(name)
    if table != "customers" or name in TEXT_COLUMNS:
        # The hash of nothing would be a number like any other.
        empty = exp.Is(this=column(name), expression=exp.null())
        value = exp.func("if", empty, exp.null(), exp.func("hash", value))
    elif name in _INSTANTS:
        value = exp.func("epoch_us", value)
    else:
        value = exp.cast(value, "BIGINT")
    query = exp.Select().select(column("customer_no"), exp.alias_(value, "value"))
    return _some(query.from_(exp.to_table(table)), some=some)


@functools.cache
def _texts_statement(table: str, name: str, *, some: bool = False) -> str:
    query = exp.Select().select(column(name), exp.func("hash", column(name))).distinct()
    there = exp.Not(this=exp.Is(this=column(name), expression=exp.null()))
    query = query.from_(exp.to_table(table)).where(there).limit(TEXTS_MAX + 1)
    return _some(query, some=some)


def _some(query: exp.Select, *, some: bool) -> str:
    if some:
        nos = exp.Select().select(exp.func("unnest", exp.Placeholder(this="nos")))
        query = query.where(within(column("customer_no"), nos))
    return query.sql("duckdb")


# -- comparing -------------------------------------------------------------------------------------


def _bounds(test: Steps | Instants) -> tuple[int | None, int | None]:
    """Return the lowest and the highest number inside."""
    if isinstance(test, Steps):
        return test.low, test.high
    low = None if test.start is None else _microseconds(test.start)
    return low, None if test.end is None else _microseconds(test.end) - 1


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // MICROSECOND


def _between(found: Column, low: int | None, high: int | None) -> Mask:
    if (low is not None and low > INT64) or (high is not None and high < -INT64):
        return np.zeros(len(found.values), dtype=np.bool_)
    mask = found.present
    if low is not None and low >= -INT64:
        mask = mask & (found.values >= low)
    if high is not None and high <= INT64:
        mask = mask & (found.values <= high)
    return mask


def _hashes(found: Column, wanted: tuple[str, ...]) -> list[int]:
    known = found.texts or {}
    return [known[text] for text in wanted if text in known]


def _among(found: Column, hashes: list[int]) -> Mask:
    if not hashes:
        return np.zeros(len(found.values), dtype=np.bool_)
    if len(hashes) == 1:
        return cast("Mask", (found.values == np.uint64(hashes[0])) & found.present)
    return np.isin(found.values, np.array(hashes, dtype=np.uint64)) & found.present


def _ratio(numerators: Array, denominators: Array, test: Range) -> Mask | None:
    """Keep quotients inside, exactly: a / b >= p / q as a * q >= p * b; None for huge figures."""
    size = min(len(numerators), len(denominators))
    above, below = numerators[:size], denominators[:size]
    mask = np.ones(size, dtype=np.bool_)
    for bound, included, is_low in (
        (test.low, test.low_included, True),
        (test.high, test.high_included, False),
    ):
        if bound is None:
            continue
        if abs(bound) > LARGEST:
            if (bound > 0) == is_low:
                return np.zeros(size, dtype=np.bool_)
            continue
        if not (_is_safe(above, bound.denominator) and _is_safe(below, bound.numerator)):
            return None
        left, right = above * bound.denominator, below * bound.numerator
        larger, smaller = (left, right) if is_low else (right, left)
        mask &= larger >= smaller if included else larger > smaller
    return mask


def _is_safe(values: Array, factor: int) -> bool:
    """Whether the products stay within 64 bits."""
    if not len(values):
        return True
    largest = max(abs(int(values.max())), abs(int(values.min())))
    return largest * abs(factor) <= INT64 and abs(factor) <= INT64


def _days(instants: Array, zone: ZoneInfo) -> Array:
    """Return the shop's day of each instant, as days since 1970."""
    known = offsets(zone)
    seconds = np.array([one for _, one in known], dtype=np.int64)
    if len(known) == 1:
        return cast("Array", (instants + seconds[0] * 1_000_000) // _DAY)
    starts = np.array([_microseconds(at) for at, _ in known[1:]], dtype=np.int64)
    ahead = seconds[np.searchsorted(starts, instants, side="right")]
    return cast("Array", (instants + ahead * 1_000_000) // _DAY)
