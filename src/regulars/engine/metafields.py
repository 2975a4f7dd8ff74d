"""The shapes *metafield* and *annual* in SQL: a text value read as its type says, or not at all."""

from __future__ import annotations

from sqlglot import exp

from regulars.engine.lowered import Flag, Instants, Present, Question, Steps, Texts, Yearly, only
from regulars.engine.predicates import (
    at_least,
    at_most,
    below,
    between_decimals,
    column,
    equal,
    every,
    one_of,
    present,
)
from regulars.engine.scope import Scope
from regulars.engine.zones import local_day

NUMBERS = ("number_decimal", "number_integer")
#: Types whose values are no texts; every other type that is no list is compared as a text.
NOT_TEXTS = (*NUMBERS, "boolean", "date", "date_time")
NUMBER_FORM = "-?[0-9]+([.][0-9]+)?"
DATE_FORM = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
INSTANT_FORM = DATE_FORM + "T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?"
_WHOLE_DAY = 19  # characters of an instant without offset


def metafield_query(question: Question, scope: Scope) -> exp.Select:
    """Select the customers whose metafield meets the test."""
    if question.contains:
        return _list_query(question, scope)
    return _of_key(question, scope).where(_value_predicate(question, scope), copy=False)


def annual_query(question: Question, scope: Scope) -> exp.Select:
    """Select the customers whose date metafield falls on the days of the year."""
    query = _of_key(question, scope)
    if isinstance(question.test, Present):
        days = every([_is_date(scope), present(_date())])
        instants = every([_is_instant(scope), present(_instant())])
        return query.where(
            exp.Or(this=exp.Paren(this=days), expression=exp.Paren(this=instants)), copy=False
        )
    test = only(Yearly, question.test)
    plain = every([_is_date(scope), _on_days(_date(), test, scope)])
    stored = local_day(_instant(), scope.zone, scope.binds)
    timed = every([_is_instant(scope), _on_days(stored, test, scope)])
    return query.where(
        exp.Or(this=exp.Paren(this=plain), expression=exp.Paren(this=timed)), copy=False
    )


def _of_key(question: Question, scope: Scope) -> exp.Select:
    query = (
        exp.Select()
        .select(column("customer_no"), copy=False)
        .from_(exp.to_table("metafields"), copy=False)
    )
    return query.where(equal(column("key"), scope.binds(question.key or "")), copy=False)


def _value_predicate(question: Question, scope: Scope) -> exp.Expr:
    test = question.test
    if isinstance(test, Present):
        return exp.true()
    if isinstance(test, Flag):
        said = scope.binds("true" if test.value else "false")
        return every([_type_in(("boolean",), scope), equal(column("value"), said)])
    if isinstance(test, Steps):
        number = _number(column("value"))
        return every([_type_in(NUMBERS, scope), between_decimals(number, test, scope.binds)])
    if isinstance(test, Texts):
        plain = exp.Not(
            this=exp.Paren(this=exp.Or(this=_type_in(NOT_TEXTS, scope), expression=_is_list()))
        )
        return every([plain, one_of(column("value"), test.values, scope.binds)])
    if isinstance(test, Instants):
        days = every([_is_date(scope), *_wall(_date(), test, scope)])
        instants = every([_is_instant(scope), *_timed(_instant(), test, scope)])
        return exp.Or(this=exp.Paren(this=days), expression=exp.Paren(this=instants))
    raise AssertionError(f"{test} does not compare a metafield")


def _list_query(question: Question, scope: Scope) -> exp.Select:
    """Select by one element of a list: JSON in the value, one row per element."""
    numbers = isinstance(question.test, Steps)
    sound = exp.func("json_valid", column("value"), copy=False)
    texts = exp.func("json_extract_string", column("value"), exp.Literal.string("$[*]"), copy=False)
    listed = exp.Case().when(sound, texts)
    element = exp.alias_(exp.func("unnest", listed, copy=False), "element", copy=False)
    typed = exp.StartsWith(this=column("type"), expression=exp.Literal.string("list.number_"))
    kept = every([_is_list(), typed if numbers else exp.Not(this=typed)])
    inner = _of_key(question, scope).select(element, copy=False).where(kept, copy=False)
    outer = exp.Select().select(column("customer_no"), copy=False)
    outer = outer.from_(
        exp.alias_(exp.Subquery(this=inner), "elements", table=True, copy=False), copy=False
    )
    if isinstance(question.test, Steps):
        number = _number(column("element"))
        return outer.where(between_decimals(number, question.test, scope.binds), copy=False)
    test = only(Texts, question.test)
    return outer.where(one_of(column("element"), test.values, scope.binds), copy=False)


def _type_in(types: tuple[str, ...], scope: Scope) -> exp.Expr:
    return one_of(column("type"), types, scope.binds)


def _is_list() -> exp.Expr:
    return exp.StartsWith(this=column("type"), expression=exp.Literal.string("list."))


def _formed(value: exp.Expr, form: str) -> exp.Expr:
    return exp.func("regexp_full_match", value.copy(), exp.Literal.string(form), copy=False)


def _number(value: exp.Expr) -> exp.Expr:
    """Read a text as a decimal; missing where it is none."""
    number = exp.TryCast(
        this=value.copy(), to=exp.DataType.build("DECIMAL(38, 9)", dialect="duckdb")
    )
    return exp.Case().when(_formed(value, NUMBER_FORM), number)


def _date() -> exp.Expr:
    return exp.TryCast(this=column("value"), to=exp.DataType.build("DATE"))


def _is_date(scope: Scope) -> exp.Expr:
    return every([_type_in(("date",), scope), _formed(column("value"), DATE_FORM)])


def _is_instant(scope: Scope) -> exp.Expr:
    return every([_type_in(("date_time",), scope), _formed(column("value"), INSTANT_FORM)])


def _instant() -> exp.Expr:
    """Read an ISO 8601 text as UTC without zone; without an offset it is UTC, as in Shopify."""
    value = column("value")
    short = equal(exp.Length(this=value.copy()), exp.Literal.number(_WHOLE_DAY))
    utc = exp.DPipe(this=value.copy(), expression=exp.Literal.string("Z"))
    zoned = exp.TryCast(
        this=exp.Case(default=value).when(short, utc),
        to=exp.DataType.build("TIMESTAMPTZ", dialect="duckdb"),
    )
    return exp.func("make_timestamp", exp.func("epoch_us", zoned, copy=False), copy=False)


def _wall(day: exp.Expr, test: Instants, scope: Scope) -> list[exp.Expr]:
    parts = []
    if test.first is not None:
        parts.append(at_least(day.copy(), scope.binds(test.first)))
    if test.last is not None:
        parts.append(below(day.copy(), scope.binds(test.last)))
    return parts


def _timed(instant: exp.Expr, test: Instants, scope: Scope) -> list[exp.Expr]:
    parts = []
    if test.start is not None:
        parts.append(at_least(instant.copy(), scope.binds.instant(test.start)))
    if test.end is not None:
        parts.append(below(instant.copy(), scope.binds.instant(test.end)))
    return parts


def _on_days(day: exp.Expr, test: Yearly, scope: Scope) -> exp.Expr:
    hundred = exp.Literal.number(100)
    number = exp.Add(
        this=exp.Mul(this=exp.func("month", day.copy(), copy=False), expression=hundred),
        expression=exp.func("day", day.copy(), copy=False),
    )
    found: exp.Expr = exp.false()
    for low, high in test.ranges:
        kept = every(
            [at_least(number.copy(), scope.binds(low)), at_most(number.copy(), scope.binds(high))]
        )
        found = exp.Paren(this=exp.Or(this=found, expression=exp.Paren(this=kept)))
    return found
