"""How fast and how often we may ask one shop: its bucket of points, and its health.

Both are shared by all threads that speak to the shop; buckets of different shops know nothing of
each other, so a long job of one shop never delays another's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from regulars.clock import Clock
from regulars.errors import Throttled, Unavailable

#: Waits the given number of seconds; `time.sleep` outside tests.
Sleep = Callable[[float], None]

# What is assumed before the first answer: the smallest plan's rate, and no more points than the
# dearest single query may cost.
POINTS_FIRST = 1000.0
POINTS_PER_SECOND_FIRST = 100.0

# Kept in hand, since Shopify's clock and ours do not tick together: a wait to the exact point would
# often be answered "Throttled".
POINTS_SPARE = 1.0

# Shorter waits than this are lost in the clock's own grain.
WAIT_SECONDS_MIN = 0.01

# Ten failures in a row are no accident; after that one question a minute is enough to see the end.
FAILURES_MAX = 10
PROBE_SECONDS = 60.0

# One retry for five first tries, and ten in hand for a bad minute.
RETRY_SHARE = 0.2
RETRIES_IN_HAND = 10.0


class Bucket:
    """The points Shopify lets us spend in one shop, as it last told them.

    Points of requests that are under way count as spent until their answer tells more, so we never
    send what does not fit.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_at = clock()
        self._level = POINTS_FIRST
        self._under_way = 0.0
        self._answers = 0
        self.maximum = POINTS_FIRST
        self.points_per_second = POINTS_PER_SECOND_FIRST
        self._lock = threading.Lock()
        # Held while waiting: who came first is served first, so dear requests are not starved.
        self._turn = threading.Lock()

    @property
    def available(self) -> float:
        """The points that may be spent now."""
        with self._lock:
            return self._available()

    def take(self, cost: float, sleep: Sleep, patience_seconds: float) -> float:
        """Reserve points, waiting until they are there; return the seconds waited.

        Raises Throttled when the wait would pass `patience_seconds`.
        """
        waited = 0.0
        with self._turn:
            while (wait := self._reserve(cost)) > 0:
                if waited + wait > patience_seconds:
                    raise Throttled("Shopify asked us to slow down.", wait)
                sleep(wait)
                waited += wait
        return waited

    def settle(self, cost: float, *, is_answered: bool) -> None:
        """End a reservation. Without an answer the points are taken to be spent."""
        with self._lock:
            self._under_way = max(0.0, self._under_way - cost)
            if not is_answered:
                self._level = self._restored() - cost
                self._told_at = self._clock()

    @property
    def answers(self) -> int:
        """How many answers have told of the bucket; noted before a request is sent."""
        with self._lock:
            return self._answers

    def learn(
        self, maximum: float, available: float, points_per_second: float, *, after: int
    ) -> None:
        """Take over what Shopify told of the bucket in answer to what was sent `after` so many.

        Where another answer came meanwhile, nobody knows which of them was worked out first: the
        lower level is the later one.
        """
        with self._lock:
            self.maximum = maximum
            self.points_per_second = max(points_per_second, 1.0)
            is_alone = after == self._answers
            self._level = available if is_alone else min(available, self._restored())
            self._told_at = self._clock()
            self._answers += 1

    def _reserve(self, cost: float) -> float:
        with self._lock:
            # Dearer than the whole bucket: sent when it is full, and Shopify says no by itself.
            missing = min(cost + POINTS_SPARE, self.maximum) - self._available()
            if missing > 0:
                return max(missing / self.points_per_second, WAIT_SECONDS_MIN)
            self._under_way += cost
            return 0.0

    def _available(self) -> float:
        return self._restored() - self._under_way

    def _restored(self) -> float:
        # A clock set back gives nothing and takes nothing.
        seconds = max(0.0, (self._clock() - self._told_at).total_seconds())
        return min(self.maximum, self._level + seconds * self.points_per_second)


class Health:
    """Whether asking a shop makes sense: a circuit breaker and a budget for retries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._probed_at: datetime | None = None
        self._retries = RETRIES_IN_HAND
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether the shop is given up for now and only asked once a minute."""
        with self._lock:
            return self._failures >= FAILURES_MAX

    def admit(self) -> None:
        """Let a request pass, or raise Unavailable while the shop does not answer."""
        with self._lock:
            self._retries = min(RETRIES_IN_HAND, self._retries + RETRY_SHARE)
            if self._failures < FAILURES_MAX:
                return
            now = self._clock()
            if self._probed_at is not None and now - self._probed_at < timedelta(
                seconds=PROBE_SECONDS
            ):
                raise Unavailable(
                    "Shopify has not answered for a while. We ask again once a minute."
                )
            self._probed_at = now

    def succeeded(self) -> None:
        """Note that Shopify answered, whatever it said."""
        with self._lock:
            self._failures = 0
            self._probed_at = None

    def failed(self) -> None:
        """Note that no usable answer came."""
        with self._lock:
            self._failures += 1
            if self._failures == FAILURES_MAX:
                self._probed_at = self._clock()

    def may_retry(self) -> bool:
        """Take one retry from the budget, if there is one."""
        with self._lock:
            if self._retries < 1 or self._failures >= FAILURES_MAX:
                return False
            self._retries -= 1
            return True
