"""What the columns of each known file mean: rows to facts.

An order of Shopify's export is one row per line item with the order's own fields on the first of
them. The generic file is one order per row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo

from pyroaring import BitMap64

from regulars.errors import UploadError, problem
from regulars.importing.rows import Row, RowsFile
from regulars.importing.values import (
    UnreadableError,
    amount_of,
    id_of,
    instant_of,
    list_of,
    text_of,
    whole_of,
)
from regulars.warehouse.facts import (
    UNSET,
    AddressFact,
    CustomerFact,
    LineFact,
    OrderFact,
    RefundFact,
)
from regulars.warehouse.personal_names import family_first

_CUSTOMERS: Final = ("customer id", "email")
_SHOPIFY_ORDERS: Final = ("name", "email", "created at", "total", "lineitem quantity")
_GENERIC_ORDERS: Final = ("customer_id", "date", "amount")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the cells are read with."""

    currency: str
    zone: ZoneInfo
    at: datetime


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who an exported order names: Shopify's export gives an e-mail or phone, never an id."""

    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """An order of a file. `buyer` is looked up where the file has no customer id."""

    order: OrderFact
    buyer: Buyer | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was left out, and why."""

    row: Row
    reason: str


#: Rows to what they say; `kept` rows are those that a result was made of.
Read = Callable[[RowsFile, Surroundings], Iterator["Result"]]


@dataclass(frozen=True, slots=True)
class Result:
    """What one or several rows came to."""

    kept_rows: int = 0
    customer: CustomerFact | None = None
    order: ReadOrder | None = None
    rejected: tuple[Rejected, ...] = ()


def columns_of(header: Sequence[str]) -> dict[str, int]:
    """Return the place of each column by its name in lower case; the first of two counts."""
    return {name.lower(): place for place, name in reversed(list(enumerate(header)))}


def order_kind(file: RowsFile) -> tuple[str, Read]:
    """Return which orders file this is, by its header."""
    columns = columns_of(file.header)
    if all(name in columns for name in _SHOPIFY_ORDERS):
        return "shopify_orders", _shopify_orders
    if all(name in columns for name in _GENERIC_ORDERS):
        return "orders", _generic_orders
    raise UploadError(
        problem(
            "unknown_orders_file",
            "{file} is not an orders file this program knows. Its columns are {columns}. Needed "
            "are customer_id, date and amount, or the columns of Shopify's order export (Name, "
            "Email, Created at, Total, Lineitem quantity, …).",
            file=file.path.name,
            columns=", ".join(file.header[:12]),
        )
    )


def customer_kind(file: RowsFile) -> tuple[str, Read]:
    """Return which customers file this is, by its header."""
    columns = columns_of(file.header)
    if any(name in columns for name in _CUSTOMERS):
        return "shopify_customers", _shopify_customers
    raise UploadError(
        problem(
            "unknown_customers_file",
            "{file} is not Shopify's customer export. Its columns are {columns}. Needed is "
            "Customer ID or Email.",
            file=file.path.name,
            columns=", ".join(file.header[:12]),
        )
    )


class _Cells:
    """The cells of a row by column name; a column that the file lacks is empty."""

    def __init__(self, columns: Mapping[str, int], row: Row) -> None:
        self._columns = columns
        self._values = row.values

    def __getitem__(self, name: str) -> str:
        place = self._columns.get(name)
        return "" if place is None else self._values[place]

    def has(self, name: str) -> bool:
        """Whether the file has the column."""
        return name in self._columns


def _generic_orders(file: RowsFile, around: Surroundings) -> Iterator[Result]:
    columns = columns_of(file.header)
    numbering = _Numbering()
    for row in file.rows:
        try:
            if row.reason is not None:
                raise UnreadableError(row.reason)
            order = _generic_order(_Cells(columns, row), around, numbering)
        except UnreadableError as error:
            yield Result(rejected=(Rejected(row, str(error)),))
        else:
            yield Result(kept_rows=1, order=ReadOrder(order))


def _generic_order(cells: _Cells, around: Surroundings, numbering: _Numbering) -> OrderFact:
    customer_id = id_of(cells["customer_id"])
    processed_at = instant_of(cells["date"], around.zone)
    amount = amount_of(cells["amount"], around.currency)
    product = text_of(cells["product"])
    quantity = whole_of(cells["quantity"]) if cells["quantity"].strip() else None
    lines: tuple[LineFact, ...] = ()
    if product is not None or quantity is not None:
        count = 1 if quantity is None else quantity
        lines = (LineFact(product_id=product, title=product, quantity=count, amount=amount),)
    told = (customer_id, processed_at.isoformat(), str(amount), str(quantity), product or "")
    return OrderFact(
        order_id=numbering.id_of(told),
        customer_id=customer_id,
        processed_at=processed_at,
        updated_at=around.at,
        total_amount=amount,
        lines=lines,
    )


class _Numbering:
    """Ids for orders of a file that has none: by content, and the n-th of equal ones.

    So the same file again changes nothing, a longer one adds, and the order of rows does not
    matter.
    """

    def __init__(self) -> None:
        self._seen = BitMap64()
        self._repeats: dict[int, int] = {}

    def id_of(self, told: Sequence[str]) -> str:
        """Return the id of the next order that says this."""
        digest = blake2b("\x1f".join(told).encode(), digest_size=8).digest()
        number = int.from_bytes(digest, "big")
        if number not in self._seen:
            self._seen.add(number)
            return f"row-{digest.hex()}"
        self._repeats[number] = self._repeats.get(number, 1) + 1
        return f"row-{digest.hex()}-{self._repeats[number]}"


def _shopify_orders(file: RowsFile, around: Surroundings) -> Iterator[Result]:
    columns = columns_of(file.header)
    for rows in _by_name(file.rows, columns["name"]):
        yield _shopify_order(columns, rows, around)


def _by_name(rows: Iterable[Row], place: int) -> Iterator[list[Row]]:
    """Group neighbouring rows of one order; an unreadable row stays with the order it stands in."""
    group: list[Row] = []
    name: str | None = None
    for row in rows:
        its_name = row.values[place] if row.reason is None else name
        if group and its_name != name:
            yield group
            group = []
        name = its_name
        group.append(row)
    if group:
        yield group


def _shopify_order(columns: Mapping[str, int], rows: Sequence[Row], around: Surroundings) -> Result:
    """Return an order of its rows; an unreadable line is left out, the order's sums stay."""
    first, rejected = rows[0], []
    lines: list[LineFact] = []
    for row in rows:
        try:
            if row.reason is not None:
                raise UnreadableError(row.reason)
            lines += _line(_Cells(columns, row), around)
        except UnreadableError as error:
            rejected.append(Rejected(row, str(error)))
    if any(bad.row is first for bad in rejected):
        return Result(rejected=_all_rejected(rows, rejected))
    try:
        read = _order_head(_Cells(columns, first), tuple(lines), around)
    except UnreadableError as error:
        return Result(rejected=_all_rejected(rows, [Rejected(first, str(error)), *rejected]))
    return Result(len(rows) - len(rejected), order=read, rejected=tuple(rejected))


def _all_rejected(rows: Sequence[Row], rejected: Sequence[Rejected]) -> tuple[Rejected, ...]:
    reasons = {bad.row.line: bad.reason for bad in rejected}
    lost = f"the order's first row (line {rows[0].line}) could not be read"
    return tuple(Rejected(row, reasons.get(row.line, lost)) for row in rows)


def _line(cells: _Cells, around: Surroundings) -> list[LineFact]:
    """Return the row's line item, if it has one."""
    if not cells["lineitem quantity"].strip():
        return []
    quantity = whole_of(cells["lineitem quantity"])
    price = amount_of(cells["lineitem price"] or "0", around.currency)
    discount = amount_of(cells["lineitem discount"] or "0", around.currency)
    return [
        LineFact(
            product_id=None,
            title=text_of(cells["lineitem name"]),
            vendor=text_of(cells["vendor"]),
            sku=text_of(cells["lineitem sku"]),
            quantity=quantity,
            amount=price * quantity - discount,
        )
    ]


def _order_head(cells: _Cells, lines: tuple[LineFact, ...], around: Surroundings) -> ReadOrder:
    if not cells["created at"].strip():
        raise UnreadableError("no date in Created at, and no row of the same order just before")
    currency = text_of(cells["currency"])
    if currency is not None and currency != around.currency:
        raise UnreadableError(f"the order is in {currency}, the shop counts in {around.currency}")
    order_id = id_of(cells["id"] or cells["name"])
    processed_at = instant_of(cells["created at"], around.zone)
    cancelled = text_of(cells["cancelled at"])
    refunded = amount_of(cells["refunded amount"] or "0", around.currency)
    # The export tells how much was paid back, not when: the day of the order is the honest choice
    # for sums over the order's own period.
    refunds = (
        (RefundFact(refund_id=f"{order_id}-refunded", refunded_at=processed_at, amount=refunded),)
        if refunded
        else ()
    )
    order = OrderFact(
        order_id=order_id,
        customer_id=None,
        name=text_of(cells["name"]),
        processed_at=processed_at,
        updated_at=around.at,
        cancelled_at=instant_of(cancelled, around.zone) if cancelled else None,
        total_amount=amount_of(cells["total"], around.currency),
        source_name=text_of(cells["source"]),
        tags=list_of(cells["tags"]),
        discount_codes=list_of(cells["discount code"]),
        lines=lines,
        refunds=refunds,
    )
    return ReadOrder(order, Buyer(_email(cells["email"]), text_of(cells["phone"])))


def _email(text: str) -> str | None:
    found = text_of(text)
    return found.lower() if found else None


def _shopify_customers(file: RowsFile, around: Surroundings) -> Iterator[Result]:
    columns = columns_of(file.header)
    for row in file.rows:
        try:
            if row.reason is not None:
                raise UnreadableError(row.reason)
            customer = _shopify_customer(_Cells(columns, row), around)
        except UnreadableError as error:
            yield Result(rejected=(Rejected(row, str(error)),))
        else:
            yield Result(kept_rows=1, customer=customer)


def _shopify_customer(cells: _Cells, around: Surroundings) -> CustomerFact:
    email = _email(cells["email"])
    given = text_of(cells["customer id"]) or email
    if given is None:
        raise UnreadableError("neither Customer ID nor Email")
    name = " ".join(filter(None, (text_of(cells["first name"]), text_of(cells["last name"]))))
    orders, spent = text_of(cells["total orders"]), text_of(cells["total spent"])
    sms = cells["accepts sms marketing"]
    return CustomerFact(
        customer_id=id_of(given),
        updated_at=around.at,
        display_name=family_first(name) or None,
        email=email,
        phone=text_of(cells["phone"]) or text_of(cells["default address phone"]),
        note=text_of(cells["note"]),
        email_subscription_status=_consent(cells["accepts email marketing"]),
        sms_subscription_status=_consent(sms) if cells.has("accepts sms marketing") else UNSET,
        shopify_order_count=UNSET if orders is None else whole_of(orders),
        shopify_spent_amount=UNSET if spent is None else amount_of(spent, around.currency),
        tags=list_of(cells["tags"]),
        addresses=_addresses(cells),
    )


def _consent(text: str) -> str | None:
    word = text.strip().lower()
    if not word:
        return None
    if word not in {"yes", "no", "true", "false"}:
        raise UnreadableError(f'"{word[:40]}" is not yes or no')
    return "SUBSCRIBED" if word in {"yes", "true"} else "NOT_SUBSCRIBED"


def _addresses(cells: _Cells) -> tuple[AddressFact, ...]:
    address = AddressFact(
        country_code=text_of(cells["default address country code"]),
        region_code=text_of(cells["default address province code"]),
        city=text_of(cells["default address city"]),
        zip=text_of(cells["default address zip"]),
    )
    return () if address == AddressFact() else (address,)
