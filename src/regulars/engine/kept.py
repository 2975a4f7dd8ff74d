"""What the set evaluator keeps in memory: values by key, the least recently used dropped first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pyroaring import BitMap

#: Bitmaps kept per evaluator; 200 filters over a million customers take about 12 MB.
CACHE_BYTES = 256 * 1024 * 1024

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values by key, up to so many bytes; safe to share between threads."""

    def __init__(self, most_bytes: int, size_of: Callable[[Value], int]) -> None:
        self._most = most_bytes
        self._size_of = size_of
        self._held: OrderedDict[object, tuple[Value, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: object) -> Value | None:
        """Return the value of a key; it is shared and must not be changed."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: object, value: Value) -> None:
        """Keep a value, and drop old ones while there is too much."""
        size = self._size_of(value)
        with self._lock:
            _, before = self._held.pop(key, (None, 0))
            self._held[key] = (value, size)
            self._bytes += size - before
            while self._bytes > self._most and len(self._held) > 1:
                _, (_, dropped) = self._held.popitem(last=False)
                self._bytes -= dropped

    def forget(self, unwanted: Callable[[Any], bool] = lambda _: True) -> None:
        """Forget the values whose key is unwanted; all of them where nothing is said."""
        with self._lock:
            for key in [key for key in self._held if unwanted(key)]:
                self._bytes -= self._held.pop(key)[1]

    def __len__(self) -> int:
        return len(self._held)


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of one statement; `inverted`: they are the customers of the "no".

    `version` is that of the data they were true of.
    """

    rows: BitMap
    inverted: bool = False
    version: int = 0


class AnswerCache(Kept[Answer]):
    """Answers by question."""

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        super().__init__(most_bytes, lambda answer: _bytes_of(answer.rows))


def _bytes_of(bitmap: BitMap) -> int:
    told = bitmap.get_statistics()
    arrays, bitsets = told["n_bytes_array_containers"], told["n_bytes_bitset_containers"]
    return 200 + arrays + bitsets + told["n_bytes_run_containers"]
