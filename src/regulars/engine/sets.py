"""The set evaluator: who matches a query, and how many at each of its conditions.

A filter is one statement and one cached bitmap; the tree above it is bitmap arithmetic. NOT is the
universe without the part, so that a query and its negation always split everybody in two.
What single customers match, and why, is the customer evaluator's work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

import duckdb
from numpy.typing import NDArray
from pyroaring import BitMap
from sqlglot import exp

from regulars.engine.alike import alike
from regulars.engine.bitmaps import bitmap_of
from regulars.engine.columns import Columns, Look
from regulars.engine.context import Context
from regulars.engine.customer import compile_question
from regulars.engine.days import MICROSECOND
from regulars.engine.horizon import Horizon, came_between, ordered_between
from regulars.engine.kept import Answer, AnswerCache
from regulars.engine.lowered import Named, Question, lower
from regulars.engine.plans import Plan, dated_plan, plan, reads_of, rfm_plan, universe_plan
from regulars.engine.predicates import BoundValue
from regulars.engine.rfm import RfmThresholds, thresholds_of
from regulars.engine.scope import Scope
from regulars.engine.view import View
from regulars.errors import LimitError, problem
from regulars.language.catalogue import folded
from regulars.language.shapes import Events, Figure, Labels, NamedSet, Rank, Value
from regulars.language.tree import And, AtLeast, Filter, Node, Not, Or
from regulars.warehouse.record import CustomerRecord

#: Stands for a transaction's own data, which has no version yet.
OWN_TRANSACTION = -1
#: More changed customers than this are not looked at one by one: the question is asked again.
TOUCHED_MAX = 200

Result = TypeVar("Result")


class Facts(Protocol):
    """What the set evaluator needs of a warehouse."""

    @property
    def data_version(self) -> int:
        """A number that rises with each commit."""

    @property
    def settled_version(self) -> int | None:
        """The same number, None while a newer state is being committed."""

    def touched_since(self, version: int) -> frozenset[int] | None:
        """Return whose facts changed after a version; None where that is not known."""

    def are_products_as_in(self, version: int) -> bool:
        """Whether no product changed after a version."""

    def records(
        self, customer_nos: Iterable[int], cursor: duckdb.DuckDBPyConnection | None = None
    ) -> list[CustomerRecord]:
        """Return all that is known about these customers."""

    def reader(
        self, *, seconds: float | None = None
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open a cursor that sees one unchanging state, stopped after `seconds`."""

    def reader_of(
        self,
        customer_nos: BitMap,
        *,
        tables: Collection[str],
        columns: Collection[str],
        since: datetime | None = None,
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open a cursor that sees some customers alone in some tables; of orders those `since`."""


@dataclass(frozen=True, slots=True)
class NodeCount:
    """How many customers one node of the query keeps.

    `running` is the funnel: the count when the parts up to and with this one are joined as their
    parent joins them (AND: what is left so far; OR: what has come together so far).
    """

    node: Node
    count: int
    running: int
    parts: tuple[NodeCount, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """Exact counts of a whole query at one instant, all from one snapshot of the data."""

    total: int
    universe: int
    root: NodeCount
    as_of: datetime

    def of(self, node: Node) -> int:
        """Return the count of a node of the query; KeyError for a node that is not in it."""
        for found in _walk(self.root):
            if found.node == node:
                return found.count
        raise KeyError(node)


def _walk(root: NodeCount) -> Iterator[NodeCount]:
    yield root
    for part in root.parts:
        yield from _walk(part)


class SetEvaluator:
    """Evaluates queries over one warehouse; one instance serves all threads.

    `seconds_max` stops an evaluation that takes longer, as a LimitError.
    """

    def __init__(
        self,
        warehouse: Facts,
        *,
        cache: AnswerCache | None = None,
        columns: Columns | None = None,
        seconds_max: float | None = None,
    ) -> None:
        self._warehouse = warehouse
        self._cache = AnswerCache() if cache is None else cache
        self._columns = Columns() if columns is None else columns
        self._seconds_max = seconds_max
        self._version: int | None = None
        self._known = Horizon()
        self._lock = threading.Lock()

    def members(
        self, tree: Node, context: Context, cursor: duckdb.DuckDBPyConnection | None = None
    ) -> BitMap:
        """Return the customers who match.

        With a `cursor` its transaction's data is read, and the cache is left alone.
        """
        if cursor is not None:
            return _alone(context, cursor).prepared(tree).members(tree)
        return self._evaluated(context, lambda run: run.prepared(tree).members(tree))

    def members_of_many(
        self,
        trees: Sequence[Node],
        context: Context,
        cursor: duckdb.DuckDBPyConnection | None = None,
    ) -> list[BitMap]:
        """Return the members of each query, all from one state of the data.

        A filter that several queries share is answered once; answers are fetched table by table.
        """
        if cursor is not None:
            return _alone(context, cursor).members_of_many(trees)
        return self._evaluated(context, lambda run: run.members_of_many(trees))

    def answer(self, question: Question, context: Context) -> BitMap:
        """Return the customers for whom a lowered question, which is no negation, is true."""
        return self._evaluated(context, lambda run: run.asked(question, negated=False))

    @contextmanager
    def among(
        self,
        customers: BitMap,
        questions: Iterable[Question],
        context: Context,
        *,
        since: datetime | None = None,
    ) -> Iterator[Asking]:
        """Open a look at some customers alone: what it costs to ask the questions is theirs.

        With `since`, orders before that instant are not seen either: for questions that no such
        order answers.
        """
        asked = list(dict.fromkeys(questions))
        read = [reads_of(question) for question in asked]
        tables = set[str]().union(*(tables for tables, _ in read))
        columns = set[str]().union(*(columns for _, columns in read))
        with self._warehouse.reader_of(
            customers, tables=tables, columns=columns, since=since
        ) as cursor:
            run = _alone(context, cursor)
            run.answer_alike(asked)
            yield Asking(customers, run)

    def ordered_between(
        self, stretches: Collection[tuple[datetime, datetime]], context: Context
    ) -> BitMap:
        """Return who has an order from one instant up to the other, of any of the pairs."""
        if not stretches:
            return BitMap()
        return self._evaluated(context, lambda run: run.ordered_between(stretches))

    def came_between(self, before: Context, now: Context) -> BitMap:
        """Return to whom something happened after the one instant, and not after the other."""
        if not self.knows_later(before):
            return BitMap()
        return self._evaluated(now, lambda run: run.came_since(before.as_of))

    def hang_on(self, tree: Node, leaf: Filter, context: Context) -> BitMap:
        """Return the customers for whom the query turns when this filter alone does."""

        def turned(run: _Evaluation) -> BitMap:
            run.prepare(tree)
            now = run.members(tree)
            run.turn(leaf)
            return now ^ run.members(tree)

        return self._evaluated(context, turned)

    def universe(self, context: Context) -> BitMap:
        """Return everybody there is."""
        return self._evaluated(context, lambda run: run.universe.copy())

    def rfm_thresholds(self, at: datetime, zone: ZoneInfo) -> RfmThresholds:
        """Return the thresholds of RFM scores over what had happened before an instant."""
        context = Context(at - MICROSECOND, zone, "")
        return self._evaluated(context, lambda run: run.rfm_thresholds(at))

    def knows_later(self, context: Context) -> bool:
        """Whether anything is known that happens after the instant."""
        return self._evaluated(context, lambda run: run.knows_later())

    def dated_rows(self, question: Question, start: int, end: int) -> dict[str, NDArray[Any]]:
        """Return the rows behind a question without its date that stand between two instants.

        Instants are microseconds since 1970. Each row has `customer_no`, `dated_at`, and
        `sum_0`, `sum_1` ... for the question's sums; lines are added up to their orders. Only for
        evaluations after which nothing is known to happen.
        """
        context = Context(datetime.max.replace(tzinfo=UTC), ZoneInfo("UTC"), "")
        return self._evaluated(context, lambda run: run.dated_rows(question, start, end))

    def counts(self, tree: Node, context: Context) -> Counts:
        """Count the customers at each node of the query, its funnels, total and universe."""

        def count(run: _Evaluation) -> Counts:
            members, root = run.prepared(tree).counted(tree)
            return Counts(len(members), len(run.universe), root, context.as_of)

        return self._evaluated(context, count)

    def _evaluated(self, context: Context, work: Callable[[_Evaluation], Result]) -> Result:
        """Do the work over one state of the data: that of the cache, or the newest there is.

        A reader is opened at the first answer that is not cached. When it sees a newer state than
        the cached answers belong to, the work starts again on what the reader sees.
        """
        warehouse = self._warehouse
        version = warehouse.data_version
        with ExitStack() as stack:
            open_reader = cache_one(
                lambda: stack.enter_context(warehouse.reader(seconds=self._seconds_max))
            )
            while True:
                state = State(
                    version, self._cache, self._horizon(version), warehouse, self._columns
                )
                run = _Evaluation(context, state, open_reader, seconds_max=self._seconds_max)
                try:
                    return work(run)
                except _NewerDataError as found:
                    version = found.version

    def _horizon(self, version: int) -> Horizon:
        """Return what is known of this state of the data."""
        with self._lock:
            if self._version != version:
                self._known = Horizon()
                self._version = version
            return self._known


@dataclass(frozen=True, slots=True)
class State:
    """One state of the data: its version, and what was found out about it so far."""

    version: int
    answers: AnswerCache
    horizon: Horizon
    #: None inside a transaction, whose data nobody else may see: nothing is known but its rows.
    facts: Facts | None = None
    columns: Columns | None = None

    def is_settled(self) -> bool:
        """Whether this is the newest version, and none is being committed."""
        return self.facts is None or self.facts.settled_version == self.version

    def touched_since(self, version: int) -> frozenset[int] | None:
        """Return who changed between a version and this one; None where that is not known.

        Somebody may have committed this state and not told yet whom it touched.
        """
        if self.facts is None or self.facts.data_version < self.version:
            return None
        return self.facts.touched_since(version)


class Asking:
    """Queries asked one after another about some customers; answers are shared among them."""

    def __init__(self, customers: BitMap, run: _Evaluation) -> None:
        self._customers = customers
        self._run = run

    def members(self, tree: Node) -> BitMap:
        """Return the customers who match; sets named by the query are asked for now."""
        return self._customers & self._run.prepared(tree).members(tree)

    def turned(self, before: Question, now: Question) -> BitMap:
        """Return for whom two forms of a question, which differ in their bounds, are not alike.

        Whether they are there at all is not asked.
        """
        return self._customers & self._run.turned(before, now)


def _alone(context: Context, cursor: duckdb.DuckDBPyConnection) -> _Evaluation:
    """Evaluate inside a transaction, whose data nobody else may see yet."""
    state = State(OWN_TRANSACTION, AnswerCache(), Horizon())
    return _Evaluation(context, state, lambda: cursor)


def cache_one(open_: Callable[[], Result]) -> Callable[[], Result]:
    """Return a function that opens at its first call and gives the same thing ever after."""
    opened: list[Result] = []

    def get() -> Result:
        if not opened:
            opened.append(open_())
        return opened[0]

    return get


class _NewerDataError(Exception):
    """The reader sees a newer state of the data than the one the evaluation started with."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(version)


class _Evaluation:
    """One evaluation: an instant, a state of the data, and the questions of one query."""

    def __init__(
        self,
        context: Context,
        state: State,
        open_reader: Callable[[], duckdb.DuckDBPyConnection],
        *,
        seconds_max: float | None = None,
    ) -> None:
        self._context = context
        self._state = state
        self._zone_name = str(context.zone)
        self._open_reader = open_reader
        self._seconds_max = seconds_max
        self._started = monotonic()
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._questions: dict[Filter, tuple[Question, bool]] = {}
        self._named: dict[Question, BitMap] = {}
        self._universe: BitMap | None = None

    @property
    def _past(self) -> datetime | None:
        """The instant, or None where the kept sums are right for it."""
        as_of, horizon = self._context.as_of, self._state.horizon
        later = horizon.known(as_of)
        if later is None:
            later = horizon.look(as_of, self._ask)
        return as_of if later else None

    def rfm_thresholds(self, at: datetime) -> RfmThresholds:
        """Return the thresholds of RFM scores; the evaluation stands just before the instant."""
        zone, known = self._context.zone, self._state.horizon.rfm
        key = at, str(zone)
        if key not in known:
            written = rfm_plan(self._scope())
            figures = self._ask(written.sql, written.values).fetchnumpy()
            known[key] = thresholds_of(at, zone, **figures)
        return known[key]

    def knows_later(self) -> bool:
        """Whether anything is known that happens after the instant."""
        return self._past is not None

    def ordered_between(self, stretches: Collection[tuple[datetime, datetime]]) -> BitMap:
        """Return who has an order from an instant up to another, of any of the pairs."""
        return bitmap_of(ordered_between(stretches, self._ask))

    def came_since(self, start: datetime) -> BitMap:
        """Return to whom something happened after an instant."""
        came = came_between(start, self._context.as_of, self._ask)
        return BitMap.union(BitMap(), *map(bitmap_of, came))

    def dated_rows(self, question: Question, start: int, end: int) -> dict[str, NDArray[Any]]:
        """Return the dated rows behind a question."""
        written = dated_plan(question, self._scope(), start, end)
        self._check_time()
        return self._ask(written.sql, written.values).fetchnumpy()

    def prepared(self, tree: Node) -> _Evaluation:
        """Lower every filter first, so that what cannot be answered is said before work starts."""
        self.prepare(tree)
        return self

    def prepare(self, tree: Node) -> None:
        """Lower every filter first, so that what cannot be answered is said before work starts."""
        if isinstance(tree, Filter):
            self._questions[tree] = lower(tree, self._context)
            question, _ = self._questions[tree]
            if isinstance(question.source, NamedSet) and isinstance(question.test, Named):
                name = question.test.name
                self._named[question] = self._context.named_set(question.source.of, name)
            return
        for part in _parts(tree):
            self.prepare(part)

    def members_of_many(self, trees: Sequence[Node]) -> list[BitMap]:
        """Return the members of each query; every answer is fetched before the first is joined."""
        for tree in trees:
            self.prepare(tree)
        asked = {question for question, _ in self._questions.values()} - self._named.keys()
        for question in sorted(asked, key=_reads):
            self._answer(question)
        return [self.members(tree) for tree in trees]

    @property
    def universe(self) -> BitMap:
        """Everybody there is at the instant."""
        if self._universe is None:
            kind = self._context.universe
            past = self._past
            key = ("universe", kind, past)

            def asked() -> Answer:
                if kind == "all" and past is not None:
                    rows = bitmap_of(self._state.horizon.there(past, self._ask))
                    return Answer(rows, version=self._state.version)
                return self._read(universe_plan(kind, self._scope()))

            found = self._held(key, asked, lambda: lambda view: view.is_there(kind))
            self._universe = found.rows
        return self._universe

    def members(self, node: Node) -> BitMap:
        """Return the customers of the universe whom a node keeps."""
        if isinstance(node, Filter):
            return self._filter(node)
        if isinstance(node, Not):
            return self.universe - self.members(node.part)
        return self._joined(node, [self.members(part) for part in node.parts])

    def counted(self, node: Node) -> tuple[BitMap, NodeCount]:
        """Return the customers whom a node keeps, with the counts of the node and its parts."""
        if isinstance(node, Filter):
            found = self._filter(node)
            return found, NodeCount(node, len(found), len(found))
        if isinstance(node, Not):
            inner, count = self.counted(node.part)
            found = self.universe - inner
            return found, NodeCount(node, len(found), len(found), (count,))
        sets, counts = zip(*(self.counted(part) for part in node.parts), strict=True)
        running = self._running(node, list(sets))
        parts = tuple(
            NodeCount(count.node, count.count, so_far, count.parts)
            for count, so_far in zip(counts, running, strict=True)
        )
        found = self._joined(node, list(sets))
        return found, NodeCount(node, len(found), len(found), parts)

    def _running(self, node: And | Or | AtLeast, sets: list[BitMap]) -> list[int]:
        """Count what the first part, the first two, the first three ... keep together."""
        if isinstance(node, AtLeast):
            return [len(at_least(node.count, sets[: n + 1])) for n in range(len(sets))]
        so_far, found = sets[0], [len(sets[0])]
        for one in sets[1:]:
            so_far = so_far & one if isinstance(node, And) else so_far | one
            found.append(len(so_far))
        return found

    def _joined(self, node: And | Or | AtLeast, sets: list[BitMap]) -> BitMap:
        if isinstance(node, AtLeast):
            return at_least(node.count, sets)
        if isinstance(node, And):
            return BitMap.intersection(*sorted(sets, key=len))
        return BitMap.union(*sets)

    def _filter(self, node: Filter) -> BitMap:
        return self.asked(*self._questions[node])

    def turn(self, leaf: Filter) -> None:
        """Give the opposite answer for a filter from now on."""
        question, negated = self._questions[leaf]
        self._questions[leaf] = question, not negated

    def asked(self, question: Question, negated: bool) -> BitMap:
        """Return the customers of the universe for whom a question is true, or is not."""
        answer = self._answer(question)
        if negated is not answer.inverted:
            return self.universe - answer.rows
        return self.universe & answer.rows

    def turned(self, before: Question, now: Question) -> BitMap:
        """Return for whom two forms of a question are not alike, be they there or not."""
        old, new = self._answer(before), self._answer(now)
        if old.inverted is not new.inverted:
            raise AssertionError("bounds do not turn a question round")
        return old.rows ^ new.rows

    def answer_alike(self, questions: Iterable[Question]) -> None:
        """Answer those of the questions that differ in one text alone, by a statement for each."""
        for some in alike(questions):
            self._check_time()
            written = some.plan(self._scope())
            rows = self._ask(written.sql, written.values).fetchnumpy()
            for question, numbers in some.answers(rows):
                found = Answer(bitmap_of(numbers), written.inverted, self._state.version)
                self._state.answers.put(self._key(question), found)

    def _key(self, question: Question) -> tuple[Question, datetime | None, str]:
        past = self._past if _looks_at_orders(question) else None
        return question, past, self._zone_name

    def _answer(self, question: Question) -> Answer:
        if question in self._named:
            return Answer(self._named[question])
        key = _, past, _ = self._key(question)
        look = self._look if past is None else None
        return self._held(
            key,
            lambda: self._read(plan(question, self._scope())),
            lambda: compile_question(question, self._context),
            look=(lambda: None) if look is None else (lambda: look.answer(question)),
            of_products=isinstance(question.source, Events) and question.source.of == "lines",
        )

    def _scope(self) -> Scope:
        return Scope(self._past, self._context.as_of, self._context.zone, self._spellings)

    @property
    def _look(self) -> Look | None:
        columns = self._state.columns
        if columns is None:
            return None
        return columns.at(
            self._state.version, self._context.zone, self._ask, self._state.touched_since
        )

    def _held(
        self,
        key: object,
        find: Callable[[], Answer],
        compiled: Callable[[], Callable[[View], bool]],
        *,
        look: Callable[[], BitMap | None] = lambda: None,
        of_products: bool = False,
    ) -> Answer:
        """Return a kept answer, one from kept columns, one patched, or a new one.

        `find` asks a statement; `compiled` gives what to ask of customers who changed since.
        """
        answers, version = self._state.answers, self._state.version
        kept = answers.get(key)
        if kept is not None and kept.version == version:
            return kept
        rows = look()
        found = None if rows is None else Answer(rows, version=version)
        if found is None and kept is not None and kept.version < version:
            found = self._patched(kept, compiled, of_products=of_products)
        if found is None:
            found = find()
        if kept is None or kept.version < version:
            answers.put(key, found)
        return found

    def _patched(
        self, kept: Answer, compiled: Callable[[], Callable[[View], bool]], *, of_products: bool
    ) -> Answer | None:
        """Ask the customers who changed since; None where they are too many or not known."""
        touched = self._state.touched_since(kept.version)
        facts = self._state.facts
        if touched is None or facts is None or len(touched) > TOUCHED_MAX:
            return None
        if of_products and not facts.are_products_as_in(kept.version):
            return None
        rows = kept.rows
        if touched:
            says, as_of = compiled(), self._context.as_of
            records = self._records(facts, touched)
            answers = {one.customer_no: says(View(one, as_of)) for one in records}
            yes = BitMap(no for no, holds in answers.items() if holds is not kept.inverted)
            rows = (rows - BitMap(touched)) | yes
        return Answer(rows, kept.inverted, self._state.version)

    def _records(self, facts: Facts, numbers: frozenset[int]) -> list[CustomerRecord]:
        """Return the records of customers in this state of the data, each read once for all."""
        known = self._state.horizon.records
        unread = numbers - known.keys()
        if unread:
            found = {one.customer_no: one for one in facts.records(unread, self._reading())}
            known.update({no: found.get(no) for no in unread})
        return [record for no in numbers if (record := known[no]) is not None]

    def _reading(self) -> duckdb.DuckDBPyConnection:
        """Return the cursor, once it is known to see the state that the answers belong to."""
        if self._cursor is None:
            cursor = self._open_reader()
            self._check_version(cursor)
            self._cursor = cursor
        return self._cursor

    def _read(self, written: Plan) -> Answer:
        """Run a statement and keep whose numbers it finds."""
        self._check_time()
        rows = self._ask(written.sql, written.values).fetchnumpy()
        return Answer(bitmap_of(rows["customer_no"]), written.inverted, self._state.version)

    def _check_time(self) -> None:
        """Stop between statements too: the reader's own stop is lost where none is running."""
        if self._seconds_max is not None and monotonic() - self._started > self._seconds_max:
            raise LimitError(
                problem(
                    "evaluation_too_slow",
                    "This query was stopped after {seconds} seconds. Split it into smaller"
                    " segments, or raise the time limit in the settings.",
                    seconds=f"{self._seconds_max:g}",
                )
            )

    def _ask(
        self, sql: str, values: Mapping[str, BoundValue | list[int]]
    ) -> duckdb.DuckDBPyConnection:
        """Run a statement over the state of the data that the cached answers belong to.

        The first statement decides which state the reader sees. Where nothing was committed around
        it, that is known without asking; else the reader is asked, and the statement run again.
        """
        if self._cursor is not None:
            return self._cursor.execute(sql, values)
        cursor, was_settled = self._open_reader(), self._state.is_settled()
        answer = cursor.execute(sql, values)
        if not (was_settled and self._state.is_settled()):
            self._check_version(cursor)
            answer = cursor.execute(sql, values)
        self._cursor = cursor
        return answer

    def _check_version(self, cursor: duckdb.DuckDBPyConnection) -> None:
        rows = cursor.execute("SELECT value FROM meta WHERE name = 'data_version'").fetchall()
        seen = int(rows[0][0]) if rows else 0
        if seen != self._state.version:
            raise _NewerDataError(seen)

    def _spellings(self, table: str, name: str, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the stored texts that fold to one of the keys."""
        column = exp.column(name)
        query = exp.Select().select(column).distinct().from_(exp.to_table(table))
        stored = self._ask(query.sql("duckdb"), {}).fetchall()
        return tuple(
            sorted(text for (text,) in stored if text is not None and folded(text) in keys)
        )


def _parts(node: And | Or | AtLeast | Not) -> tuple[Node, ...]:
    return (node.part,) if isinstance(node, Not) else node.parts


def _reads(question: Question) -> tuple[str, str]:
    """Return an order in which questions that read the same table follow each other."""
    source = question.source
    if isinstance(source, Events):
        return source.of, source.of
    table = source.table if isinstance(source, Labels) else "customers"
    return table, getattr(source, "column", "")


def _looks_at_orders(question: Question) -> bool:
    """Whether the answer depends on the instant beside the bounds, through the order rows."""
    source = question.source
    return isinstance(source, Events | Figure | Rank) or (
        isinstance(source, Value) and source.rollup
    )


def at_least(count: int, sets: Sequence[BitMap]) -> BitMap:
    """Return the customers in at least `count` of the sets."""
    reached = [BitMap() for _ in range(count)]
    for one in sets:
        for level in range(count - 1, 0, -1):
            reached[level] |= reached[level - 1] & one
        reached[0] |= one
    return reached[-1]
