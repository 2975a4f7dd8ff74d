"""The customer evaluator: does this one customer match, in plain Python over one record.

Queries are compiled to closures once and asked many times: an arriving order asks a hundred of
them about one customer. It shares the meaning of literals with the set evaluator (lowered.py) and
nothing else, so that the two can prove each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import starmap
from math import asin, cos, radians, sin, sqrt
from typing import Any
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from regulars.engine.context import Context
from regulars.engine.days import local_day
from regulars.engine.lowered import (
    Condition,
    Flag,
    Instants,
    Named,
    Near,
    Present,
    Question,
    Range,
    Ranked,
    Steps,
    Test,
    Texts,
    Yearly,
    lower,
    only,
    sides,
)
from regulars.engine.view import CountedOrder, View, days_between, view_of
from regulars.language.rfm import together
from regulars.language.shapes import (
    Annual,
    Distance,
    Events,
    Figure,
    Labels,
    Metafield,
    NamedSet,
    Rank,
    StoreCredit,
    Value,
)
from regulars.language.tree import And, AtLeast, Filter, Node, Not, Or
from regulars.warehouse.record import CustomerRecord, LineRecord, StoreCreditRecord

Answer = Callable[[View], bool]
#: Tests one value, which may be missing.
Check = Callable[[Any], bool]

_EARTH_KM = 6371.0088
_NINE = Decimal("1e-9")


class SharedAnswers:
    """Answers that the queries of one context share: each question is worked out once a customer.

    Ask all queries about one customer before the next, and in one thread at a time.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self._answers: dict[Question, Answer] = {}

    def compile(self, tree: Node) -> Answer:
        """Return what to ask of views; negations hold for customers of the universe alone."""
        return compile_tree(tree, self.context, self)

    def view(self, record: CustomerRecord) -> View | None:
        """Return what is asked about a customer; None outside the universe: nothing matches."""
        view = View(record, self.context.as_of)
        return view if view.is_there(self.context.universe) else None

    def of(self, question: Question) -> Answer:
        """Return the answer to a question, compiled at its first mention."""
        if isinstance(question.source, NamedSet):
            # One look into a set, which may change between two queries about one customer.
            return compile_question(question, self.context)
        found = self._answers.get(question)
        if found is None:
            found = _asked_once(compile_question(question, self.context))
            self._answers[question] = found
        return found


def _asked_once(answer: Answer) -> Answer:
    last: View | None = None
    said = False

    def remembered(view: View) -> bool:
        nonlocal last, said
        if view is not last:
            last, said = view, answer(view)
        return said

    return remembered


def compile_query(tree: Node, context: Context) -> Callable[[CustomerRecord], bool]:
    """Return what to ask of records: whether the customer matches at the context's instant.

    Customers outside the universe match nothing, negations included.
    """
    answer = compile_tree(tree, context)
    as_of, universe = context.as_of, context.universe

    def matches(record: CustomerRecord) -> bool:
        view = view_of(record, as_of)
        return view.is_there(universe) and answer(view)

    return matches


def compile_tree(tree: Node, context: Context, shared: SharedAnswers | None = None) -> Answer:
    """Return the tree's answer for a view, whatever the universe."""
    if isinstance(tree, Filter):
        return compile_filter(tree, context, shared)
    if isinstance(tree, Not):
        inner = compile_tree(tree.part, context, shared)
        return lambda view: not inner(view)
    return _join(tree, [compile_tree(part, context, shared) for part in tree.parts])


def _join(node: And | Or | AtLeast, parts: Sequence[Answer]) -> Answer:
    if isinstance(node, AtLeast):
        needed = node.count
        return lambda view: sum(part(view) for part in parts) >= needed
    if isinstance(node, And):

        def both(view: View) -> bool:
            for part in parts:  # noqa: SIM110 - a generator costs twice the time here
                if not part(view):
                    return False
            return True

        return both

    def any_of(view: View) -> bool:
        for part in parts:  # noqa: SIM110 - as above
            if part(view):
                return True
        return False

    return any_of


def compile_filter(
    filter_: Filter, context: Context, shared: SharedAnswers | None = None
) -> Answer:
    """Return one filter's answer for a view."""
    question, negated = lower(filter_, context)
    answer = shared.of(question) if shared else compile_question(question, context)
    return (lambda view: not answer(view)) if negated else answer


def compile_question(  # noqa: PLR0911 - one line per shape
    question: Question, context: Context
) -> Answer:
    """Return the answer to a filter's positive form."""
    source = question.source
    match source:
        case Value():
            return _value(source, question.test)
        case Labels():
            return _labels(source, question.test)
        case Events(in_order=True):
            return _pairs(question, context.zone)
        case Events(of=of):
            return _events(question, of, context.zone)
        case Figure(name=name):
            return _figure(name, question, context.zone)
        case NamedSet(of=of):
            return _named(question.test, of, context)
        case Rank(of=of):
            return _rank(of, question.test)
        case _:
            return _stored(question, context)


def _stored(question: Question, context: Context) -> Answer:
    match question.source:
        case Metafield():
            return _metafield(question)
        case Annual():
            return _annual(question, context.zone)
        case StoreCredit():
            return _credit(question)
        case Distance():
            return _distance(question.test)
    raise AssertionError(f"{question.source} has no answer")


# -- one value -------------------------------------------------------------------------------------


def check(test: Test) -> Check:
    """Return the comparison of one value, false where the value is missing."""
    match test:
        case Instants(start=start, end=end):
            return _instants(start, end)
        case Steps(low=low, high=high):
            return _steps(low, high)
        case Texts(values=values) if len(values) == 1:
            only = values[0]
            return lambda value: bool(value == only)
        case Texts(values=values):
            several = frozenset(values)
            return lambda value: value in several
        case Present():
            return lambda value: value is not None
    raise AssertionError(f"{test} is no comparison of one value")


def _instants(start: datetime | None, end: datetime | None) -> Check:
    if start is None and end is None:
        return lambda value: value is not None
    if start is None:
        return lambda value: value is not None and value < end
    if end is None:
        return lambda value: value is not None and value >= start
    return lambda value: value is not None and start <= value < end


def _steps(low: int | None, high: int | None) -> Check:
    if low is None and high is None:
        return lambda value: value is not None
    if low is None:
        return lambda value: value is not None and value <= high
    if high is None:
        return lambda value: value is not None and value >= low
    return lambda value: value is not None and low <= value <= high


def in_range(value: Fraction | int, test: Range) -> bool:
    """Whether a number lies between the bounds, each included or not."""
    if test.low is not None and (value < test.low or (value == test.low and not test.low_included)):
        return False
    return test.high is None or value < test.high or (value == test.high and test.high_included)


def _value(source: Value, test: Test) -> Answer:
    holds = check(test)
    name = source.column
    match name:
        case "order_count":
            return lambda view: holds(view.order_count + view.unseen("unseen_order_count"))
        case "spent_amount":
            return lambda view: holds(view.spent_amount + view.unseen("unseen_spent_amount"))
        case "first_order_at":
            return lambda view: holds(view.first_order_at)
        case "last_order_at":
            return lambda view: holds(view.last_order_at)
    return lambda view: holds(view.record.values.get(name))


# -- labels and named sets -------------------------------------------------------------------------


def _labels(source: Labels, test: Test) -> Answer:
    if isinstance(test, Present):
        return lambda view: bool(view.labels(source))
    test = only(Texts, test)
    wanted = test.values[0]
    return lambda view: wanted in view.labels(source)


def _named(test: Test, of: str, context: Context) -> Answer:
    test = only(Named, test)
    members: BitMap = context.named_set(of, test.name)
    return lambda view: view.record.customer_no in members


# -- events ----------------------------------------------------------------------------------------

RowCheck = Callable[[CountedOrder, LineRecord | None], bool]

_OF_ORDER = frozenset({"net_amount", "refunded_amount", "number", "number_from_last"})
_SETS = frozenset({"tag_keys", "discount_code_keys", "product_tag_keys", "collection_ids"})


def row_value(
    of: str, name: str, zone: ZoneInfo
) -> Callable[[CountedOrder, LineRecord | None], Any]:
    """Return how a row's column is read."""
    if name in _OF_ORDER:
        return lambda counted, _: getattr(counted, name)
    if name == "days_since_previous":
        return lambda counted, _: counted.days_since_previous(zone)
    if _is_of_order(name, of):
        return lambda counted, _: getattr(counted.order, name)
    return lambda _, line: getattr(line, name)


def _is_of_order(name: str, of: str) -> bool:
    """Whether a column is the order's, the same for all its lines."""
    return of == "orders" or name in _OF_ORDER or name in {"processed_at", "days_since_previous"}


def row_check(condition: Condition, of: str, zone: ZoneInfo) -> RowCheck:
    """Return whether a row meets a condition; a missing value meets only !=."""
    read = row_value(of, condition.column, zone)
    if condition.column in _SETS:
        test = only(Texts, condition.test)
        wanted = frozenset(test.values)

        def positive(counted: CountedOrder, line: LineRecord | None) -> bool:
            return not wanted.isdisjoint(read(counted, line))
    else:
        holds = check(condition.test)

        def positive(counted: CountedOrder, line: LineRecord | None) -> bool:
            return holds(read(counted, line))

    if condition.negated:
        return lambda counted, line: not positive(counted, line)
    return positive


Row = tuple[CountedOrder, LineRecord | None]


def rows_kept(
    conditions: Sequence[Condition], of: str, zone: ZoneInfo
) -> Callable[[View], Iterator[Row]]:
    """Return how the rows that meet every condition are found in a view."""
    picked = next((one for one in conditions if _picks(one, of)), None)
    checks: dict[bool, list[RowCheck]] = {True: [], False: []}
    for condition in conditions:
        if condition is not picked:
            checks[_is_of_order(condition.column, of)].append(row_check(condition, of, zone))
    # What is the same for all lines of an order is asked once.
    of_order, of_line = _every(checks[True]), _every(checks[False])
    if picked is not None:
        return _lines_kept(picked, of_order, of_line)
    return _orders_kept(of_order) if of == "orders" else _all_kept(of_order, of_line)


def _orders_kept(of_order: RowCheck) -> Callable[[View], Iterator[Row]]:
    def kept(view: View) -> Iterator[Row]:
        return ((counted, None) for counted in view.orders if of_order(counted, None))

    return kept


def _all_kept(of_order: RowCheck, of_line: RowCheck) -> Callable[[View], Iterator[Row]]:
    def kept(view: View) -> Iterator[Row]:
        for counted in view.orders:
            if of_order(counted, None):
                for line in counted.order.lines:
                    if of_line(counted, line):
                        yield counted, line

    return kept


def _lines_kept(
    picked: Condition, of_order: RowCheck, of_line: RowCheck
) -> Callable[[View], Iterator[Row]]:
    column, value = picked.column, only(Texts, picked.test).values[0]

    def kept(view: View) -> Iterator[Row]:
        for counted, line in view.lines_by(column).get(value, ()):
            if of_order(counted, None) and of_line(counted, line):
                yield counted, line

    return kept


def _picks(condition: Condition, of: str) -> bool:
    """Whether a condition names one text of lines, which a view then finds at once."""
    names_text = isinstance(condition.test, Texts) and len(condition.test.values) == 1
    return names_text and not condition.negated and not _is_of_order(condition.column, of)


def _every(checks: Sequence[RowCheck]) -> RowCheck:
    """Return one check for several; one or two, nearly always, cost no loop."""
    if not checks:
        return lambda _counted, _line: True
    if len(checks) == 1:
        return checks[0]
    first, rest = checks[0], _every(checks[1:])
    return lambda counted, line: first(counted, line) and rest(counted, line)


def _events(question: Question, of: str, zone: ZoneInfo) -> Answer:
    kept = rows_kept(question.rows, of, zone)
    if not question.counts and not question.sums:
        return lambda view: next(kept(view), None) is not None
    totals: list[tuple[Callable[[list[Any]], int], Check, bool]] = [
        (count_of, check(one.test), one.negated) for one in question.counts
    ]
    for one in question.sums:
        read = row_value(of, one.column, zone)
        totals.append((_adder(read), check(one.test), one.negated))

    def holds(view: View) -> bool:
        rows = list(kept(view))
        return all(good(total(rows)) is not negated for total, good, negated in totals)

    return holds


def paired_rows(view: View, question: Question, zone: ZoneInfo) -> list[tuple[Row, Row]]:
    """Return the pairs of lines that meet every condition, the second from a later order."""
    first, later, apart = sides(question.rows)
    starts = rows_kept(first, "lines", zone)(view)
    ends = list(rows_kept(later, "lines", zone)(view))
    checks = [check(one.test) for one in apart]
    return [
        (start, end)
        for start in starts
        for end in ends
        if start[0].number < end[0].number
        and all(
            holds(days_between(start[0].order.processed_at, end[0].order.processed_at, zone))
            for holds in checks
        )
    ]


def _pairs(question: Question, zone: ZoneInfo) -> Answer:
    return lambda view: bool(paired_rows(view, question, zone))


def count_of(rows: Sequence[Row]) -> int:
    """Return how many orders the rows belong to."""
    return len({counted.order.order_id for counted, _ in rows})


def _adder(read: Callable[[CountedOrder, LineRecord | None], Any]) -> Callable[[list[Any]], int]:
    return lambda rows: sum(starmap(read, rows))


# -- figures worked out from the orders ------------------------------------------------------------


def figure_of(view: View, name: str, today: date | None, zone: ZoneInfo) -> Fraction | int | None:
    """Return a figure of the catalogue; None where it is missing."""
    if name == "refunded_amount":
        return view.refunded_amount
    first, last = view.first_order_at, view.last_order_at
    if first is None or last is None:
        return None
    if name == "average_order_value":
        return Fraction(view.spent_amount, view.order_count)
    if name == "average_days_between_orders":
        if view.order_count < 2:
            return None
        return Fraction(days_between(first, last, zone), view.order_count - 1)
    if today is None:
        raise AssertionError("days are counted until a day")
    since = first if name == "days_since_first_order" else last
    return today.toordinal() - local_day(since, zone).toordinal()


def _figure(name: str, question: Question, zone: ZoneInfo) -> Answer:
    test, today = question.test, question.today
    if isinstance(test, Present):
        # Whether there is a figure does not depend on the day.
        return lambda view: figure_of(view, name, date.max, zone) is not None
    test = only(Range, test)

    def holds(view: View) -> bool:
        figure = figure_of(view, name, today, zone)
        return figure is not None and in_range(figure, test)

    return holds


_RANKED_BY: dict[str, Callable[[View], Any]] = {
    "recency": lambda view: view.last_order_at,
    "frequency": lambda view: view.order_count,
    "monetary": lambda view: view.spent_amount,
}


def _rank(of: str, test: Test) -> Answer:
    if isinstance(test, Present):
        return lambda view: bool(view.orders)
    if isinstance(test, Ranked):
        pairs = frozenset(test.pairs)
        bounds = test.recency, test.frequency, test.monetary
        return lambda view: bool(view.orders) and _pair(view, *bounds) in pairs
    read, holds = _RANKED_BY[of], check(test)
    return lambda view: bool(view.orders) and holds(read(view))


def _pair(
    view: View,
    recency: Sequence[datetime],
    frequency: Sequence[int],
    monetary: Sequence[int],
) -> tuple[int, int]:
    """Return a buyer's score of recency, and that of frequency and spend together."""
    last = view.orders[-1].order.processed_at
    first = 1 + sum(last >= bound for bound in recency)
    often = 1 + sum(view.order_count >= bound for bound in frequency)
    much = 1 + sum(view.spent_amount >= bound for bound in monetary)
    return first, together(often, much)


# -- metafields, anniversaries, store credit, distance ---------------------------------------------

_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_NUMBER_TYPES = frozenset({"number_integer", "number_decimal"})
_NOT_TEXTS = _NUMBER_TYPES | {"boolean", "date", "date_time"}


def read_number(text: object) -> int | None:
    """Read a decimal text in steps of 10 ** -9; None where it is none."""
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    if number.adjusted() >= 29:  # more digits than DECIMAL(38, 9) holds
        return None
    return int(number.quantize(_NINE, ROUND_HALF_UP).scaleb(9))


def read_date(text: str) -> date | None:
    """Read a calendar day; None where there is no such day."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_instant(text: str) -> datetime | None:
    """Read an ISO 8601 instant; without an offset it is UTC."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _metafield(question: Question) -> Answer:
    key, test = question.key or "", question.test
    if isinstance(test, Present):
        return lambda view: key in view.record.metafields
    holds = _list_check(test) if question.contains else _typed_check(test)

    def found(view: View) -> bool:
        stored = view.record.metafields.get(key)
        return stored is not None and holds(*stored)

    return found


def _typed_check(test: Test) -> Callable[[str, str], bool]:
    if isinstance(test, Flag):
        said = "true" if test.value else "false"
        return lambda type_, value: type_ == "boolean" and value == said
    if isinstance(test, Steps):
        number = check(test)
        return lambda type_, value: type_ in _NUMBER_TYPES and number(read_number(value))
    if isinstance(test, Texts):
        text = check(test)
        return lambda type_, value: (
            type_ not in _NOT_TEXTS and not type_.startswith("list.") and text(value)
        )
    if isinstance(test, Instants):
        return _day_check(test)
    raise AssertionError(f"{test} is no comparison of a metafield")


def _day_check(test: Instants) -> Callable[[str, str], bool]:
    instant = _instants(test.start, test.end)
    wall = _instants(test.first, test.last)

    def holds(type_: str, value: str) -> bool:
        if type_ == "date":
            day = read_date(value)
            return day is not None and wall(datetime(day.year, day.month, day.day))  # noqa: DTZ001
        return type_ == "date_time" and instant(read_instant(value))

    return holds


def read_list(value: str) -> list[object]:
    """Read a JSON list; anything else is an empty one."""
    try:
        found = json.loads(value, parse_float=str, parse_int=str)
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def _list_check(test: Test) -> Callable[[str, str], bool]:
    holds = check(test)
    if isinstance(test, Steps):
        return lambda type_, value: (
            type_.startswith("list.number_")
            and any(holds(read_number(element)) for element in read_list(value))
        )
    return lambda type_, value: (
        type_.startswith("list.")
        and not type_.startswith("list.number_")
        and any(holds(element) for element in read_list(value))
    )


def _annual(question: Question, zone: ZoneInfo) -> Answer:
    key, test = question.key or "", question.test

    def day(view: View) -> date | None:
        return annual_day(view.record, key, zone)

    if isinstance(test, Present):
        return lambda view: (
            view.record.metafields.get(key, ("", ""))[0] in {"date", "date_time"}
            and (day(view) is not None)
        )
    test = only(Yearly, test)
    ranges = test.ranges

    def holds(view: View) -> bool:
        found = day(view)
        if found is None:
            return False
        number = found.month * 100 + found.day
        return any(low <= number <= high for low, high in ranges)

    return holds


def annual_day(record: CustomerRecord, key: str, zone: ZoneInfo) -> date | None:
    """Return the day of a date metafield, in the shop's zone where it is an instant."""
    type_, value = record.metafields.get(key, ("", ""))
    if type_ == "date":
        return read_date(value)
    instant = read_instant(value) if type_ == "date_time" else None
    return None if instant is None else local_day(instant, zone)


def _credit(question: Question) -> Answer:
    checks = [_credit_check(condition) for condition in question.rows]
    return lambda view: any(
        all(holds(account) for holds in checks) for account in view.record.store_credit
    )


def _credit_check(condition: Condition) -> Callable[[StoreCreditRecord], bool]:
    holds, name, negated = check(condition.test), condition.column, condition.negated
    if name == "balance":
        return lambda account: holds(int(account.balance.scaleb(9))) is not negated
    return lambda account: holds(getattr(account, name)) is not negated


def kilometres(near: Near, latitude: float, longitude: float) -> float:
    """Return the great-circle distance from the point (haversine)."""
    north = sin(radians(latitude - near.latitude) / 2)
    east = sin(radians(longitude - near.longitude) / 2)
    chord = north * north + cos(radians(near.latitude)) * cos(radians(latitude)) * east * east
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, chord)))


def _distance(test: Test) -> Answer:
    test = only(Near, test)

    def holds(view: View) -> bool:
        return any(
            is_near(test, kilometres(test, place.latitude, place.longitude))
            for place in view.record.places
            if place.latitude is not None and place.longitude is not None
        )

    return holds


def is_near(near: Near, distance: float) -> bool:
    """Whether a distance is within the limit."""
    return distance <= near.limit_km if near.included else distance < near.limit_km
