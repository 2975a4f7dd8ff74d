"""News: tells listeners in this process that something changed, after it was committed.

A listener is called in the thread that made the change and only passes the word on. News may be
missed (a restart); whoever listens reads the state anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of news."""

    shop_id: int
    #: "segments", "jobs", "tags", "trackings".
    topic: str
    #: What changed, by id: plain values only, no personal data.
    data: Mapping[str, object] = field(default_factory=dict)


Listener = Callable[[Item], None]


class News:
    """A list of listeners."""

    def __init__(self) -> None:
        self._listeners: dict[object, Listener] = {}
        self._lock = threading.Lock()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each item from now on; returns the function that ends it."""
        token = object()
        with self._lock:
            self._listeners[token] = listener

        def stop() -> None:
            with self._lock:
                self._listeners.pop(token, None)

        return stop

    def publish(self, shop_id: int, topic: str, **data: object) -> None:
        """Tell everybody."""
        with self._lock:
            listeners = list(self._listeners.values())
        for listener in listeners:
            listener(Item(shop_id, topic, data))
