"""A Shopify of tags only, in memory, for thousands of histories: the port's rules, and its faults.

Follows the recorded rules of customer tags (case is ignored, 250 at most) and dies, refuses and
loses answers when told to. The full pretend Shopify is behind the other tests of this folder.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from regulars.clock import Clock
from regulars.errors import Throttled, Unavailable
from regulars.tags import Answer, BulkState, Room


@dataclass
class Faults:
    """How often things go wrong, from 0 to 1."""

    unavailable: float = 0.0
    lost_answer: float = 0.0
    throttled: float = 0.0
    bulk_given_up: float = 0.0


@dataclass
class Operation:
    started_at: datetime
    customer_ids: list[str]
    tag: str
    add: bool
    polls_left: int
    answers: dict[int, Answer] | None = None


@dataclass
class PretendTags:
    """Customers and their tags. `random` decides about faults, so that one seed is one history."""

    clock: Clock
    random: random.Random = field(default_factory=lambda: random.Random(0))
    tags: dict[str, list[str]] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    operations: dict[str, Operation] = field(default_factory=dict)
    collected: dict[str, list[tuple[str, list[str]]]] = field(default_factory=dict)
    #: (customer, tag, add) of each change that took effect, and every request made.
    effects: list[tuple[str, str, bool]] = field(default_factory=list)
    request_count: int = 0

    def has(self, customer_id: str, key: str) -> bool:
        """Whether a customer has this tag, in whatever case."""
        return key in {tag.lower() for tag in self.tags.get(customer_id, ())}

    def read(self, customer_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        self._request()
        return {one: list(self.tags[one]) for one in customer_ids if one in self.tags}

    def room(self, asked: int, *, adds: bool) -> Room:
        return Room(asked)

    def start_reading(self) -> str:
        self._request()
        self._lose_answer()
        gid = f"gid://shopify/BulkOperation/reading-{self.request_count}"
        self.collected[gid] = [(one, list(tags)) for one, tags in self.tags.items()]
        return gid

    def is_read(self, operation_gid: str) -> bool:
        self._request()
        return operation_gid in self.collected and self.random.random() < 0.7

    def readings(self, operation_gid: str) -> Iterator[tuple[str, Sequence[str]]]:
        self._request()
        yield from self.collected[operation_gid]

    def change(self, customer_ids: Sequence[str], tag: str, *, add: bool) -> Mapping[str, Answer]:
        answers = {}
        for one in customer_ids:
            self._request()
            answers[one] = self._change_one(one, tag, add)
            self._lose_answer()
        return answers

    def start_bulk(self, customer_ids: Sequence[str], tag: str, *, add: bool) -> str:
        self._request()
        gid = f"gid://shopify/BulkOperation/{len(self.operations) + 1}"
        polls = self.random.randint(0, 3)
        self.operations[gid] = Operation(self.clock(), list(customer_ids), tag, add, polls)
        self._lose_answer()
        return gid

    def find_bulk(self, *, add: bool, since: datetime, known: Collection[str]) -> str | None:
        self._request()
        return next(
            (
                gid
                for gid, one in self.operations.items()
                if one.add is add and one.started_at >= since and gid not in known
            ),
            None,
        )

    def look_at_bulk(self, operation_gid: str) -> BulkState:
        self._request()
        operation = self.operations[operation_gid]
        if operation.polls_left > 0:
            operation.polls_left -= 1
            return BulkState(False, 0)
        if operation.answers is None:
            self._work_through(operation)
        return BulkState(True, len(operation.answers or {}), operation.answers)

    def _work_through(self, operation: Operation) -> None:
        operation.answers = {}
        for line, one in enumerate(operation.customer_ids):
            if self.random.random() < self.faults.bulk_given_up:
                # The operation failed here: the rest is not worked, and has no answers.
                return
            operation.answers[line] = self._change_one(one, operation.tag, operation.add)

    def _change_one(self, one: str, tag: str, add: bool) -> Answer:
        if one not in self.tags:
            return Answer("Customer does not exist", is_gone=True)
        present = self.tags[one]
        same = [other for other in present if other.lower() == tag.lower()]
        if add and not same:
            if len(present) >= 250:
                return Answer("Tags cannot be more than 250")
            present.append(tag)
            self.effects.append((one, tag.lower(), True))
        if not add and same:
            self.tags[one] = [other for other in present if other not in same]
            self.effects.append((one, tag.lower(), False))
        return Answer()

    def _request(self) -> None:
        self.request_count += 1
        for operation in self.operations.values():
            # Shopify works by itself, whether somebody looks or not.
            if operation.answers is None and self.random.random() < 0.3:
                self._work_through(operation)
        if self.random.random() < self.faults.unavailable:
            raise Unavailable("Shopify has a problem of its own (HTTP 503).")
        if self.random.random() < self.faults.throttled:
            raise Throttled("Shopify asked us to slow down.", 1.0)

    def _lose_answer(self) -> None:
        if self.random.random() < self.faults.lost_answer:
            raise Unavailable("The connection to Shopify broke off.")
