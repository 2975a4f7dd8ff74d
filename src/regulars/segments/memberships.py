"""Memberships: who belongs to each segment of one shop now, and what a change of facts does to it.

The truth is the membership log in the warehouse; the bitmaps here are its last line, in memory.
A segment's members are a function of the facts and the shop's day: within a day only facts move
customers, and at midnight the day itself does. All changes happen under one lock per shop, and are
taken back when the warehouse does not commit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pyroaring import BitMap
from sqlalchemy.orm import Session

from regulars.engine import Asking, Context, RfmThresholds, SetEvaluator, SharedAnswers, View, days
from regulars.engine.rfm import RfmSource, read_thresholds, write_thresholds
from regulars.errors import InputError, problem
from regulars.office import Shop
from regulars.segments.definitions import Definition, definitions_in_force, sort_definitions
from regulars.segments.lists import Lists
from regulars.segments.log import COUNTED_ANEW, MOVES_COMBINATIONS
from regulars.segments.names import name_key
from regulars.warehouse import Warehouse
from regulars.warehouse.membership import LogEntry, NewMembers

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from regulars.language.tree import Node

#: Under this name the warehouse keeps the thresholds of the day.
RFM_NAME = "rfm_thresholds"
DAY = timedelta(days=1)


@dataclass(slots=True)
class Change:
    """Who joined and who left one segment."""

    joined: BitMap = field(default_factory=BitMap)
    left: BitMap = field(default_factory=BitMap)


@dataclass(slots=True)
class Changes:
    """What one transaction did: by segment, and which segments could not be evaluated, and why."""

    by_segment: dict[int, Change] = field(default_factory=dict)
    broken: dict[int, str] = field(default_factory=dict)
    #: The segments evaluated in full, with the version of the query that was used.
    evaluated: dict[int, int] = field(default_factory=dict)

    def of(self, segment_id: int) -> Change:
        """Return the change of one segment, to be written to."""
        return self.by_segment.setdefault(segment_id, Change())


@dataclass(slots=True)
class Plan:
    """A definition in force, with the customer evaluator compiled for one day."""

    definition: Definition
    matches: Callable[[View], bool] | None = None


@dataclass
class State:
    """The sets of one shop and the definitions they come from."""

    warehouse: Warehouse
    evaluator: SetEvaluator
    #: The shop's CSV lists.
    lists: Lists
    #: By segment id, parts before what is made of them.
    plans: dict[int, Plan] = field(default_factory=dict)
    #: By the key of the segment's name.
    ids: dict[str, int] = field(default_factory=dict)
    #: Changed in place during a transaction: compiled queries may hold on to these objects.
    working: dict[int, BitMap] = field(default_factory=dict)
    #: Replaced after a commit, never changed: readers need no lock.
    published: dict[int, BitMap] = field(default_factory=dict)
    #: What the compiled plans share; it holds for one day of the shop.
    shared: SharedAnswers | None = None
    #: The thresholds of RFM scores of the kept memberships' day; the same all day long.
    rfm_of_day: RfmThresholds | None = None
    #: Those that are written in the warehouse, so that a restart finds the same.
    rfm_stored: RfmThresholds | None = None

    def adopt(self, in_force: Iterable[Definition]) -> None:
        """Make these the definitions in force; the sets of others are forgotten."""
        ordered = sort_definitions(list(in_force))
        old, self.plans = self.plans, {}
        for one in ordered:
            plan = old.get(one.segment_id)
            kept = plan is not None and plan.definition == one
            self.plans[one.segment_id] = plan if plan is not None and kept else Plan(one)
        self.ids = {one.key: one.segment_id for one in ordered}
        for segment_id in self.plans:
            self.working.setdefault(segment_id, BitMap())
        for gone in set(self.working) - set(self.plans):
            del self.working[gone]
            self.published.pop(gone, None)

    def publish(self, segment_id: int) -> None:
        """Let readers see the present set of a segment."""
        self.published[segment_id] = self.working[segment_id].copy()

    def plan(self, of: str, name: str) -> Plan:
        """Return the plan of a segment by its name; raises InputError while there is none."""
        segment_id = self.ids.get(name_key(name)) if of == "segment" else None
        if segment_id is None:
            template = 'There is no segment "{name}" whose members are known.'
            raise InputError(problem("unknown_segment", template, name=name))
        return self.plans[segment_id]

    def rfm(self, at: datetime, zone: ZoneInfo) -> RfmThresholds:
        """Return the thresholds of RFM scores at an instant.

        Those of the kept memberships' day stay as they were first found, whatever is told later of
        the days before: an order moves nobody but its own customer.
        """
        kept = self.rfm_of_day
        return kept if kept and kept.at == at else self.evaluator.rfm_thresholds(at, zone)

    def rfm_from(self, began: datetime) -> RfmSource:
        """Return the source of thresholds for the day that began then, which it keeps."""

        def source(at: datetime, zone: ZoneInfo) -> RfmThresholds:
            found = self.rfm(at, zone)
            if at == began:
                self.rfm_of_day = found
            return found

        return source

    def named_tree(self, name: str) -> Node | None:
        """Return the query of a segment by its name; None while there is none."""
        segment_id = self.ids.get(name_key(name))
        return None if segment_id is None else self.plans[segment_id].definition.tree

    def named_set(self, of: str, name: str) -> BitMap:
        """Return the members of a segment or list, as the transaction at hand sees them."""
        if of == "csv_list":
            return self.lists.members(name)
        return self.working[self.plan(of, name).definition.segment_id]


def day_of(shop: Shop, now: datetime) -> date:
    """Return the shop's day.

    A clock that is set back over midnight does not bring the day before back: who is evaluated
    meanwhile is evaluated for the day that has begun already, as everybody else was. A clock that
    was days ahead and came back left a day behind that has not come.
    """
    today = days.local_day(now, shop.zone)
    return today + DAY if shop.day_changed_on == today + DAY else today


class Memberships:
    """The present members of every segment of one shop."""

    def __init__(self, warehouse: Warehouse, evaluator: SetEvaluator) -> None:
        self._state = State(warehouse, evaluator, Lists(warehouse))
        self._lock = threading.RLock()

    def load(self, session: Session, shop: Shop) -> None:
        """Read the definitions in force and rebuild the sets from the log; done once, at start."""
        with self._lock:
            self._state.lists.load(session, shop)
            self._state.adopt(definitions_in_force(session, shop))
            stored = self._state.warehouse.meta(RFM_NAME)
            self._state.rfm_of_day = read_thresholds(stored) if stored else None
            self._state.rfm_stored = self._state.rfm_of_day
            for segment_id in self._state.plans:
                self._state.working[segment_id] = self._state.warehouse.current_members(segment_id)
                self._state.publish(segment_id)

    @property
    def evaluator(self) -> SetEvaluator:
        """What evaluates queries over everybody."""
        return self._state.evaluator

    @property
    def lists(self) -> Lists:
        """The shop's CSV lists."""
        return self._state.lists

    def follow_lists(self, session: Session, shop: Shop) -> None:
        """Learn of lists that were made, renamed or converted, after the commit."""
        with self._lock:
            self._state.lists.load(session, shop)

    def members(self, segment_id: int) -> BitMap:
        """Return the members of a segment now; empty while it has never been built."""
        return self._state.published.get(segment_id, BitMap()).copy()

    def count(self, segment_id: int) -> int:
        """Return how many members a segment has now."""
        return len(self._state.published.get(segment_id, ()))

    def context(self, shop: Shop, as_of: datetime) -> Context:
        """Return what a query is evaluated in at any instant, segments by name included.

        A segment that the query names is itself evaluated at that instant, by its present query;
        a CSV list is who was on it then.
        """
        lists = self._state.lists

        def named_set(of: str, name: str) -> BitMap:
            if of == "csv_list":
                return lists.members_at(name, as_of)
            return self._state.evaluator.members(self._state.plan(of, name).definition.tree, at)

        at = self._context(shop, as_of, named_set)
        return replace(at, knows_list=lambda name: lists.is_known_at(name, as_of))

    def live_context(self, shop: Shop, now: datetime) -> Context:
        """Return the context of kept memberships: the last instant of the shop's day.

        Everything told today counts, whatever the clocks of Shopify and this machine differ by.
        """
        today = day_of(shop, now)
        end = days.day_end(today, shop.zone)
        as_of = (end or datetime.max.replace(tzinfo=UTC)) - days.MICROSECOND
        live = self._context(shop, as_of, self._state.named_set)
        return replace(live, rfm=self._state.rfm_from(days.day_start(today, shop.zone)))

    def _context(
        self, shop: Shop, as_of: datetime, named_set: Callable[[str, str], BitMap]
    ) -> Context:
        return Context(
            as_of=as_of,
            zone=shop.zone,
            currency=shop.currency,
            universe="buyers" if shop.universe == "buyers" else "all",
            named_set=named_set,
            rfm=self._state.rfm,
            named_tree=self._state.named_tree,
        )

    @contextmanager
    def changing(self, shop: Shop, now: datetime) -> Iterator[Changing]:
        """Open a change; leaving it normally means that the warehouse has committed."""
        with self._lock:
            changing = Changing(self._state, self.live_context(shop, now), shop, now)
            try:
                yield changing
            except BaseException:
                changing.undo()
                raise
            changing.publish()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from changing memberships; taken before the office's write lock."""
        with self._lock:
            yield

    def adopt(self, current: Sequence[Definition]) -> None:
        """Follow renamed and deleted segments; new and edited ones wait for their refresh."""
        with self._lock:
            newest = {one.segment_id: one for one in current}
            kept = []
            for segment_id, plan in self._state.plans.items():
                one = newest.get(segment_id)
                if one is not None:
                    kept.append(in_force(plan.definition, one))
            self._state.adopt(kept)


def in_force(old: Definition, newest: Definition) -> Definition:
    """Return the definition that the members still come from, under its present name."""
    if old.version == newest.version:
        return newest
    return replace(old, name=newest.name, key=newest.key)


@dataclass(frozen=True, slots=True)
class Few:
    """The customers who alone can have moved in some segments, and a look at them."""

    customers: BitMap
    asking: Asking
    #: The segments, with the version of the query that their members come from.
    versions: Mapping[int, int]

    def tells(self, one: Definition) -> bool:
        """Whether nobody else can have moved in a segment."""
        return self.versions.get(one.segment_id) == one.version


class Changing:
    """One transaction's change of memberships: evaluates, writes the log, remembers for undoing."""

    def __init__(self, state: State, context: Context, shop: Shop, now: datetime) -> None:
        self._state = state
        self._shop = shop
        self._now = now
        self._context = context
        self._plans_before = dict(state.plans), dict(state.ids)
        self._rfm_before = state.rfm_of_day
        self._rfm_written: RfmThresholds | None = None
        self.changes = Changes()

    @property
    def context(self) -> Context:
        """What queries are evaluated in."""
        return self._context

    def follow(
        self,
        cursor: DuckDBPyConnection,
        customer_nos: Collection[int],
        causes: Mapping[int, str],
    ) -> None:
        """Evaluate these customers against every segment, and log who joined and left.

        `causes` names why, by customer number; "order" where it says nothing.
        """
        if not customer_nos or not self._state.plans:
            return
        told = self._state.warehouse.records(customer_nos, cursor)
        touched, listed = self._state.lists.follow(cursor, self._shop, told, self._now)
        more = touched - BitMap(customer_nos)
        if more:
            told += self._state.warehouse.records(more, cursor)
        shared = self._compile()
        records = {record.customer_no: record for record in told}
        numbers = sorted({*customer_nos, *more})
        among = BitMap(numbers)
        # What cannot be evaluated is left out: its members stay as they are.
        asked = [
            (plan.definition, plan.matches, set(self._state.working[segment_id] & among))
            for segment_id, plan in self._state.plans.items()
            if plan.matches is not None
        ]
        entries: list[LogEntry] = []
        # Customer by customer, so that the answers they share are worked out once; for each of
        # them parts come before what is made of them.
        for number in numbers:
            record = records.get(number)
            view = None if record is None else shared.view(record)
            for one, matches, belonged in asked:
                belongs = view is not None and matches(view)
                if belongs != (number in belonged):
                    cause = causes.get(number, "order")
                    if number in listed and one.lists:
                        cause = "awaited"
                    entries.append(self._flip(one, number, belongs, cause))
        self._state.warehouse.log(entries)
        self._store_rfm(cursor)

    def refresh(
        self,
        cursor: DuckDBPyConnection,
        current: Sequence[Definition],
        segment_ids: Collection[int],
        cause: str,
        *,
        few: Few | None = None,
    ) -> None:
        """Evaluate segments in full, from their newest definition, then those made of them.

        A segment that cannot be evaluated keeps its members and is reported in `changes.broken`.
        Where `few` says who alone can have moved, nobody else is asked.
        """
        newest = [
            one
            for one in current
            if one.segment_id in segment_ids or one.segment_id in self._state.plans
        ]
        before = dict(self._state.plans)
        if cause in COUNTED_ANEW:
            self._forget_rfm()
        self._switch(newest, segment_ids)
        news: list[NewMembers] = []
        moved: set[str] = set()
        # Moved by others than the few: what is made of them is asked of everybody too.
        at_large: set[str] = set()
        # Data that was loaded at once may hold customers who were waited for.
        came = (
            self._state.lists.follow_all(cursor, self._shop, self._now)
            if cause == "loaded"
            else frozenset()
        )
        for plan in list(self._state.plans.values()):
            one = plan.definition
            asked = one.segment_id in segment_ids
            if not asked and not one.references & moved:
                continue
            only = few if few and few.tells(one) and not one.references & at_large else None
            try:
                members = self._members(one, only)
            except InputError as error:
                self.changes.broken[one.segment_id] = str(error)
                self._state.plans[one.segment_id] = before.get(one.segment_id, plan)
                continue
            why = cause if asked or cause in MOVES_COMBINATIONS else "part_changed"
            if one.lists & came:
                why = "awaited"
            news.append(NewMembers(one.segment_id, members, why, one.version))
            if self._replace(one, members):
                moved.add(one.key)
                if only is None:
                    at_large.add(one.key)
            self.changes.evaluated[one.segment_id] = one.version
        self._state.warehouse.log_members(cursor, news, at=self._now)
        self._store_rfm(cursor)

    def _members(self, one: Definition, only: Few | None) -> BitMap:
        if only is None:
            return BitMap(self._state.evaluator.members(one.tree, self._context))
        stay = self._state.working[one.segment_id] - only.customers
        return stay | only.asking.members(one.tree)

    def _forget_rfm(self) -> None:
        """Have the day's thresholds found anew: the shop's past was told again."""
        self._state.rfm_of_day = None
        self._state.shared = None

    def _store_rfm(self, cursor: DuckDBPyConnection) -> None:
        found = self._state.rfm_of_day
        if found is not None and found != self._state.rfm_stored:
            self._state.warehouse.set_meta(RFM_NAME, write_thresholds(found), cursor)
            self._rfm_written = found

    def undo(self) -> None:
        """Take everything back."""
        for segment_id, change in self.changes.by_segment.items():
            working = self._state.working.get(segment_id)
            if working is not None:
                working -= change.joined
                working |= change.left
        self._state.plans, self._state.ids = self._plans_before
        self._state.rfm_of_day = self._rfm_before
        self._state.lists.settle(kept=False)

    def publish(self) -> None:
        """Let readers see the new sets."""
        self._state.lists.settle(kept=True)
        self._state.rfm_stored = self._rfm_written or self._state.rfm_stored
        for segment_id in {*self.changes.by_segment, *self.changes.evaluated}:
            self._state.publish(segment_id)

    def _switch(self, newest: Sequence[Definition], segment_ids: Collection[int]) -> None:
        chosen = []
        for one in newest:
            plan = self._state.plans.get(one.segment_id)
            use_new = plan is None or one.segment_id in segment_ids
            chosen.append(one if use_new or plan is None else in_force(plan.definition, one))
        self._state.adopt(chosen)

    def _replace(self, one: Definition, members: BitMap) -> bool:
        """Take over a segment's members; return whether anybody joined or left."""
        working = self._state.working[one.segment_id]
        change = self.changes.of(one.segment_id)
        joined, left = members - working, working - members
        change.joined, change.left = joined, left
        working |= joined
        working -= left
        return bool(joined or left)

    def _flip(self, one: Definition, number: int, joined: bool, cause: str) -> LogEntry:
        working = self._state.working[one.segment_id]
        change = self.changes.of(one.segment_id)
        if joined:
            working.add(number)
            change.joined.add(number)
        else:
            working.discard(number)
            change.left.add(number)
        return LogEntry(one.segment_id, number, self._now, joined, cause, one.version)

    def _compile(self) -> SharedAnswers:
        """Compile what is not compiled for this day yet."""
        shared = self._state.shared
        if shared is None or not self._context.is_like(shared.context):
            for plan in self._state.plans.values():
                plan.matches = None
            shared = self._state.shared = SharedAnswers(self._context)
        for plan in self._state.plans.values():
            if plan.matches is not None:
                continue
            try:
                plan.matches = shared.compile(plan.definition.tree)
            except InputError as error:
                self.changes.broken[plan.definition.segment_id] = str(error)
        return shared
