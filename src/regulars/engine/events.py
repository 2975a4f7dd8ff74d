"""The shape *events* in SQL: counted orders and their lines, kept, counted and added up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

from sqlglot import exp

from regulars.engine.lowered import Condition, Question, Steps, Texts, only, sides
from regulars.engine.predicates import (
    again,
    at_most,
    below,
    column,
    every,
    inside,
    missing,
    negate,
    one_of,
    place_among,
    present,
    settled,
    within,
)
from regulars.engine.scope import Scope
from regulars.engine.zones import local_day

#: Columns that are kept elsewhere: the table, its column, and the row's column that leads there.
_ELSEWHERE = {
    "tag_keys": ("order_tags", "tag_key", "order_id"),
    "discount_code_keys": ("order_discount_codes", "code_key", "order_id"),
    "product_tag_keys": ("product_tags", "tag_key", "product_id"),
    "collection_ids": ("product_collections", "collection_id", "product_id"),
    "product_type": ("products", "product_type", "product_id"),
    "category_id": ("products", "category_id", "product_id"),
}
#: Columns that need the customer's other orders.
_NUMBERED = frozenset({"number", "number_from_last", "days_since_previous"})
_MONEY = frozenset({"net_amount", "refunded_amount"})


def counted(scope: Scope) -> exp.Expr:
    """Keep counted orders: of a customer, no test, not cancelled, processed until the instant."""
    parts = [exp.Not(this=column("is_test")), present(column("customer_no"))]
    if scope.past is None:
        parts.append(missing(column("cancelled_at")))
    else:
        parts.append(at_most(column("processed_at"), scope.binds.instant(scope.past)))
        parts.append(_not_yet_cancelled(scope))
    return every(parts)


def _not_yet_cancelled(scope: Scope) -> exp.Expr:
    if scope.past is None:
        raise AssertionError("only a past instant has cancellations to come")
    later = below(scope.binds.instant(scope.past), column("cancelled_at"))
    return exp.Paren(this=exp.Or(this=missing(column("cancelled_at")), expression=later))


def counted_orders(scope: Scope, wanted: Iterable[str]) -> exp.Select:
    """Select counted orders with their customer, their id and the wanted columns."""
    names = sorted({"customer_no", "order_id", *wanted} - _ELSEWHERE.keys())
    query = exp.Select().select(*(_order_column(name, scope) for name in names), copy=False)
    query = query.from_(exp.to_table("orders"), copy=False).where(counted(scope), copy=False)
    if scope.past is not None and _MONEY & set(names):
        joined = exp.alias_(refunds_until(scope), "told", table=True, copy=False)
        query = query.join(
            joined, using=[exp.to_identifier("order_id")], join_type="left", copy=False
        )
    return query


def refunds_until(scope: Scope) -> exp.Subquery:
    """Select what was refunded of each order until the past instant."""
    if scope.past is None:
        raise AssertionError("the present has kept sums")
    query = (
        exp.Select()
        .select(
            column("order_id"),
            exp.alias_(exp.Sum(this=column("amount")), "refunded_until", copy=False),
            copy=False,
        )
        .from_(exp.to_table("refunds"), copy=False)
        .where(at_most(column("refunded_at"), scope.binds.instant(scope.past)), copy=False)
        .group_by(column("order_id"), copy=False)
    )
    return exp.Subquery(this=query)


def _order_column(name: str, scope: Scope) -> exp.Expr:
    if name in _MONEY:
        refunded: exp.Expr = column("refunded_amount")
        if scope.past is not None:
            zero = exp.Literal.number(0)
            refunded = exp.Coalesce(this=column("refunded_until"), expressions=[zero])
        if name == "refunded_amount":
            return exp.alias_(refunded, name, copy=False)
        return exp.alias_(
            exp.Sub(this=column("total_amount"), expression=refunded), name, copy=False
        )
    if name in {"number", "number_from_last"}:
        return exp.alias_(
            _over(exp.RowNumber(), last_first=name == "number_from_last"), name, copy=False
        )
    if name == "days_since_previous":
        day = local_day(column("processed_at"), scope.zone, scope.binds, scope.as_of)
        earlier = _over(exp.Lag(this=day.copy()), last_first=False)
        return exp.alias_(exp.Sub(this=day, expression=earlier), name, copy=False)
    return column(name)


def _over(function: exp.Expr, *, last_first: bool) -> exp.Expr:
    keys = [
        exp.Ordered(this=column(name), desc=last_first, nulls_first=False)
        for name in ("processed_at", "order_id")
    ]
    order = exp.Order(expressions=keys)
    return exp.Window(this=function, partition_by=[column("customer_no")], order=order)


def numbered_lines(scope: Scope, wanted: Iterable[str]) -> exp.Select:
    """Select lines of counted orders with the wanted columns, numbers of their orders too."""
    names = {"customer_no", "order_id", "product_id", *wanted} - _ELSEWHERE.keys()
    numbered = sorted(names & _NUMBERED)
    plain = [column(name, "lines") for name in sorted(names - _NUMBERED)]
    joined = exp.alias_(
        exp.Subquery(this=counted_orders(scope, numbered)), "counted", table=True, copy=False
    )
    same = exp.EQ(this=column("order_id", "lines"), expression=column("order_id", "counted"))
    query = exp.Select().select(*plain, *(column(name, "counted") for name in numbered), copy=False)
    query = query.from_(exp.to_table("lines"), copy=False).join(
        joined, on=same, join_type="inner", copy=False
    )
    return query.where(present(column("customer_no", "lines")), copy=False)


def _lines_of_counted(scope: Scope) -> exp.Select:
    """Select from the lines of counted orders, open for more conditions.

    All conditions stand side by side: with the kept rows in a query of their own DuckDB looks at
    every line's order first, which takes three times as long.
    """
    kept = [present(column("customer_no"))]
    if scope.past is not None:
        kept.append(at_most(column("processed_at"), scope.binds.instant(scope.past)))
    query = (
        exp.Select()
        .select(column("customer_no"), copy=False)
        .from_(exp.to_table("lines"), copy=False)
    )
    return query.where(*kept, exp.Not(this=_order_not_counted(scope)), copy=False)


def _order_not_counted(scope: Scope) -> exp.Expr:
    """Keep lines whose order is a test or cancelled; there are few such orders to look among."""
    if scope.past is None:
        cancelled = present(column("cancelled_at"))
    else:
        cancelled = settled(at_most(column("cancelled_at"), scope.binds.instant(scope.past)))
    same = exp.EQ(this=column("order_id", "orders"), expression=column("order_id", "lines"))
    left_out = exp.Paren(this=exp.Or(this=column("is_test"), expression=cancelled))
    query = (
        exp.Select()
        .select(exp.Literal.number(1), copy=False)
        .from_(exp.to_table("orders"), copy=False)
    )
    return exp.Exists(this=query.where(same, left_out, copy=False))


def row_predicate(condition: Condition, scope: Scope) -> exp.Expr:
    """Return whether a row of orders or lines meets a condition; a missing value meets only !=."""
    predicate = _positive(condition, scope)
    return negate(predicate) if condition.negated else predicate


def _positive(condition: Condition, scope: Scope) -> exp.Expr:
    name, test = condition.column, condition.test
    if name in _ELSEWHERE:
        table, key, via = _ELSEWHERE[name]
        return within(column(via), _lookup(table, key, via, test, scope))
    return inside(column(name), test, scope.binds)


def _lookup(table: str, key: str, via: str, test: object, scope: Scope) -> exp.Select:
    test = only(Texts, test)
    query = exp.Select().select(column(via), copy=False).from_(exp.to_table(table), copy=False)
    return query.where(one_of(column(key), test.values, scope.binds), copy=False)


def numbers_orders(question: Question) -> bool:
    """Whether a row's answer needs the customer's other orders."""
    return any(one.column.rpartition(".")[2] in _NUMBERED for one in question.rows)


def events_query(question: Question, scope: Scope, of: str) -> tuple[exp.Select, bool]:
    """Return the customers with kept rows whose totals hold, and whether the answer is inverted."""
    wanted = {condition.column for condition in (*question.rows, *question.sums)}
    of_lines = of == "lines"
    if of_lines and not wanted & _NUMBERED:
        query = _lines_of_counted(scope)
    else:
        base = numbered_lines(scope, wanted) if of_lines else counted_orders(scope, wanted)
        kept = exp.alias_(exp.Subquery(this=base), "events", table=True, copy=False)
        query = exp.Select().select(column("customer_no"), copy=False).from_(kept, copy=False)
    if question.rows:
        query = query.where(*(row_predicate(one, scope) for one in question.rows), copy=False)
    if not question.counts and not question.sums:
        return query, False
    totals = every(_totals(question, scope, of_lines=of_lines))
    inverted = all(holds_at_zero(one) for one in (*question.counts, *question.sums))
    having = negate(totals) if inverted else totals
    return query.group_by(column("customer_no"), copy=False).having(having, copy=False), inverted


def each_query(question: Question, row: int, scope: Scope, of: str) -> tuple[exp.Select, bool]:
    """Ask for each text of a row's condition by itself; `place` tells which of them it is.

    A text of a set leads to rows through the set's table, and a row may be there for several.
    """
    condition = question.rows[row]
    texts = only(Texts, condition.test).values
    told = _told(condition.column, texts, scope)
    if told is None:
        query, inverted = events_query(question, scope, of)
        key: exp.Expr = column(condition.column)
        place = place_among(again(key), texts, scope.binds)
    else:
        rows = question.rows[:row] + question.rows[row + 1 :]
        query, inverted = events_query(replace(question, rows=rows), scope, of)
        table, via = told
        query = query.join(table, using=[exp.to_identifier(via)], join_type="inner", copy=False)
        key = place = column("place", "told")
    query = query.select(place, copy=False)
    if question.counts or question.sums:
        query = query.group_by(again(key), copy=False)
    return query, inverted


def _told(name: str, texts: Iterable[str], scope: Scope) -> tuple[exp.Expr, str] | None:
    """Select what leads to each of the texts; None for a column of the rows themselves."""
    if name not in _ELSEWHERE:
        return None
    table, key, via = _ELSEWHERE[name]
    place = place_among(column(key), texts, scope.binds)
    query = exp.Select().select(column(via), place, copy=False).distinct(copy=False)
    query = query.from_(exp.to_table(table), copy=False)
    query = query.where(one_of(column(key), texts, scope.binds), copy=False)
    return exp.alias_(exp.Subquery(this=query), "told", table=True, copy=False), via


def dated_events(question: Question, scope: Scope, of: str) -> exp.Select:
    """Select the kept orders of a function, lines added up to their orders, with their sums.

    The day of the order is open for the caller's conditions.
    """
    summed = [one.column for one in question.sums]
    wanted = {one.column for one in question.rows} | {"processed_at", *summed}
    of_lines = of == "lines"
    base = numbered_lines(scope, wanted) if of_lines else counted_orders(scope, wanted)
    kept = exp.alias_(exp.Subquery(this=base), "events", table=True, copy=False)
    query = exp.Select().select(column("customer_no"), copy=False).from_(kept, copy=False)
    if question.rows:
        query = query.where(*(row_predicate(one, scope) for one in question.rows), copy=False)
    sums: list[exp.Expr] = [column(name) for name in summed]
    if of_lines:
        sums = [exp.Sum(this=one) for one in sums]
        keys = [column(name) for name in ("customer_no", "order_id", "processed_at")]
        query = query.group_by(*keys, copy=False)
    named = [
        exp.alias_(exp.cast(one, "BIGINT", copy=False), f"sum_{index}", copy=False)
        for index, one in enumerate(sums)
    ]
    return query.select(*named, copy=False)


def pairs_query(question: Question, scope: Scope) -> exp.Select:
    """Select the customers with a line that meets one side and one of a later order the other."""
    first, later, apart = sides(question.rows)
    query = exp.Select().select(column("customer_no", "later"), copy=False)
    query = query.from_(_side(first, "earlier", scope), copy=False)
    same = exp.EQ(this=column("customer_no", "earlier"), expression=column("customer_no", "later"))
    query = query.join(_side(later, "later", scope), on=same, join_type="inner", copy=False)
    days = (
        local_day(column("processed_at", side), scope.zone, scope.binds, scope.as_of)
        for side in ("later", "earlier")
    )
    between = exp.Paren(this=reduce(lambda end, start: exp.Sub(this=end, expression=start), days))
    near = [inside(between.copy(), one.test, scope.binds) for one in apart]
    return query.where(_comes_later(), *near, copy=False)


def _side(conditions: list[Condition], name: str, scope: Scope) -> exp.Expr:
    query = _lines_of_counted(scope).select(column("processed_at"), column("order_id"), copy=False)
    kept = [row_predicate(one, scope) for one in conditions]
    query = query.where(*kept, copy=False) if kept else query
    return exp.alias_(exp.Subquery(this=query), name, table=True, copy=False)


def _comes_later() -> exp.Expr:
    """Compare two orders as they are numbered: by their instants, then by their ids."""
    at, before = column("processed_at", "later"), column("processed_at", "earlier")
    by_id = below(column("order_id", "earlier"), column("order_id", "later"))
    tie = exp.And(this=exp.EQ(this=at.copy(), expression=before.copy()), expression=by_id)
    return exp.Paren(this=exp.Or(this=below(before, at), expression=exp.Paren(this=tie)))


def _totals(question: Question, scope: Scope, *, of_lines: bool) -> Iterable[exp.Expr]:
    for condition in question.counts:
        amount: exp.Expr = exp.Count(this=exp.Star())
        if of_lines:
            distinct = exp.Distinct(expressions=[column("order_id")])
            amount = exp.Count(this=distinct)
        yield _total(amount, condition, scope)
    for condition in question.sums:
        yield _total(exp.Sum(this=column(condition.column)), condition, scope)


def _total(amount: exp.Expr, condition: Condition, scope: Scope) -> exp.Expr:
    predicate = inside(amount, condition.test, scope.binds)
    return negate(predicate) if condition.negated else predicate


def holds_at_zero(condition: Condition) -> bool:
    """Whether the condition is true of a total over no rows, which is 0."""
    test = only(Steps, condition.test)
    holds = (test.low is None or test.low <= 0) and (test.high is None or test.high >= 0)
    return holds is not condition.negated
