"""Questions as SQL: one statement per question, whose rows are the customers it is true for.

One function per shape of the catalogue; a new filter is a new row there, not a new function here.
A plan may be inverted: its rows are then the customers for whom the answer is no, because
"0 orders" is true for customers who have no row to select.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from sqlglot import exp

from regulars.engine.context import Universe
from regulars.engine.days import day_end, day_start
from regulars.engine.events import counted_orders, dated_events, events_query, pairs_query
from regulars.engine.lowered import (
    Condition,
    Near,
    Present,
    Question,
    Range,
    Ranked,
    Steps,
    Texts,
    only,
)
from regulars.engine.metafields import annual_query, metafield_query
from regulars.engine.predicates import (
    BoundValue,
    at_least,
    at_most,
    below,
    between_decimals,
    column,
    every,
    inside,
    missing,
    negate,
    one_of,
    present,
    ratio_inside,
    within,
)
from regulars.engine.scope import Scope
from regulars.engine.zones import local_day, offset_since
from regulars.language.shapes import (
    Annual,
    Distance,
    Events,
    Figure,
    Labels,
    Metafield,
    Rank,
    Source,
    StoreCredit,
    Value,
)

EARTH_RADIUS_KM = 6371.0088
#: Columns whose stored texts are folded already.
_FOLDED = frozenset({"tag_key"})
UNSEEN = {"order_count": "unseen_order_count", "spent_amount": "unseen_spent_amount"}


#: Statements kept by question: a question comes back with every change of the data.
PLANS_MAX = 4096


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement in DuckDB's words, whose rows are customer numbers, perhaps repeated.

    `inverted`: they are the customers of the "no".
    """

    sql: str
    values: Mapping[str, BoundValue]
    inverted: bool = False


def plan(question: Question, scope: Scope) -> Plan:
    """Write the statement that answers a question."""
    if reads_spellings(question):
        query, inverted = _by_shape(question, scope)
        return written(query, scope, inverted=inverted)
    return _kept_plan(question, scope.past, offset_since(scope.zone, scope.as_of), scope.zone)


@functools.lru_cache(maxsize=PLANS_MAX)
def _kept_plan(question: Question, past: datetime | None, since: datetime, zone: ZoneInfo) -> Plan:
    """Write a statement that depends on nothing but the question and the time.

    Of the instant only the zone's offsets until then count, so `since` stands for it.
    """
    scope = Scope(past, since, zone, _no_spellings)
    query, inverted = _by_shape(question, scope)
    return written(query, scope, inverted=inverted)


#: The table of customers that a shape reads; `customers` where none is named here.
_TABLES: dict[type[Source], str] = {
    Annual: "metafields",
    Distance: "addresses",
    Metafield: "metafields",
    StoreCredit: "store_credit_accounts",
}


def reads_of(question: Question) -> tuple[frozenset[str], frozenset[str]]:
    """Return the tables of customers that a question reads, and the columns that it names."""
    source = question.source
    named = (*question.rows, *question.counts, *question.sums)
    columns = frozenset(one.column.rpartition(".")[2] for one in named)
    match source:
        case Value():
            return frozenset({"customers"}), frozenset({source.column})
        case Labels():
            return frozenset({source.table}), columns
        case Events():
            return frozenset({"orders", source.of}), columns
    return frozenset({_TABLES.get(type(source), "customers")}), columns


def forget_plans() -> None:
    """Forget the kept statements; only somebody who measures has a reason to."""
    _kept_plan.cache_clear()


def _no_spellings(table: str, name: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    raise AssertionError(f"{table}.{name} is compared with {keys} as they are stored")


def reads_spellings(question: Question) -> bool:
    """Whether the statement names stored texts that have to be looked up first."""
    source = question.source
    return isinstance(source, Labels) and source.fold and source.column not in _FOLDED


def written(query: exp.Select, scope: Scope, *, inverted: bool = False) -> Plan:
    """Print the statement, with the bound values that it uses; DuckDB refuses others."""
    names = {place.name for place in query.find_all(exp.Placeholder)}
    used = {name: value for name, value in scope.binds.values.items() if name in names}
    return Plan(query.sql("duckdb"), used, inverted)


def _by_shape(question: Question, scope: Scope) -> tuple[exp.Select, bool]:  # noqa: PLR0911
    source = question.source
    match source:
        case Value():
            return _value_query(question, source, scope), False
        case Labels():
            return _labels_query(question, source, scope), False
        case Events(in_order=True):
            return pairs_query(question, scope), False
        case Events():
            return events_query(question, scope, source.of)
        case Figure():
            return _figure_query(question, source, scope)
        case Rank():
            return _rank_query(question, source, scope), False
        case Metafield():
            return metafield_query(question, scope), False
        case Annual():
            return annual_query(question, scope), False
        case StoreCredit():
            return _credit_query(question, scope), False
        case Distance():
            return _distance_query(question), False
    raise AssertionError(f"{source} has no statement")


def universe_plan(universe: Universe, scope: Scope) -> Plan:
    """Write the statement for everybody there is at the instant.

    A customer is there from being added, or from the first order; one of whom neither is known is
    always there. Buyers have a counted order. The deleted are in no universe, past ones included.
    """
    parts = [missing(column("deleted_at"))]
    source: exp.Expr = exp.to_table("customers")
    if scope.past is not None:
        parts.append(_was_there(scope))
    query = exp.Select().select(column("customer_no"), copy=False).from_(source, copy=False)
    if universe == "buyers":
        parts.append(_has_bought(scope))
    query = query.where(*parts, copy=False)
    return written(query, scope)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def dated_plan(question: Question, scope: Scope, start: int, end: int) -> Plan:
    """Write the statement for the rows behind a question that stand between two instants."""
    source = question.source
    if isinstance(source, Value):
        name, query = source.column, exp.Select().select(column("customer_no"), copy=False)
        query = query.from_(exp.to_table("customers"), copy=False)
    else:
        name = "processed_at"
        query = dated_events(question, scope, only(Events, source).of)
    query = query.select(exp.alias_(column(name), "dated_at", copy=False), copy=False)
    for bound, keep in ((start, at_least), (end, below)):
        instant = _instant_of(bound)
        if instant is not None:
            query = query.where(keep(column(name), scope.binds.instant(instant)), copy=False)
    return written(query.where(present(column(name)), copy=False), scope)


def _instant_of(microseconds: int) -> datetime | None:
    """Return an instant, or None for one outside the calendar."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return None


def _was_there(scope: Scope) -> exp.Expr:
    if scope.past is None:
        raise AssertionError("everybody is there now")
    real = [exp.Not(this=column("is_test")), present(column("customer_no"))]
    until = at_most(column("processed_at"), scope.binds.instant(scope.past))
    ordered = within(column("customer_no"), _customers_of_orders([*real, until]))
    ever = within(column("customer_no"), _customers_of_orders([one.copy() for one in real]))
    unknown = every([missing(column("added_at")), exp.Not(this=ever)])
    added = at_most(column("added_at"), scope.binds.instant(scope.past))
    first = exp.Or(this=added, expression=ordered)
    return exp.Paren(this=exp.Or(this=first, expression=exp.Paren(this=unknown)))


def _customers_of_orders(parts: list[exp.Expr]) -> exp.Select:
    return (
        exp.Select()
        .select(column("customer_no"), copy=False)
        .from_(exp.to_table("orders"), copy=False)
        .where(*parts, copy=False)
    )


def _has_bought(scope: Scope) -> exp.Expr:
    unseen = exp.GT(this=column("unseen_order_count"), expression=exp.Literal.number(0))
    if scope.past is None:
        seen: exp.Expr = exp.GT(this=column("order_count"), expression=exp.Literal.number(0))
    else:
        orders = exp.alias_(
            exp.Subquery(this=counted_orders(scope, ())), "counted", table=True, copy=False
        )
        seen = within(
            column("customer_no"),
            exp.Select().select(column("customer_no"), copy=False).from_(orders, copy=False),
        )
    return exp.Paren(this=exp.Or(this=seen, expression=unseen))


def _value_query(question: Question, source: Value, scope: Scope) -> exp.Select:
    query = exp.Select().select(column("customer_no", "customers"), copy=False)
    query = query.from_(exp.to_table("customers"), copy=False)
    subject: exp.Expr = column(source.column)
    if source.rollup and scope.past is not None:
        query = query.join(
            exp.alias_(exp.Subquery(this=_sums(scope)), "sums", table=True, copy=False),
            using=[exp.to_identifier("customer_no")],
            join_type="left",
            copy=False,
        )
        subject = column(source.column, "sums")
    if source.column in UNSEEN:
        zero = exp.Literal.number(0)
        seen = exp.Coalesce(this=subject, expressions=[zero])
        subject = exp.Paren(this=exp.Add(this=seen, expression=column(UNSEEN[source.column])))
    if isinstance(question.test, Present):
        return query.where(present(subject), copy=False)
    return query.where(inside(subject, question.test, scope.binds), copy=False)


def _sums(scope: Scope) -> exp.Select:
    """Select each customer's sums over the counted orders of the instant, under the kept names."""
    orders = counted_orders(scope, ("processed_at", "net_amount", "refunded_amount"))
    amounts = {
        "order_count": exp.Count(this=exp.Star()),
        "spent_amount": exp.Sum(this=column("net_amount")),
        "all_refunds": exp.Sum(this=column("refunded_amount")),
        "first_order_at": exp.Min(this=column("processed_at")),
        "last_order_at": exp.Max(this=column("processed_at")),
    }
    named = [exp.alias_(amount, name, copy=False) for name, amount in amounts.items()]
    query = exp.Select().select(column("customer_no"), *named, copy=False)
    query = query.from_(
        exp.alias_(exp.Subquery(this=orders), "counted", table=True, copy=False), copy=False
    )
    return query.group_by(column("customer_no"), copy=False)


def _labels_query(question: Question, source: Labels, scope: Scope) -> exp.Select:
    query = (
        exp.Select()
        .select(column("customer_no"), copy=False)
        .from_(exp.to_table(source.table), copy=False)
    )
    if isinstance(question.test, Present):
        return query.where(present(column(source.column)), copy=False)
    test = only(Texts, question.test)
    values = test.values
    if source.fold and source.column not in _FOLDED:
        values = scope.spellings(source.table, source.column, values)
    return query.where(one_of(column(source.column), values, scope.binds), copy=False)


def _figure_query(question: Question, source: Figure, scope: Scope) -> tuple[exp.Select, bool]:
    test = question.test
    if source.name == "refunded_amount":
        return _refunded_query(test, scope)
    least = 2 if source.name == "average_days_between_orders" else 1
    query = _buyers(scope, ("customer_no",), least)
    if isinstance(test, Present):
        return query, False
    test = only(Range, test)
    if source.name.startswith("days_since_"):
        subject = column(
            "first_order_at" if source.name.endswith("first_order") else "last_order_at"
        )
        return query.where(_days_since(subject, test, question.today, scope), copy=False), False
    return query.where(
        ratio_inside(*_ratio(source.name, scope), test, scope.binds), copy=False
    ), False


def _buyers(scope: Scope, names: Iterable[str], least: int = 1) -> exp.Select:
    """Select from the sums of customers with so many counted orders, open for more conditions."""
    query = exp.Select().select(*(column(name) for name in names), copy=False)
    if scope.past is None:
        query = query.from_(exp.to_table("customers"), copy=False)
    else:
        query = query.from_(
            exp.alias_(exp.Subquery(this=_sums(scope)), "sums", table=True, copy=False), copy=False
        )
    return query.where(at_least(column("order_count"), exp.Literal.number(least)), copy=False)


#: What each score looks at.
RANKED_BY = {"recency": "last_order_at", "frequency": "order_count", "monetary": "spent_amount"}


def rfm_plan(scope: Scope) -> Plan:
    """Write the statement for the figures that the thresholds of RFM scores are made of."""
    there = exp.Select().select(column("customer_no"), copy=False)
    there = there.from_(exp.to_table("customers"), copy=False)
    there = there.where(missing(column("deleted_at")), copy=False)
    query = _buyers(scope, RANKED_BY.values())
    return written(query.where(within(column("customer_no"), there), copy=False), scope)


def _rank_query(question: Question, source: Rank, scope: Scope) -> exp.Select:
    query = _buyers(scope, ("customer_no",))
    test = question.test
    if isinstance(test, Present):
        return query
    if isinstance(test, Ranked):
        return query.where(_is_ranked(test, scope), copy=False)
    return query.where(inside(column(RANKED_BY[source.of]), test, scope.binds), copy=False)


def _is_ranked(test: Ranked, scope: Scope) -> exp.Expr:
    """Compare (recency, frequency and spend together), read as one number of two digits."""
    bind = scope.binds
    recency = _score("last_order_at", [bind.instant(one) for one in test.recency])
    frequency = _score("order_count", [bind(one) for one in test.frequency])
    monetary = _score("spent_amount", [bind(one) for one in test.monetary])
    both = exp.Add(this=exp.Add(this=frequency, expression=monetary), expression=_one())
    together = exp.IntDiv(this=exp.Paren(this=both), expression=exp.Literal.number(2))
    tens = exp.Mul(this=recency, expression=exp.Literal.number(10))
    wanted = [exp.Literal.number(first * 10 + second) for first, second in test.pairs]
    return exp.In(this=exp.Paren(this=exp.Add(this=tens, expression=together)), expressions=wanted)


def _score(name: str, bounds: Iterable[exp.Expr]) -> exp.Expr:
    """Write 1 and one more for each bound that a column reaches."""
    total = _one()
    for bound in bounds:
        reached = exp.cast(exp.Paren(this=at_least(column(name), bound)), "INT", copy=False)
        total = exp.Add(this=total, expression=reached)
    return exp.Paren(this=total)


def _one() -> exp.Expr:
    return exp.Literal.number(1)


def _ratio(name: str, scope: Scope) -> tuple[exp.Expr, exp.Expr]:
    if name == "average_order_value":
        return column("spent_amount"), column("order_count")
    first, last = (
        local_day(column(at), scope.zone, scope.binds, scope.as_of)
        for at in ("first_order_at", "last_order_at")
    )
    gaps = exp.Sub(this=column("order_count"), expression=exp.Literal.number(1))
    return exp.Paren(this=exp.Sub(this=last, expression=first)), exp.Paren(this=gaps)


def _days_since(subject: exp.Expr, test: Range, today: date | None, scope: Scope) -> exp.Expr:
    """Turn "n days since" into instants: at least n is before the end of the day n days ago."""
    if today is None:
        raise AssertionError("days are counted from a day")
    latest, earliest, is_empty = days_between_bounds(test, today)
    if is_empty:
        return exp.false()
    parts: list[exp.Expr] = [exp.true()]
    end = None if latest is None else day_end(latest, scope.zone)
    if end is not None:
        parts.append(below(subject.copy(), scope.binds.instant(end)))
    if earliest is not None:
        start = day_start(earliest, scope.zone)
        parts.append(at_least(subject.copy(), scope.binds.instant(start)))
    return every(parts)


def days_between_bounds(test: Range, today: date) -> tuple[date | None, date | None, bool]:
    """Return the latest and earliest day that "n days before today" allows; whether none is."""
    latest = earliest = None
    if test.low is not None:
        low = _least_whole(test.low, included=test.low_included)
        if low >= today.toordinal():
            return None, None, True
        latest = _days_before(today, low)
    if test.high is not None:
        high = -_least_whole(-test.high, included=test.high_included)
        if high < today.toordinal():
            earliest = _days_before(today, high)
    return latest, earliest, False


def _days_before(today: date, count: int) -> date:
    return date.fromordinal(min(max(today.toordinal() - count, 1), date.max.toordinal()))


def _least_whole(number: Fraction, *, included: bool) -> int:
    """Return the least whole number that is at least, or above, a number."""
    floor = number.numerator // number.denominator
    return floor if included and floor == number else floor + 1


def _refunded_query(test: object, scope: Scope) -> tuple[exp.Select, bool]:
    test = only(Range, test)
    low, high = test.low, test.high
    steps = Steps(
        None if low is None else _least_whole(low, included=test.low_included),
        None if high is None else -_least_whole(-high, included=test.high_included),
        0,
    )
    total = Condition("refunded_amount", "refunded_amount", steps, negated=False)
    return events_query(Question(Events("orders"), Present(), sums=(total,)), scope, "orders")


def _credit_query(question: Question, scope: Scope) -> exp.Select:
    query = exp.Select().select(column("customer_no"), copy=False)
    query = query.from_(exp.to_table("store_credit_accounts"), copy=False)
    parts = [_credit_predicate(condition, scope) for condition in question.rows]
    return query.where(*parts, copy=False) if parts else query


def _credit_predicate(condition: Condition, scope: Scope) -> exp.Expr:
    if isinstance(condition.test, Steps):
        balance = exp.cast(column("balance_amount"), "DECIMAL(38, 9)", dialect="duckdb", copy=False)
        predicate = between_decimals(balance, condition.test, scope.binds)
    else:
        predicate = inside(column(condition.column), condition.test, scope.binds)
    return negate(predicate) if condition.negated else predicate


def _distance_query(question: Question) -> exp.Select:
    query = (
        exp.Select()
        .select(column("customer_no"), copy=False)
        .from_(exp.to_table("addresses"), copy=False)
    )
    query = query.where(present(column("latitude")), present(column("longitude")), copy=False)
    near = question.test
    near = only(Near, near)
    keep = at_most if near.included else below
    limit = exp.cast(exp.Literal.number(repr(near.limit_km)), "DOUBLE", copy=False)
    return query.where(keep(_kilometres(near), limit), copy=False)


def _kilometres(near: Near) -> exp.Expr:
    """Write the great-circle distance of an address from a point (haversine)."""

    def degrees(value: float) -> exp.Expr:
        return exp.cast(exp.Literal.number(repr(value)), "DOUBLE", copy=False)

    def halved(name: str, value: float) -> exp.Expr:
        apart = exp.Paren(this=exp.Sub(this=column(name), expression=degrees(value)))
        angle = exp.func("radians", apart, copy=False)
        sine = exp.func("sin", exp.Div(this=angle, expression=degrees(2.0), typed=True), copy=False)
        return exp.Mul(this=sine, expression=sine.copy())

    cosines = exp.Mul(
        this=exp.func("cos", exp.func("radians", degrees(near.latitude), copy=False), copy=False),
        expression=exp.func("cos", exp.func("radians", column("latitude"), copy=False), copy=False),
    )
    east = exp.Mul(this=cosines, expression=halved("longitude", near.longitude))
    chord = exp.Add(this=halved("latitude", near.latitude), expression=east)
    clamped = exp.func("least", degrees(1.0), chord, copy=False)
    angle = exp.func("asin", exp.func("sqrt", clamped, copy=False), copy=False)
    return exp.Mul(this=degrees(2 * EARTH_RADIUS_KM), expression=angle)
