"""Segments as files: rows that a spreadsheet opens safely and an upload reads back identically."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pyroaring import BitMap

from regulars.warehouse import Warehouse
from regulars.warehouse.lists import ListRows

#: The first column is what an upload recognizes by itself.
MEMBER_COLUMNS = ("Customer ID",)
PERSONAL_COLUMNS = ("Name", "Email", "Phone")
LIST_COLUMNS = ("Customer ID", "Email", "Phone")
_ROWS = 5_000


def member_rows(
    warehouse: Warehouse, members: BitMap, *, personal: bool
) -> Iterator[Sequence[str]]:
    """Yield a heading and a row per member, in the order the shop came to know them."""
    yield (*MEMBER_COLUMNS, *(PERSONAL_COLUMNS if personal else ()))
    with warehouse.reader() as cursor:
        cursor.execute(_PEOPLE)
        while rows := cursor.fetchmany(_ROWS):
            for number, *cells in rows:
                if number in members:
                    yield [str(cell or "") for cell in (cells if personal else cells[:1])]


def list_rows(warehouse: Warehouse, list_id: int) -> Iterator[Sequence[str]]:
    """Yield a heading and every row of a list, those that wait for their customer included."""
    yield LIST_COLUMNS
    with warehouse.reader() as cursor:
        for page in ListRows(cursor).pages(list_id):
            for keys in page:
                yield [key or "" for key in keys]


def lossy_rows(rows: Iterable[Sequence[object]], encoding: str) -> int:
    """Count the rows with a sign that the encoding cannot write, for telling before writing."""
    count = 0
    for row in rows:
        try:
            "".join(map(str, row)).encode(encoding)
        except UnicodeEncodeError:
            count += 1
    return count


# Everybody who is in the shop's list, with what an upload recognizes them by.
_PEOPLE = """
SELECT customer_no, customer_id, display_name, email, phone
FROM customers WHERE deleted_at IS NULL ORDER BY customer_no
"""
