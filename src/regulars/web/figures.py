"""Figures that several pages show: how many customers there are, who moved, who the members are.

Reads only. What a figure means is PRODUCT's and the features' matter; here they are fetched.
"""

from __future__ import annotations

import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyroaring import BitMap

from regulars.office import Shop
from regulars.warehouse import Warehouse

if TYPE_CHECKING:
    from regulars.runtime import Runtime

# Joins and leaves of each segment since an instant, and how many a person's act brought. What moved
# with a part did so by an act where the part did: the log gives one change one instant throughout.
_MOVES: Final = """
WITH acts AS (SELECT list(DISTINCT happened_at) AS instants FROM membership_log
  WHERE happened_at >= $since AND cause IN ('edited', 'created', 'restored', 'upload'))
SELECT segment_id, count(*) FILTER (joined AND NOT is_act),
  count(*) FILTER (NOT joined AND NOT is_act), count(*) FILTER (is_act)
FROM (SELECT segment_id, joined, CASE cause WHEN 'part_changed'
    THEN coalesce(list_contains((SELECT instants FROM acts), happened_at), FALSE)
    ELSE cause IN ('edited', 'upload', 'universe', 'loaded') END AS is_act
  FROM membership_log WHERE happened_at >= $since AND cause NOT IN ('created', 'restored'))
GROUP BY segment_id
"""

# One page of customers in the order of the list, those after the last one of the page before.
# `spent <= ? AND (spent < ? OR no > ?)` lets the first comparison prune; a plain OR does not.
_PAGE: Final = """
SELECT customer_no, customer_id, display_name, email, order_count, spent_amount, last_order_at
FROM customers
WHERE deleted_at IS NULL
  AND spent_amount <= $spent AND (spent_amount < $spent OR customer_no > $customer_no)
  AND ($words IS NULL OR contains(lower(coalesce(display_name, '')), $words)
       OR contains(lower(coalesce(email, '')), $words) OR customer_id = $words)
  AND ($nos IS NULL OR customer_no IN (SELECT unnest($nos)))
ORDER BY spent_amount DESC, customer_no
LIMIT $most
"""

# Customers by their numbers, those who were deleted included.
_PEOPLE: Final = """
SELECT customer_no, customer_id, display_name, email, order_count, spent_amount, last_order_at
FROM customers WHERE customer_no IN (SELECT unnest($nos))
"""

# The segments that one customer belongs to, with the instant of joining.
_BELONGS: Final = """
SELECT segment_id, max(happened_at) FILTER (joined) FROM membership_log WHERE customer_no = ?
GROUP BY segment_id HAVING arg_max(joined, rowid)
"""

# The sets below this size are given to the database; larger ones are dense enough that scanning
# the list in its order and asking the set meets members at once.
_SET_GIVEN_MAX: Final = 20_000
_SCAN_ROWS: Final = 2_000
_LARGEST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Member:
    """One row of a customer table."""

    customer_no: int
    customer_id: str
    name: str
    email: str
    order_count: int
    spent_amount: int
    last_order_at: datetime | None

    @property
    def shown_name(self) -> str:
        """The name, or what else the person is known by."""
        return self.name or self.email or self.customer_id

    @property
    def key(self) -> str:
        """Where a page after this row continues."""
        return f"{self.spent_amount}.{self.customer_no}"


@dataclass(frozen=True, slots=True)
class MemberPage:
    """One page of members, and where the next one continues."""

    members: Sequence[Member]
    after: str | None


def universe_of(runtime: Runtime, shop: Shop) -> BitMap:
    """Return the customers that count as everybody in this shop."""
    warehouse = runtime.warehouse(shop)
    key = (shop.id, shop.universe)
    kept = _universes.get(key)
    if kept is None or kept[0] != (id(warehouse), warehouse.data_version):
        version = (id(warehouse), warehouse.data_version)
        kept = _universes[key] = (version, warehouse.universe(shop.universe))
    return kept[1]


_universes: dict[tuple[int, str], tuple[tuple[int, int], BitMap]] = {}


class Moves(NamedTuple):
    """How many joined and left a segment by themselves, and how many a person's act moved."""

    joined: int = 0
    left: int = 0
    #: By an edit of the rule or of a part's, by an upload, or because everybody was counted anew.
    by_acts: int = 0


def moves_since(warehouse: Warehouse, since: datetime) -> Mapping[int, Moves]:
    """Return who moved in each segment since an instant; without segments where nobody did."""
    naive = since.astimezone(UTC).replace(tzinfo=None)
    with warehouse.reader() as cursor:
        rows = cursor.execute(_MOVES, {"since": naive}).fetchall()
    return {segment_id: Moves(*counts) for segment_id, *counts in rows}


def week_ago(now: datetime) -> datetime:
    """Return the instant that "7 days" is counted from."""
    return now - timedelta(days=7)


def members_page(
    warehouse: Warehouse, members: BitMap, *, after: str = "", words: str = "", most: int = 25
) -> MemberPage:
    """Return a page of members, the largest spenders first; `words` searches name, e-mail, id."""
    found: list[Member] = []
    for member in _scan(warehouse, members, after, words.strip().lower(), most):
        found.append(member)
        if len(found) > most:
            break
    shown = found[:most]
    return MemberPage(shown, shown[-1].key if len(found) > most else None)


def _scan(
    warehouse: Warehouse, members: BitMap, after: str, words: str, most: int
) -> Iterator[Member]:
    spent, number = _place(after)
    given = len(members) <= _SET_GIVEN_MAX
    limit = most + 1 if given else _SCAN_ROWS
    with warehouse.reader() as cursor:
        while True:
            values: dict[str, Any] = {
                "spent": spent,
                "customer_no": number,
                "words": words or None,
                "nos": list(members) if given else None,
                "most": limit,
            }
            rows = cursor.execute(_PAGE, values).fetchall()
            for row in rows:
                if given or row[0] in members:
                    yield _member(row)
            if len(rows) < limit:
                return
            number, spent = rows[-1][0], rows[-1][5]


def find_customers(warehouse: Warehouse, words: str, *, most: int) -> list[Member]:
    """Return customers found by name, e-mail or id, the largest spenders first."""
    values: dict[str, Any] = {
        "spent": _LARGEST,
        "customer_no": 0,
        "words": words.strip().lower(),
        "nos": None,
        "most": most,
    }
    with warehouse.reader() as cursor:
        return [_member(row) for row in cursor.execute(_PAGE, values).fetchall()]


def people(warehouse: Warehouse, numbers: Iterable[int]) -> Mapping[int, Member]:
    """Return these customers by number, also those who were deleted since."""
    with warehouse.reader() as cursor:
        rows = cursor.execute(_PEOPLE, {"nos": list(numbers)}).fetchall()
    return {row[0]: _member(row) for row in rows}


def memberships_of(warehouse: Warehouse, number: int) -> Mapping[int, datetime]:
    """Return since when one customer belongs to each segment that they belong to."""
    with warehouse.reader() as cursor:
        rows = cursor.execute(_BELONGS, [number]).fetchall()
    return {segment_id: since.replace(tzinfo=UTC) for segment_id, since in rows}


def some_members(
    warehouse: Warehouse, members: BitMap, *, turn: int, most: int = 5
) -> list[Member]:
    """Return a few members spread over the set; another `turn` gives others."""
    count = len(members)
    if not count:
        return []
    step = max(1, count // most)
    nos = sorted({members[(turn * 7 + number * step) % count] for number in range(most)})
    chosen = BitMap(array.array("I", nos))
    return list(members_page(warehouse, chosen, most=most).members)


def _place(after: str) -> tuple[int, int]:
    spent, _, number = after.partition(".")
    try:
        return int(spent), int(number)
    except ValueError:
        return _LARGEST, 0


def _member(row: tuple[Any, ...]) -> Member:
    number, customer_id, name, email, orders, spent, last = row
    instant = last.replace(tzinfo=UTC) if last else None
    return Member(number, customer_id, name or "", email or "", orders, spent, instant)
