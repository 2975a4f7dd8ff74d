"""Marks: what a file surely does not hold, known without asking it.

Nearly every webhook tells of an order that is new, by a delivery that is new. A number of 32 bits
stands for each key that the file holds; a key whose number is not among them is new. Two keys may
share a number: then the tables are asked, and nothing else happens.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import md5
from typing import Literal

import duckdb
from pyroaring import BitMap

from regulars.warehouse.membership import bitmap_of
from regulars.warehouse.sql import statements


class Marks:
    """The marks of one kind of key, read at the first question and kept up from then on."""

    def __init__(self, kind: Literal["event", "order"]) -> None:
        self._statement = statements("read")[f"{kind}_marks"]
        self._marks: BitMap | None = None

    def possible(self, cursor: duckdb.DuckDBPyConnection, keys: Iterable[str]) -> list[str]:
        """Return those of these keys that the file may hold, in their order."""
        if self._marks is None:
            self._marks = bitmap_of(cursor.execute(self._statement))
        marks = self._marks
        return [key for key in keys if mark_of(key) in marks]

    def add(self, keys: Iterable[str]) -> None:
        """Take note of keys that the open transaction writes; one too many does no harm."""
        if self._marks is not None:
            self._marks.update(map(mark_of, keys))

    def forget(self) -> None:
        """Read them anew before the next question: nobody told what was written."""
        self._marks = None


def mark_of(key: str) -> int:
    """Return the number of a key: the first 32 bits of its MD5, as the statements work it out."""
    return int.from_bytes(md5(key.encode(), usedforsecurity=False).digest()[:4], "big")
