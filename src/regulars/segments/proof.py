"""Proof: the kept members of segments compared with an evaluation from nothing.

The set evaluator works them out anew, with an empty cache and over one state of the data; the kept
sets, changed customer by customer ever since, have to be the same. So have the log's and the row's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap

from regulars.engine import SetEvaluator
from regulars.errors import InputError
from regulars.office import Office, Shop
from regulars.segments.definitions import Definition, definitions_in_force
from regulars.segments.memberships import Memberships
from regulars.warehouse import Warehouse

#: So many customers of a difference are named in a report.
NAMED_MAX = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One segment compared. All counts but `members` are 0 where everything is right."""

    segment_id: int
    name: str
    members: int
    #: Customers who belong by the rule and are not kept, or are kept and do not belong.
    missing: int = 0
    extra: int = 0
    #: Customers on whom the membership log and the kept set differ.
    log_differs: int = 0
    #: Numbers of some of them.
    customer_nos: tuple[int, ...] = ()
    #: Why it could not be evaluated; None where it could.
    problem: str | None = None

    @property
    def is_right(self) -> bool:
        """Whether the kept members are what the rule finds, and what the log says."""
        return not (self.missing or self.extra or self.log_differs)


def verify(
    office: Office,
    warehouse: Warehouse,
    memberships: Memberships,
    shop: Shop,
    *,
    now: datetime,
    most: int | None = None,
    after: int = 0,
) -> Sequence[Finding]:
    """Compare segments with an evaluation from nothing; all of them, or `most` after an id.

    The rolling sample goes on from the beginning when it has come to the end.
    """
    with office.reading() as session:
        ordered = sorted(definitions_in_force(session, shop), key=lambda one: one.segment_id)
    later = [one for one in ordered if one.segment_id > after]
    chosen = (later + [one for one in ordered if one.segment_id <= after])[:most]
    # A cache of its own, empty: what the app has cached proves nothing.
    evaluator = SetEvaluator(warehouse)
    return [_compare(warehouse, memberships, evaluator, one, shop=shop, now=now) for one in chosen]


def _compare(
    warehouse: Warehouse,
    memberships: Memberships,
    evaluator: SetEvaluator,
    one: Definition,
    *,
    shop: Shop,
    now: datetime,
) -> Finding:
    # Nobody may change facts or members between looking at the one and the other.
    with memberships.held():
        kept = memberships.members(one.segment_id)
        logged = warehouse.members_at(one.segment_id, datetime.max.replace(tzinfo=now.tzinfo))
        try:
            right = evaluator.members(one.tree, memberships.live_context(shop, now))
        except InputError as error:
            return Finding(one.segment_id, one.name, len(kept), problem=str(error))
    missing, extra, differs = right - kept, kept - right, logged ^ kept
    wrong = BitMap(missing | extra | differs)
    return Finding(
        one.segment_id,
        one.name,
        len(kept),
        missing=len(missing),
        extra=len(extra),
        log_differs=len(differs),
        customer_nos=tuple(wrong[:NAMED_MAX]),
    )
