"""A shop in plain Python: what people, orders, lists and rules are after each thing that happens.

It knows no batches, caches or logs. Who belongs is found by the naive evaluator from what the shop
is like at an instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from regulars.language import parse
from regulars.language.tree import Filter, Node, Text, filters_of
from regulars.warehouse.facts import (
    UNSET,
    CustomerDeleted,
    CustomerFact,
    CustomerRedacted,
    CustomersMerged,
    Fact,
    OrderDeleted,
    OrderFact,
    ProductFact,
    RefundChange,
)
from tests.engine import naive


@dataclass
class Rule:
    """A segment as a person made it."""

    name: str
    query: str
    #: Every text it ever had, the newest last.
    texts: list[str] = field(default_factory=list)
    is_in_trash: bool = False

    @property
    def tree(self) -> Node:
        return parse(self.query)


@dataclass
class Row:
    """A row of a list: a customer, or the e-mail of somebody who is waited for."""

    customer: str | None
    email: str | None
    added_by: int
    removed_by: int | None = None


@dataclass
class ShopModel:
    """Everything there is in a shop."""

    zone: ZoneInfo
    universe: str = "all"
    people: dict[str, CustomerFact] = field(default_factory=dict)
    orders: dict[str, OrderFact] = field(default_factory=dict)
    products: dict[str, ProductFact] = field(default_factory=dict)
    #: By id.
    rules: dict[int, Rule] = field(default_factory=dict)
    #: By name.
    lists: dict[str, list[Row]] = field(default_factory=dict)
    #: Whom each list stood for at the end of each step.
    lists_then: dict[datetime, dict[str, set[str]]] = field(default_factory=dict)
    #: The thresholds of the RFM scores of a day, as they were when a segment first needed them, and
    #: the beginning of that day: what is told later of the days before moves nobody else.
    fifths: tuple[datetime, dict[str, list[Any]]] | None = None

    # -- facts -----------------------------------------------------------------------------------

    def take(self, fact: Fact) -> set[str]:  # noqa: PLR0911 - one for each kind
        """Let one fact be true; return the customers whom it concerns."""
        match fact:
            case CustomerFact(customer_id=who):
                self.people[who] = _told_over(self._person(who), fact)
                self._welcome(who)
                return {who}
            case OrderFact(customer_id=str(who)):
                self._person(who)
                self.orders[fact.order_id] = fact
                self._welcome(who)
                return {who}
            case OrderDeleted(order_id=gone):
                return self._buyer_of(self.orders.pop(gone, None))
            case RefundChange(order_id=of, refund=refund):
                order = self.orders.get(of)
                if order is not None:
                    self.orders[of] = replace(order, refunds=(*order.refunds, refund))
                return self._buyer_of(order)
            case CustomerDeleted(customer_id=who) | CustomerRedacted(customer_id=who):
                self.people.pop(who, None)
                if isinstance(fact, CustomerRedacted):
                    self._forget(who)
                return {who}
            case CustomersMerged(kept_id=kept, removed_id=removed):
                return self._merge(kept, removed)
            case ProductFact(product_id=which):
                self.products[which] = fact
                return set()
        raise AssertionError(fact)

    def _merge(self, kept: str, removed: str) -> set[str]:
        self.people.pop(removed, None)
        for number, order in self.orders.items():
            if order.customer_id == removed:
                self.orders[number] = replace(order, customer_id=kept)
        for rows in self.lists.values():
            for row in rows:
                row.customer = kept if row.customer == removed else row.customer
        for then in self.lists_then.values():
            for listed in then.values():
                if removed in listed:
                    listed.add(kept)
        return {kept, removed}

    def _forget(self, who: str) -> None:
        for rows in self.lists.values():
            rows[:] = [row for row in rows if row.customer != who]

    def _person(self, who: str) -> CustomerFact:
        return self.people.setdefault(who, CustomerFact(customer_id=who, added_at=None))

    def _buyer_of(self, order: OrderFact | None) -> set[str]:
        return {order.customer_id} if order and order.customer_id in self.people else set()

    # -- lists -----------------------------------------------------------------------------------

    def _welcome(self, who: str) -> None:
        """Let the rows that wait for somebody stand for them."""
        email = self.people[who].email
        for rows in self.lists.values():
            for row in rows:
                if row.email is not None and row.removed_by is None and row.email == email:
                    row.customer, row.email = who, None

    def upload(self, name: str, number: int, mode: str, emails: Iterable[str]) -> None:
        """Replace a list by a file of e-mails, add them to it, or remove them from it."""
        rows = self.lists.setdefault(name, [])
        rows[:] = [row for row in rows if row.removed_by is None]
        by_email = {one.email: who for who, one in self.people.items()}
        wanted = {(by_email.get(one), None if one in by_email else one) for one in emails}
        for row in rows:
            is_named = (row.customer, row.email) in wanted
            if is_named == (mode == "remove") and mode != "add":
                row.removed_by = number
        listed = {(row.customer, row.email) for row in rows if row.removed_by is None}
        if mode != "remove":
            rows += [Row(*one, added_by=number) for one in wanted - listed]

    def undo(self, name: str, number: int) -> None:
        """Take an upload back. Nobody is looked for among rows that come back but by their keys."""
        rows = self.lists[name]
        rows[:] = [row for row in rows if row.added_by != number]
        for row in rows:
            if row.removed_by == number:
                row.removed_by = None
        for who in list(self.people):
            self._welcome(who)

    def on_list(self, name: str) -> set[str]:
        """Return whom a list stands for."""
        rows = self.lists.get(name, [])
        return {row.customer for row in rows if row.customer and row.removed_by is None}

    def remember(self, now: datetime) -> None:
        """Keep whom the lists stand for."""
        self.lists_then[now] = {name: self.on_list(name) for name in self.lists}

    def was_on_list(self, name: str, instant: datetime) -> set[str]:
        """Return whom a list stood for; before it was made, whom it stood for at first."""
        known = {at: lists[name] for at, lists in self.lists_then.items() if name in lists}
        before = [at for at in known if at <= instant]
        return known[max(before) if before else min(known)]

    # -- rules -----------------------------------------------------------------------------------

    def live(self) -> Mapping[str, tuple[int, Rule]]:
        """Return the segments that are not in the trash, by name."""
        return {one.name: (key, one) for key, one in self.rules.items() if not one.is_in_trash}

    def users_of(self, name: str) -> list[Rule]:
        """Return the live segments whose rule names this one."""
        return [one for _key, one in self.live().values() if name in named(one.tree)]

    def moved_by(self, names: Iterable[str]) -> set[int]:
        """Return the segments that are made of these, directly or not."""
        waiting, found = list(names), set[int]()
        while waiting:
            above = waiting.pop()
            for name, (key, one) in self.live().items():
                if above in named(one.tree) and key not in found:
                    found.add(key)
                    waiting.append(name)
        return found

    def is_refused(self, query: str, name: str) -> bool:
        """Whether a segment of this name cannot have such a rule."""
        parts = {one: named(rule.tree) for one, (_key, rule) in self.live().items()}
        parts[name] = named(parse(query))
        reached, waiting = set[str](), list(parts[name])
        while waiting:
            part = waiting.pop()
            if part == name or part not in parts:
                return True
            waiting += parts[part] - reached
            reached |= parts[part]
        return bool(named(parse(query), "csv_list") - self.lists.keys())

    def rename(self, key: int, new: str) -> None:
        """Rename a segment: every text that named it names it still."""
        old, self.rules[key].name = self.rules[key].name, new
        for one in self.rules.values():
            one.query = one.query.replace(f"segment = '{old}'", f"segment = '{new}'")
            one.texts = [
                text.replace(f"segment = '{old}'", f"segment = '{new}'") for text in one.texts
            ]

    # -- who belongs -----------------------------------------------------------------------------

    def members(self, as_of: datetime, *, is_past: bool = False) -> dict[int, set[str]]:
        """Return the members of each live segment at an instant, by the rules of now."""
        sets = {
            ("csv_list", name): self.was_on_list(name, as_of) if is_past else self.on_list(name)
            for name in self.lists
        }
        world = naive.world(list(self._facts()), as_of, self.zone, 0, sets)
        began = naive.this_morning(world).as_of
        if self.fifths and self.fifths[0] == began:
            world.fifths = self.fifths[1]
        found: dict[int, set[str]] = {}
        waiting = dict(self.live())
        while waiting:
            for name, (key, one) in list(waiting.items()):
                if named(one.tree) & waiting.keys():
                    continue
                found[key] = sets["segment", name] = naive.members(one.tree, world, self.universe)
                del waiting[name]
        if world.fifths is not None and not is_past:
            self.fifths = began, world.fifths
        return found

    def end_of_day(self, day: date) -> datetime:
        """Return the last instant of a day of the shop."""
        following = day + timedelta(days=1)
        midnight = datetime(following.year, following.month, following.day, tzinfo=self.zone)
        return midnight - timedelta(microseconds=1)

    def _facts(self) -> Iterator[Fact]:
        yield from self.people.values()
        yield from self.products.values()
        yield from (one for one in self.orders.values() if one.customer_id in self.people)


def named(tree: Node, kind: str = "segment") -> set[str]:
    """Return the segments, or lists, that a rule names."""
    return {
        operand.value
        for leaf in filters_of(tree)
        if isinstance(leaf, Filter) and leaf.attribute == kind
        for operand in leaf.operands
        if isinstance(operand, Text)
    }


def _told_over(old: CustomerFact, new: CustomerFact) -> CustomerFact:
    """Return what is known of somebody after news that tells some fields."""
    fields = ("email", "account_status", "tags")
    told = {name: getattr(new, name) for name in fields if getattr(new, name) is not UNSET}
    return replace(old, **told)
