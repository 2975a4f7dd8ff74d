"""Membership before the log tells: of the first day of a segment, and of frozen lists.

A tracking may begin on the day its segment was made. Who would have belonged since midnight is
asked of the engine when the tracking is made, and kept with it (decision 0020).
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import orjson
from pyroaring import BitMap

from regulars.engine import Context, SetEvaluator, compile_query
from regulars.language.tree import Node
from regulars.tracking.intervals import Flips, flips_of, instant_of, joined_flips, micros
from regulars.warehouse import Warehouse
from regulars.warehouse.columns import inside

#: Counted orders of a stretch of time by their customers.
_ORDERS = """
SELECT customer_no, epoch_us(processed_at) FROM orders
WHERE processed_at >= ? AND processed_at < ? AND customer_no IS NOT NULL
ORDER BY processed_at
"""

#: Whether a segment's log reaches back to an instant.
_BEGINS = """
SELECT count(*) > 0 FROM (
  SELECT 1 FROM membership_log WHERE segment_id = ? AND happened_at <= ? LIMIT 1
)
"""


@dataclass(frozen=True, slots=True)
class Before:
    """Who belonged at an instant, and who joined or left between it and the log's first entry."""

    #: In UTC microseconds.
    at: int
    #: A serialized set of customer numbers.
    members: bytes
    #: Customer, microseconds, joined; in order of time, each caused by an order.
    flips: tuple[tuple[int, int, bool], ...] = ()

    def then(self, log: Flips) -> Flips:
        """Return the entries of before followed by the log's."""
        numbers = BitMap.deserialize(self.members)
        own = flips_of(
            [(number, self.at, True, False, False) for number in numbers]
            + [(number, at, joined, True, False) for number, at, joined in self.flips]
        )
        if not len(log):
            return own
        begins = int(log.happened_at[0])
        if begins <= self.at:
            return log
        for number, at, joined in self.flips:
            if at < begins:
                (numbers.add if joined else numbers.discard)(number)
        at_first = log.customer_nos[(log.happened_at == begins) & log.joined]
        gone = numbers - BitMap(at_first.tolist())
        leaves = flips_of([(number, begins, False, False, False) for number in gone])
        return joined_flips(joined_flips(own.chosen(own.happened_at < begins), leaves), log)

    def to_bytes(self) -> bytes:
        """Return the form in which a tracking keeps it."""
        members = base64.b64encode(self.members).decode()
        return orjson.dumps({"at": self.at, "members": members, "flips": self.flips})

    @classmethod
    def of_bytes(cls, kept: bytes) -> Before:
        """Read the kept form."""
        told = orjson.loads(kept)
        flips = tuple((int(no), int(at), bool(joined)) for no, at, joined in told["flips"])
        return cls(told["at"], base64.b64decode(told["members"]), flips)


def frozen(customer_nos: Iterable[int], at: datetime) -> Before:
    """Return members that stay: a list of the earlier system, from the period's start on."""
    return Before(micros(at), BitMap(customer_nos).serialize())


def log_begins(warehouse: Warehouse, segment_id: int, instant: datetime) -> bool:
    """Whether the segment's log has entries of `instant` or earlier, and so tells who belonged."""
    with warehouse.reader() as cursor:
        ((found,),) = cursor.execute(_BEGINS, [segment_id, inside(instant)]).fetchall()
    return bool(found)


def look_back(
    warehouse: Warehouse,
    evaluator: SetEvaluator,
    tree: Node,
    *,
    context_at: Callable[[datetime], Context],
    start: datetime,
    now: datetime,
) -> Before:
    """Ask the engine who belonged from `start` until `now` by a rule.

    Within a day only facts move customers, so it is enough to ask again after each order.
    """
    members = BitMap(evaluator.members(tree, context_at(start)))
    with warehouse.reader() as cursor:
        placed = cursor.execute(_ORDERS, [inside(start), inside(now)]).fetchall()
        instants: dict[int, list[int]] = defaultdict(list)
        for number, instant in placed:
            instants[number].append(instant)
        records = {one.customer_no: one for one in warehouse.records(instants, cursor)}
    flips = []
    now_in = BitMap(members)
    for number, instant in sorted(placed, key=lambda one: one[1]):
        matches = compile_query(tree, context_at(instant_of(instant)))
        belongs = number in records and matches(records[number])
        if belongs != (number in now_in):
            (now_in.add if belongs else now_in.discard)(number)
            flips.append((number, instant, belongs))
    return Before(micros(start), members.serialize(), tuple(flips))
