"""Finding what happened since an endpoint was last told, and keeping it as deliveries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.office import Office, Shop
from regulars.office.models.outgoing import Delivery, Endpoint, Told
from regulars.office.models.segments import Segment
from regulars.outgoing.endpoints import listening
from regulars.outgoing.events import CUSTOMERS_MAX, JOINED, LEFT, body_of
from regulars.warehouse import Warehouse
from regulars.warehouse.membership import Flip

# Entries of the log looked at in one go: a segment of a million flips is followed piece by piece.
PAGE = 20_000
#: The first count of a new segment is no change: nobody joined, the segment came into being.
UNTOLD_CAUSES = frozenset({"created", "restored"})


@dataclass(frozen=True, slots=True)
class State:
    """Where a tag assignment or tracking stands, and the event that its state is."""

    kind: str
    number: int
    state: str
    #: None where nobody is told of this state.
    event: str | None
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Found:
    event: str
    event_id: str
    happened_at: datetime
    data: Mapping[str, object]


def remember(session: Session, shop: Shop, states: Iterable[State]) -> None:
    """Take these states as told: whoever listens from now on hears of later ones only."""
    seen = _seen(session, shop)
    for one in states:
        _see(session, shop, seen, one)


def collect(
    office: Office, warehouse: Warehouse, shop: Shop, states: Sequence[State], now: datetime
) -> bool:
    """Keep what happened as deliveries; return whether there is more of the log to follow.

    Where an endpoint stands moves in the same transaction as its deliveries are kept.
    """
    with office.reading() as session:
        endpoints = listening(session, shop.id)
        names = _segment_names(session, shop) if endpoints else {}
    if not endpoints:
        return False
    is_more = False
    for endpoint in endpoints:
        flips = warehouse.flips_after(endpoint.followed_key, PAGE)
        if flips:
            found = [one for one in _events_of(flips, names) if one.event in endpoint.events]
            is_more = (
                _keep(office, shop, endpoint, found, followed_key=flips[-1].key, now=now) or is_more
            )
    with office.session() as session:
        _collect_states(session, shop, states, now)
    return is_more


def _events_of(flips: Sequence[Flip], names: Mapping[int, str]) -> Iterator[_Found]:
    told = [flip for flip in flips if flip.cause not in UNTOLD_CAUSES]
    for (segment_id, joined, at, cause), group in groupby(told, key=_kind_of):
        members = list(group)
        for start in range(0, len(members), CUSTOMERS_MAX):
            piece = members[start : start + CUSTOMERS_MAX]
            data: dict[str, object] = {
                "segment": {"id": segment_id, "name": names.get(segment_id, "")},
                "cause": cause,
                "customer_ids": [flip.customer_id for flip in piece],
            }
            event_id = f"log-{piece[0].key}-{piece[-1].key}"
            yield _Found(JOINED if joined else LEFT, event_id, at, data)


def _kind_of(flip: Flip) -> tuple[int, bool, datetime, str]:
    return flip.segment_id, flip.joined, flip.at, flip.cause


def _keep(
    office: Office,
    shop: Shop,
    endpoint: Endpoint,
    found: Sequence[_Found],
    *,
    followed_key: int,
    now: datetime,
) -> bool:
    with office.session() as session:
        row = session.get(Endpoint, endpoint.id)
        # Deleted, switched off and on, or followed by somebody else meanwhile.
        if row is None or row.disabled_at or row.followed_key != endpoint.followed_key:
            return False
        for one in found:
            session.add(_delivery(shop, row, one, now))
        row.followed_key = followed_key
    return True


def _delivery(shop: Shop, endpoint: Endpoint, found: _Found, now: datetime) -> Delivery:
    return Delivery(
        shop_id=shop.id,
        endpoint_id=endpoint.id,
        event_id=found.event_id,
        event=found.event,
        body=body_of(shop, found.event, found.event_id, found.happened_at, found.data),
        state="waiting",
        done_count=0,
        attempt_count=0,
        next_attempt_at=now,
        created_at=now,
    )


def _collect_states(session: Session, shop: Shop, states: Sequence[State], now: datetime) -> None:
    endpoints = listening(session, shop.id)
    seen = _seen(session, shop)
    for one in states:
        before = seen.get((one.kind, one.number))
        if before is not None and before.state == one.state:
            continue
        _see(session, shop, seen, one)
        if one.event is None:
            continue
        # A tag may be assigned, paused and assigned again: each time is an event of its own.
        event_id = f"{one.kind}-{one.number}-{one.state}-{int(now.timestamp() * 1000)}"
        found = _Found(one.event, event_id, now, one.data)
        for endpoint in endpoints:
            if one.event in endpoint.events:
                session.add(_delivery(shop, endpoint, found, now))


def _seen(session: Session, shop: Shop) -> dict[tuple[str, int], Told]:
    rows = session.scalars(select(Told).where(Told.shop_id == shop.id))
    return {(row.kind, row.number): row for row in rows}


def _see(session: Session, shop: Shop, seen: dict[tuple[str, int], Told], one: State) -> None:
    row = seen.get((one.kind, one.number))
    if row is None:
        row = Told(shop_id=shop.id, kind=one.kind, number=one.number, state=one.state)
        session.add(row)
        seen[one.kind, one.number] = row
    row.state = one.state


def _segment_names(session: Session, shop: Shop) -> dict[int, str]:
    rows = session.execute(select(Segment.id, Segment.name).where(Segment.shop_id == shop.id))
    return {number: name for number, name in rows}  # noqa: C416 - rows are tuples to the reader only
