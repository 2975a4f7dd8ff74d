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
    """The marks of one kind of key; until they have been read, every key may be there."""

    def __init__(self, kind: Literal["event", "order"]) -> None:
        self._statement = statements("read")[f"{kind}_marks"]
        self._marks = BitMap()
        #: Whether those that the file held before have been read.
        self.is_whole = False
        #: Rises when nobody knows what was written: what was read before that says too little.
        self._age = 0

    @property
    def age(self) -> int:
        """What `complete` is to be told with marks that are read from now on."""
        return self._age

    def possible(self, keys: Iterable[str]) -> list[str]:
        """Return those of these keys that the file may hold, in their order."""
        if not self.is_whole:
            return list(keys)
        return [key for key in keys if mark_of(key) in self._marks]

    def read(self, cursor: duckdb.DuckDBPyConnection) -> BitMap:
        """Return the marks of all that a reader sees."""
        return bitmap_of(cursor.execute(self._statement))

    def complete(self, marks: BitMap, age: int) -> None:
        """Take over the marks that were read when the age was this."""
        if age == self._age:
            self._marks |= marks
            self.is_whole = True

    def add(self, keys: Iterable[str]) -> None:
        """Take note of keys that the open transaction writes; one too many does no harm."""
        self._marks.update(map(mark_of, keys))

    def forget(self) -> None:
        """Have them read anew: nobody told what was written."""
        self._marks = BitMap()
        self.is_whole = False
        self._age += 1


def mark_of(key: str) -> int:
    """Return the number of a key: the first 32 bits of its MD5, as the statements work it out."""
    return int.from_bytes(md5(key.encode(), usedforsecurity=False).digest()[:4], "big")
