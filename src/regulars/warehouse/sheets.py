"""Sheets: all that the tables hold of one customer, and the sheets of many, packed in memory.

An order that arrives asks for everything about one customer. Columns are the wrong place to look
for that (decision 0052), so whoever ordered last is kept in memory, as a batch leaves them.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import orjson

from regulars.warehouse.record import (
    CustomerRecord,
    LineRecord,
    OrderRecord,
    PlaceRecord,
    RefundRecord,
    StoreCreditRecord,
)

#: The columns of `customers` in the order of a sheet (sql/read.sql, "sheets").
COLUMNS: Final = (
    "display_name",
    "email",
    "email_domain",
    "phone",
    "language",
    "note",
    "account_status",
    "email_subscription_status",
    "sms_subscription_status",
    "product_subscription_status",
    "predicted_spend_tier",
    "rfm_group",
    "added_at",
    "abandoned_checkout_at",
    "profile_updated_at",
    "tags_updated_at",
    "consent_updated_at",
    "unseen_order_count",
    "unseen_spent_amount",
    "order_count",
    "spent_amount",
    "first_order_at",
    "last_order_at",
    "merged_into_no",
    "deleted_at",
    "shopify_order_count",
    "shopify_spent_amount",
    "erased_at",
    "is_erased_forever",
)
_COUNTED: Final = ("unseen_order_count", "unseen_spent_amount", "order_count", "spent_amount")
_PLACES: Final = {name: place for place, name in enumerate(COLUMNS)}
_INSTANTS: Final = tuple(place for name, place in _PLACES.items() if name.endswith("_at"))

# What a new customer's row of `customers` says before anything was told.
_NEW: Final = [
    False if name == "is_erased_forever" else 0 if name in _COUNTED else None for name in COLUMNS
]

# What a sheet's JSON lists, in order.
_PARTS: Final = (
    "customer_id",
    "_values",
    "_told",
    "_tags",
    "_places",
    "_companies",
    "_metafields",
    "_credit",
    "_orders",
)

# What stands where on an order of a sheet, which has the fields of an OrderRecord.
_PROCESSED, _CANCELLED, _TOTAL, _REFUNDS, _LINES = 2, 3, 4, 5, 6

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

# Speed of packing before size: the next levels take 5 % less room.
_LEVEL: Final = 1
# About what one sheet takes beside its own bytes: object, number and id, and their places.
_OVERHEAD: Final = 250


class Product(NamedTuple):
    """What lines need to know of a product, in the order of a LineRecord."""

    product_type: str | None = None
    category_id: str | None = None
    tag_keys: frozenset[str] = frozenset()
    collection_ids: frozenset[str] = frozenset()


_UNKNOWN: Final = Product()


@dataclass(frozen=True, slots=True)
class Sums:
    """The kept sums of a customer's counted orders; instants are microseconds since 1970, UTC."""

    order_count: int
    spent_amount: int
    first_order_at: int | None
    last_order_at: int | None


def microseconds(instant: datetime) -> int:
    """Return an aware instant as sheets keep it: microseconds since 1970, UTC."""
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(told: int | None) -> datetime | None:
    """Return an instant of a sheet as an aware UTC datetime."""
    return None if told is None else _EPOCH + timedelta(microseconds=told)


class Sheet:
    """Everything about one customer as the tables hold it; test orders are left out."""

    __slots__ = ("customer_no", *_PARTS)

    def __init__(self, customer_no: int, text: str | bytes) -> None:
        self.customer_no = customer_no
        (
            self.customer_id,
            self._values,
            self._told,
            self._tags,
            self._places,
            self._companies,
            self._metafields,
            self._credit,
            self._orders,
        ) = orjson.loads(text)

    @property
    def text(self) -> bytes:
        """The sheet as JSON, as the statement that reads sheets writes it."""
        return orjson.dumps([getattr(self, part) for part in _PARTS])

    def value(self, name: str) -> Any:
        """Return one column of `customers`; instants have no zone, as inside DuckDB."""
        told = self._values[_PLACES[name]]
        return _inside(told) if name.endswith("_at") else told

    @property
    def figures_told_at(self) -> tuple[datetime | None, datetime | None] | None:
        """When Shopify's count and spent amount were told last; None: as everything else."""
        return None if self._told is None else (_inside(self._told[0]), _inside(self._told[1]))

    @property
    def product_ids(self) -> set[str]:
        """The products on all lines."""
        return {line[0] for order in self._orders or () for line in order[_LINES] or () if line[0]}

    def put_own(
        self,
        values: Mapping[str, Any],
        told: Sequence[datetime | None],
        tags: Sequence[str],
        sets: Mapping[str, Sequence[Sequence[Any]]],
    ) -> None:
        """Take over what stands of a customer beside their orders.

        These columns of `customers`, when the figures were told, all tags by key, and the rows of
        those sets that were told; instants without zone, as inside DuckDB.
        """
        for name, value in values.items():
            self._values[_PLACES[name]] = _outside(value) if name.endswith("_at") else value
        self._told = [_outside(instant) for instant in told]
        self._tags = list(tags) or None
        if "addresses" in sets:
            rows = sets["addresses"]
            self._places = [[*row[:3], *row[4:]] for row in rows] or None
        if "company_ids" in sets:
            self._companies = [company_id for (company_id,) in sets["company_ids"]] or None
        if "metafields" in sets:
            self._metafields = [list(row) for row in sets["metafields"]] or None

    def put_order(self, order: Sequence[Any]) -> None:
        """Take over an order as it stands now, before or instead of what was known of it."""
        self.take_order(order[0])
        self._orders = self._orders or []
        self._orders.append(order)
        self._orders.sort(key=lambda one: (one[_PROCESSED], one[0]))

    def take_order(self, order_id: str) -> None:
        """Leave an order out."""
        self._orders = [one for one in self._orders or () if one[0] != order_id] or None

    def sum_up(self) -> Sums:
        """Work the kept sums out anew, write them to the sheet and return them."""
        counted = [one for one in self._orders or () if one[_CANCELLED] is None]
        refunded = sum(amount for one in counted for _, amount in one[_REFUNDS] or ())
        sums = Sums(
            order_count=len(counted),
            spent_amount=sum(one[_TOTAL] for one in counted) - refunded,
            first_order_at=counted[0][_PROCESSED] if counted else None,
            last_order_at=counted[-1][_PROCESSED] if counted else None,
        )
        for name in Sums.__slots__:
            self._values[_PLACES[name]] = getattr(sums, name)
        return sums

    def record(self, products: Mapping[str, Product]) -> CustomerRecord:
        """Return what the customer evaluator looks at."""
        values = self._values.copy()
        for place in _INSTANTS:
            values[place] = instant_of(values[place])
        named = {"customer_no": self.customer_no, "customer_id": self.customer_id}
        named.update(zip(COLUMNS, values, strict=True))
        return CustomerRecord(
            customer_no=self.customer_no,
            customer_id=self.customer_id,
            values=named,
            tags=tuple(self._tags or ()),
            places=tuple(PlaceRecord(*place) for place in self._places or ()),
            company_ids=frozenset(self._companies or ()),
            metafields={key: (type_, value) for key, type_, value in self._metafields or ()},
            store_credit=tuple(
                StoreCreditRecord(Decimal(balance), code, instant_of(expiry), instant_of(credited))
                for balance, code, expiry, credited in self._credit or ()
            ),
            orders=tuple(_order(order, products) for order in self._orders or ()),
        )


def _outside(instant: datetime | None) -> int | None:
    return None if instant is None else microseconds(instant.replace(tzinfo=UTC))


def _inside(told: int | None) -> datetime | None:
    instant = instant_of(told)
    return None if instant is None else instant.replace(tzinfo=None)


def _order(row: Sequence[Any], products: Mapping[str, Product]) -> OrderRecord:
    order_id, name, processed_at, cancelled_at, total, refunds, lines, tags, codes, *rest = row
    return OrderRecord(
        order_id,
        name,
        _EPOCH + timedelta(microseconds=processed_at),
        instant_of(cancelled_at),
        total,
        tuple(
            RefundRecord(_EPOCH + timedelta(microseconds=at), amount)
            for at, amount in refunds or ()
        ),
        tuple(_line(line, products) for line in lines or ()),
        frozenset(tags or ()),
        frozenset(codes or ()),
        *rest,
    )


def _line(row: Sequence[Any], products: Mapping[str, Product]) -> LineRecord:
    product_id, variant_id, title, vendor, quantity, amount = row
    product = products.get(product_id, _UNKNOWN)
    return LineRecord(product_id, variant_id, title, vendor, *product, quantity, amount)


class Sheets:
    """The sheets of those who ordered last, as the last commit left them, in bounded memory.

    For the thread that writes alone: inside its transaction they follow what it writes, and
    `settle` keeps or takes that back. Whoever is not here is read from the tables.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        #: Least recently used first.
        self._packed: OrderedDict[int, bytes] = OrderedDict()
        self._numbers: dict[str, int] = {}
        #: Those that the open transaction has looked at, as it leaves them.
        self._open: dict[int, Sheet] = {}
        #: Whom it changed without telling how.
        self._outdated: set[int] = set()
        #: Whether those who ordered last have to be read from the tables.
        self.is_lacking = most_bytes > 0

    def __len__(self) -> int:
        return len(self._packed)

    @property
    def most(self) -> int:
        """More sheets than there is room for, whatever they hold."""
        return self._most_bytes // _OVERHEAD

    def number(self, customer_id: str) -> int | None:
        """Return the number of a customer whose sheet is here."""
        return self._numbers.get(customer_id)

    def find(self, customer_no: int) -> Sheet | None:
        """Return a sheet as the open transaction leaves it, where that is known."""
        if customer_no in self._outdated:
            return None
        sheet = self._open.get(customer_no)
        if sheet is None and (packed := self._packed.get(customer_no)) is not None:
            sheet = self._open[customer_no] = _unpacked(customer_no, packed)
        return sheet

    def begin(self, customer_no: int, customer_id: str) -> Sheet | None:
        """Return the empty sheet of a customer who is new; None where nobody is kept."""
        if not self._most_bytes:
            return None
        return Sheet(customer_no, orjson.dumps([customer_id, _NEW, *[None] * 7]))

    def outdate(self, customer_nos: Iterable[int]) -> None:
        """Tell whom the open transaction changed, where their sheets do not follow it."""
        self._outdated.update(customer_nos)

    def put(self, sheet: Sheet) -> None:
        """Take over a sheet as the open transaction leaves it."""
        self._outdated.discard(sheet.customer_no)
        self._open[sheet.customer_no] = sheet

    def settle(self, changed: Collection[int] | None, *, kept: bool) -> None:
        """End the transaction: it changed these customers, or nobody knows whom."""
        opened, outdated, self._open, self._outdated = self._open, self._outdated, {}, set()
        if not kept:
            return
        if changed is None:
            self.clear()
            return
        for customer_no in changed:
            if customer_no in outdated or customer_no not in opened:
                self._forget(customer_no)
        for customer_no, sheet in opened.items():
            if customer_no in outdated:
                continue
            if customer_no in changed or customer_no not in self._packed:
                self._keep(customer_no, sheet.customer_id, pack(sheet.text))
            self._packed.move_to_end(customer_no)
        while self._bytes > self._most_bytes:
            self._forget(next(iter(self._packed)))

    def remember(self, sheets: Iterable[tuple[int, str, bytes]]) -> bool:
        """Take over packed sheets of the last commit as the longest unused; False: no room."""
        for customer_no, customer_id, packed in sheets:
            if customer_no in self._packed:
                continue
            if self._bytes + len(packed) + _OVERHEAD > self._most_bytes:
                return False
            self._keep(customer_no, customer_id, packed)
            self._packed.move_to_end(customer_no, last=False)
        return True

    def clear(self) -> None:
        """Forget everybody."""
        self._packed.clear()
        self._numbers.clear()
        self._bytes = 0
        self.is_lacking = self._most_bytes > 0

    def _keep(self, customer_no: int, customer_id: str, packed: bytes) -> None:
        before = self._packed.get(customer_no)
        self._bytes += len(packed) + (_OVERHEAD if before is None else -len(before))
        self._packed[customer_no] = packed
        self._numbers[customer_id] = customer_no

    def _forget(self, customer_no: int) -> None:
        packed = self._packed.pop(customer_no, None)
        if packed is not None:
            self._bytes -= len(packed) + _OVERHEAD
            del self._numbers[_unpacked(customer_no, packed).customer_id]


def _unpacked(customer_no: int, packed: bytes) -> Sheet:
    return Sheet(customer_no, zlib.decompress(packed))


def pack(text: bytes) -> bytes:
    """Return a sheet's JSON as it is kept in memory."""
    return zlib.compress(text, _LEVEL)
