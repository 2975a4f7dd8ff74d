"""Reads `.segtest` files and checks their cases.

A file starts with `# title:` and, where it helps, `# why:`; then directives and cases, a blank line
between them and a sentence in `#` above each case:

    shop basic                              whose data (tests/shops/basic.toml)
    now 2024-03-15 09:00 Asia/Tokyo         the instant, in the zone that the shop is given
    universe buyers                         instead of all customers
    currency USD                            instead of the shop's

    segment QUERY      ----   the names of the members, one in a line, in order; `nobody` for none
    describe QUERY     ----   the English sentence; a second line is the Japanese one
    error QUERY        ----   the query, a line of carets, the message

Every `segment` case is also checked for free: the text survives printing and reading; both
evaluators and the naive one agree; the negation has exactly the others; values are bound and the
statement reads only warehouse tables; a sentence exists in both languages. An exception is a line
before the case: `notyet WHAT: reason`, `never WHAT: reason`, `broken WHAT: reason`, where WHAT is one
of these checks; a check that is excepted and passes all the same is a failure.
"""  # noqa: E501

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlglot
from sqlglot import exp

from regulars.engine import Context, SetEvaluator, compile_query
from regulars.engine.lowered import lower
from regulars.engine.plans import plan
from regulars.engine.scope import Scope
from regulars.errors import QueryError
from regulars.language import describe, parse, print_query
from regulars.language.shapes import NamedSet
from regulars.language.tree import Filter, Node, Not, Text, filters_of
from regulars.warehouse.facts import CustomerFact
from regulars.warehouse.warehouse import Warehouse
from tests.engine import naive
from tests.shops import TestShop

KINDS = ("segment", "describe", "error")
CHECKS = ("round trip", "customer", "naive", "complement", "statement", "sentence")
UTC_ZONE = ZoneInfo("UTC")
_EXCEPTION = re.compile(r"(notyet|never|broken) ([a-z ]+): (.+)")


@dataclass(frozen=True)
class Setting:
    """What a case is asked against."""

    shop: str = ""
    now: datetime = datetime(2024, 1, 1, tzinfo=UTC)
    zone: ZoneInfo = UTC_ZONE
    universe: str = "all"
    currency: str = ""


@dataclass(frozen=True)
class Case:
    """One case of a file; `line` is where its query stands, `first` and `last` its expectation."""

    kind: str
    query: str
    expected: tuple[str, ...]
    setting: Setting
    line: int
    first: int
    last: int
    exceptions: dict[str, str] = field(default_factory=dict)


class BadFileError(Exception):
    """A `.segtest` file that is not written as `runner` says."""


def read(path: Path) -> Iterator[Case]:
    """Read the cases of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0].startswith("# title: "):
        raise BadFileError(f"{path.name} does not start with # title:")
    setting, exceptions, at = Setting(), {}, 0
    while at < len(lines):
        line = lines[at]
        word, _, rest = line.partition(" ")
        if not line or line.startswith("#"):
            at += 1
        elif found := _EXCEPTION.fullmatch(line):
            if found[2] not in CHECKS:
                raise BadFileError(f"{path.name}:{at + 1}: no check is called {found[2]!r}")
            exceptions[found[2]] = found[3]
            at += 1
        elif word in KINDS:
            case = _case(path, lines, at, setting, exceptions)
            yield case
            exceptions, at = {}, case.last
        else:
            setting = _directive(path, at, word, rest, setting)
            at += 1


def _directive(path: Path, at: int, word: str, rest: str, old: Setting) -> Setting:
    given = dict(old.__dict__)
    if word == "now":
        moment, _, name = rest.rpartition(" ")
        zone = ZoneInfo(name)
        given |= {"now": datetime.fromisoformat(moment).replace(tzinfo=zone).astimezone(UTC)}
        given |= {"zone": zone}
    elif word in {"shop", "universe", "currency"}:
        given[word] = rest
    else:
        raise BadFileError(f"{path.name}:{at + 1}: {word!r} is neither a directive nor a case")
    return Setting(**given)


def _case(
    path: Path, lines: list[str], at: int, setting: Setting, exceptions: dict[str, str]
) -> Case:
    try:
        bar = lines.index("----", at)
    except ValueError:
        raise BadFileError(f"{path.name}:{at + 1}: no ---- follows") from None
    kind, _, first_line = lines[at].partition(" ")
    query = "\n".join([first_line, *lines[at + 1 : bar]])
    last = bar + 1
    while last < len(lines) and lines[last]:
        last += 1
    expected = tuple(lines[bar + 1 : last])
    return Case(kind, query, expected, setting, at + 1, bar + 1, last, exceptions)


class Shop:
    """A shop's data, loaded, with the evaluators that look at it."""

    def __init__(self, told: TestShop, warehouse: Warehouse) -> None:
        self.told = told
        self.warehouse = warehouse
        self.evaluator = SetEvaluator(warehouse)
        ids = (fact.customer_id for fact in told.facts if isinstance(fact, CustomerFact))
        self.records = warehouse.records(warehouse.customer_nos(ids).values())
        self.names = {record.customer_no: record.customer_id for record in self.records}

    def named(self, numbers: Iterable[int]) -> set[str]:
        return {self.names[number] for number in numbers}

    def context(self, setting: Setting) -> Context:
        universe = "buyers" if setting.universe == "buyers" else "all"
        currency = setting.currency or self.told.currency
        rfm = self.evaluator.rfm_thresholds
        return Context(setting.now, setting.zone, currency, universe, rfm=rfm)


def answer(case: Case, shop: Shop) -> tuple[str, ...]:
    """Return what the product says to a case, in the form of an expectation."""
    if case.kind == "error":
        return _error(case.query)
    tree = parse(case.query)
    currency = case.setting.currency or shop.told.currency
    if case.kind == "describe":
        said = [describe(tree, language, currency) for language in ("en", "ja")]
        return tuple(said[: max(1, len(case.expected))])
    found = shop.named(shop.evaluator.members(tree, shop.context(case.setting)))
    return tuple(sorted(found)) or ("nobody",)


def _error(query: str) -> tuple[str, ...]:
    try:
        parse(query)
    except QueryError as error:
        said: list[str] = [query]
        for one in error.problems:
            said.append(" " * (one.start or 0) + "^" * max(1, one.length or 1))
            said.append(one.message)
        return tuple(said)
    return ("no error",)


def free_checks(case: Case, shop: Shop) -> Iterator[tuple[str, bool, str]]:
    """Yield (check, whether it holds, what was seen) for a segment case."""
    tree = parse(case.query)
    context = shop.context(case.setting)
    members = shop.named(shop.evaluator.members(tree, context))
    everybody = shop.named(shop.evaluator.universe(context))
    printed = print_query(tree)
    yield "round trip", parse(printed) == tree, printed
    matches = compile_query(tree, context)
    one_by_one = {record.customer_id for record in shop.records if matches(record)}
    yield "customer", one_by_one == members, f"one by one: {sorted(one_by_one)}"
    world = naive.world(shop.told.facts, context.as_of, context.zone, context.money_scale, {})
    naively = naive.members(tree, world, context.universe)
    yield "naive", naively == members, f"naively: {sorted(naively)}"
    others = shop.named(shop.evaluator.members(Not(tree), context))
    split = not others & members and others | members == everybody
    yield "complement", split, f"not: {sorted(others)}"
    yield "statement", *_statements(tree, context)
    spoken = [describe(tree, language, context.currency) for language in ("en", "ja")]
    yield "sentence", all(spoken), str(spoken)


TABLES = {
    "customers", "customer_tags", "addresses", "customer_companies", "metafields",
    "store_credit_accounts", "orders", "order_tags", "order_discount_codes", "lines", "refunds",
    "products", "product_tags", "product_collections",
}  # fmt: skip


def _statements(tree: Node, context: Context) -> tuple[bool, str]:
    """Whether each filter is one SELECT over the warehouse's tables with every value bound."""
    for leaf in filters_of(tree):
        question, _ = lower(leaf, context)
        if isinstance(question.source, NamedSet):
            continue
        scope = Scope(context.as_of, context.as_of, context.zone, lambda _t, _c, keys: keys)
        written = plan(question, scope)
        texts = _texts_said(written.sql)
        if texts is None or texts & _texts(leaf):
            return False, written.sql
    return True, ""


@functools.cache
def _texts_said(sql: str) -> frozenset[str] | None:
    """Return the texts written into a statement; None where it is not one SELECT over our tables.

    Kept by statement: the same one comes with other bound values, and reading it back takes long.
    """
    found = sqlglot.parse(sql, dialect="duckdb")
    if len(found) != 1 or not isinstance(found[0], exp.Select):
        return None
    inner = {one.alias_or_name for one in found[0].find_all(exp.Subquery)}
    if {one.name for one in found[0].find_all(exp.Table)} - TABLES - inner:
        return None
    return frozenset(str(one.this) for one in found[0].find_all(exp.Literal) if one.is_string)


def _texts(leaf: Filter) -> set[str]:
    given = [*leaf.operands, *(one for p in leaf.parameters for one in p.operands)]
    return {one.value for one in given if isinstance(one, Text) and one.value}
