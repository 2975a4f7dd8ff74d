"""The inbox: webhooks durable before they are acknowledged, then applied in batches per shop.

Two marks make an event count once: its row here, and its key in the warehouse, written in the same
transaction as its effect. A death between the two applies nothing twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Insert, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from regulars.errors import LimitError, problem
from regulars.jobs import live, privacy, queue
from regulars.office import Shop
from regulars.office.models.inbox import InboxEvent
from regulars.runtime import Runtime

log = logging.getLogger(__name__)

# What waits is applied together, up to this many: a batch reads a large shop's tables once. Pages
# read on meanwhile.
BATCH_MAX = 1000
ATTEMPTS_MAX = 8
# How long everything waits where the machine itself is short of something, such as disk.
SHORTAGE_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook whose signature was right."""

    shop_id: int
    topic: str
    event_id: str
    triggered_at: datetime
    body: bytes


class Inbox:
    """Keeps events and applies them."""

    def __init__(self, runtime: Runtime, wake: Callable[[], None]) -> None:
        self._runtime = runtime
        self._wake = wake
        self._most = runtime.settings.inbox_max
        #: How many events wait to be applied; counted once, then kept.
        self._waiting: int | None = None
        #: Shops that a thread applies the events of, and those of whose new events it was told.
        self._busy: set[int] = set()
        self._more: set[int] = set()
        self._lock = threading.Lock()
        self._putting = threading.Lock()
        #: Rightly signed events of shops that are not here, since the start.
        self.unknown_count = 0

    def put(self, event: Event) -> None:
        """Keep an event; when this returns it is on disk. LimitError: the inbox is full."""
        if not self.put_all([event]):
            template = "{count} webhooks wait already. Send this one again later."
            raise LimitError(problem("inbox_full", template, count=self._most))

    def put_all(self, events: Sequence[Event]) -> int:
        """Keep events by one commit; return how many of the first there was room for."""
        with self._putting:
            if self._waiting is None:
                self._waiting = self._count_waiting()
            fitting = events[: max(0, self._most - self._waiting)]
            if fitting:
                now = self._runtime.clock()
                with self._runtime.office.session() as session:
                    added = _insert(session, [_values(event, now) for event in fitting])
                self._count(added)
        idle = [one for one in {event.shop_id for event in fitting} if not self._tell_busy(one)]
        if idle:
            self._wake()
        return len(fitting)

    def count_unknown(self, count: int) -> None:
        """Count rightly signed events of shops that are not here."""
        if count:
            self.unknown_count += count
            told = "%s webhooks came for a shop that is not connected (%s so far)"
            log.info(told, count, self.unknown_count)

    def apply_all(self) -> bool:
        """Apply what waits, shop by shop; whether there was anything."""
        now = self._runtime.clock()
        with self._runtime.office.reading() as session:
            shop_ids = session.scalars(_WITH_WORK, _instants(now)).all()
        applied = [self._apply_shop(shop_id) for shop_id in shop_ids]
        return any(applied)

    def parked(self, shop: Shop) -> Sequence[InboxEvent]:
        """Return the events of a shop that were put aside after too many tries, oldest first."""
        with self._runtime.office.reading() as session:
            found = select(InboxEvent).where(
                InboxEvent.shop_id == shop.id, InboxEvent.state == "quarantined"
            )
            return session.scalars(found.order_by(InboxEvent.id)).all()

    def replay(self, shop: Shop) -> int:
        """Try the parked events of a shop once more, from the first try on; return how many."""
        with self._runtime.office.session() as session:
            parked = update(InboxEvent).where(
                InboxEvent.shop_id == shop.id, InboxEvent.state == "quarantined"
            )
            again = parked.values(state="waiting", attempt_count=0, next_attempt_at=None)
            count: int = session.execute(again).rowcount  # type: ignore[attr-defined]
        self._count(count)
        self._wake()
        return count

    def _count_waiting(self) -> int:
        with self._runtime.office.reading() as session:
            count = session.scalar(select(func.count()).where(InboxEvent.state == "waiting"))
        return count or 0

    def _count(self, more: int) -> None:
        """Count what waits up, or down with a negative number."""
        with self._lock:
            if self._waiting is not None:
                self._waiting = max(0, self._waiting + more)

    def _tell_busy(self, shop_id: int) -> bool:
        """Tell who applies this shop's events that there are more; whether somebody does.

        Waking a thread for each webhook of a burst would cost more than applying it.
        """
        with self._lock:
            is_busy = shop_id in self._busy
            if is_busy:
                self._more.add(shop_id)
            return is_busy

    def _apply_shop(self, shop_id: int) -> bool:
        with self._lock:
            if shop_id in self._busy:
                # Whoever is at it looks again before leaving.
                self._more.add(shop_id)
                return False
            self._busy.add(shop_id)
        any_applied, is_over = False, False
        try:
            while not is_over:
                any_applied |= self._apply_batches(shop_id)
                is_over = self._leave(shop_id)
        finally:
            if not is_over:
                with self._lock:
                    self._busy.discard(shop_id)
        return any_applied

    def _leave(self, shop_id: int) -> bool:
        """End the turn, unless more came since the last look."""
        with self._lock:
            if shop_id in self._more:
                self._more.discard(shop_id)
                return False
            self._busy.discard(shop_id)
            return True

    def _apply_batches(self, shop_id: int) -> bool:
        any_applied = False
        while True:
            now = self._runtime.clock()
            with self._runtime.office.reading() as session:
                shop = session.get(Shop, shop_id)
                events = _next_batch(session, shop_id, now)
            if shop is None or not events:
                return any_applied
            any_applied = True
            self._apply(shop, events, now)

    def _apply(self, shop: Shop, events: Sequence[InboxEvent], now: datetime) -> None:
        """Apply events together; halves of what fails, until the one that does is alone."""
        try:
            if self._try(shop, events, now) or len(events) == 1:
                return
        except LimitError as error:
            # No event is to blame for a full disk, so none is counted as tried.
            log.error("events of shop %s wait: %s", shop.name, error)
            self._put_off(events, now + SHORTAGE_PAUSE)
            return
        middle = len(events) // 2
        self._apply(shop, events[:middle], now)
        self._apply(shop, events[middle:], now)

    def _try(self, shop: Shop, events: Sequence[InboxEvent], now: datetime) -> bool:
        """Apply events in one transaction. One event alone that fails is counted against it."""
        try:
            facts = live.read_events(
                self._runtime,
                shop,
                events,
                lambda event, payload: privacy.read_event(self._runtime, shop, event, payload),
            )
            live.apply_facts(
                self._runtime,
                shop,
                facts,
                now=now,
                event_keys=[f"{event.topic} {event.event_id}" for event in events],
                also=lambda session: self._mark_applied(session, events),
            )
        except LimitError:
            raise
        except Exception as error:
            if len(events) == 1:
                log.exception("event %s of shop %s was not applied", events[0].id, shop.name)
                self._count_failure(events[0], now, error)
            return False
        self._count(-len(events))
        return True

    def _mark_applied(self, session: Session, events: Sequence[InboxEvent]) -> None:
        told = {"ids": [event.id for event in events], "at": self._runtime.clock()}
        session.connection().execute(_MARK_APPLIED, told)

    def _put_off(self, events: Sequence[InboxEvent], until: datetime) -> None:
        with self._runtime.office.session() as session:
            session.execute(
                update(InboxEvent)
                .where(InboxEvent.id.in_([event.id for event in events]))
                .values(next_attempt_at=until)
            )

    def _count_failure(self, event: InboxEvent, now: datetime, error: Exception) -> None:
        attempts = event.attempt_count + 1
        is_last = attempts >= ATTEMPTS_MAX
        with self._runtime.office.session() as session:
            session.execute(
                update(InboxEvent)
                .where(InboxEvent.id == event.id)
                .values(
                    attempt_count=attempts,
                    state="quarantined" if is_last else "waiting",
                    next_attempt_at=now + queue.back_off(attempts),
                    # The kind of failure only: messages may repeat personal data of the body.
                    problem=type(error).__name__,
                )
            )
        if is_last:
            self._count(-1)


def _values(event: Event, now: datetime) -> dict[str, object]:
    return {
        "shop_id": event.shop_id,
        "topic": event.topic,
        "event_id": event.event_id,
        "triggered_at": event.triggered_at,
        "received_at": now,
        "body": event.body,
        "state": "waiting",
        "attempt_count": 0,
    }


# Made once: building a statement anew takes longer than the database needs for it.
_INSERT: Final[Mapping[str, Insert]] = {
    "sqlite": sqlite.insert(InboxEvent).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(InboxEvent).on_conflict_do_nothing(),
}


def _insert(session: Session, rows: Sequence[dict[str, object]]) -> int:
    """Add events that are not there yet; return how many were new."""
    statement = _INSERT[session.get_bind().dialect.name]
    return session.connection().execute(statement, rows).rowcount


_AT: Final = InboxEvent.next_attempt_at
_IS_DUE: Final = (
    InboxEvent.state == "waiting",
    # No pause is so long that it ends later: the clock was set back.
    or_(_AT.is_(None), bindparam("now") >= _AT, bindparam("latest") < _AT),
)
_WITH_WORK: Final = select(InboxEvent.shop_id).where(*_IS_DUE).distinct()
_NEXT: Final = (
    select(InboxEvent)
    .where(InboxEvent.shop_id == bindparam("shop"), *_IS_DUE)
    .order_by(InboxEvent.id)
    .limit(BATCH_MAX)
)
_MARK_APPLIED: Final = (
    update(InboxEvent)
    .where(InboxEvent.id.in_(bindparam("ids", expanding=True)), InboxEvent.state == "waiting")
    .values(state="applied", applied_at=bindparam("at"), body=None, problem=None)
)


def _instants(now: datetime) -> dict[str, object]:
    """Return what decides whether an event is due."""
    return {"now": now, "latest": now + queue.BACK_OFF_MAX}


def _next_batch(session: Session, shop_id: int, now: datetime) -> Sequence[InboxEvent]:
    return session.scalars(_NEXT, {"shop": shop_id, **_instants(now)}).all()
